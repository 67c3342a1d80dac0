/** An opened TileDB array: schemas, fragments and deletions in force at a time. */
import { FormatError } from "../errors.ts";
import { byName, isTimed, readCommits, timesOf } from "./commits.ts";
import { type Condition, conditionFields, parseCondition } from "./delete_condition.ts";
import { type Enumeration, parseEnumeration } from "./enumeration.ts";
import type { ArrayFiles } from "./files.ts";
import { checkFragmentName, splitFooters } from "./fragment.ts";
import { Fragment } from "./fragment_reader.ts";
import { keep } from "./keep.ts";
import { type Attribute, parseSchema, type Schema } from "./schema.ts";
import { joinPath, type StoreEntry } from "./store.ts";

/** A deletion. */
export interface Deletion {
  /** Name of its file. */
  readonly name: string;
  /** When it was done. */
  readonly time: number;
  /** Which cells it keeps. */
  readonly condition: Condition;
}

/** An opened array. */
export class TileDbArray {
  /** Its files. */
  readonly files: ArrayFiles;
  /** The schema in force. */
  readonly schema: Schema;
  /** Its fragments, oldest first. */
  readonly fragments: readonly Fragment[];
  /** Its deletions, oldest first. */
  readonly deletions: readonly Deletion[];
  readonly #newest: Schema;
  readonly #enumerations = new Map<string, Promise<Enumeration>>();
  readonly #listings = new Map<string, Promise<StoreEntry[]>>();

  private constructor(
    files: ArrayFiles,
    parts: {
      readonly schema: Schema;
      readonly newest: Schema;
      readonly fragments: readonly Fragment[];
      readonly deletions: readonly Deletion[];
    },
  ) {
    this.files = files.kept();
    this.schema = parts.schema;
    this.#newest = parts.newest;
    this.fragments = parts.fragments;
    this.deletions = parts.deletions;
  }

  /**
   * Opens an array.
   *
   * @param files Its files, whose signal stops the opening.
   * @param root The entries of its folder.
   */
  static async open(files: ArrayFiles, root: readonly StoreEntry[]): Promise<TileDbArray> {
    const { timestamp } = files.settings;
    const schemas = await readSchemas(files);
    const schema = schemaAt(schemas, timestamp, files);
    const commits = await readCommits(files, { timestamp, dense: !schema.sparse });
    const footers = await readFooters(files, root, commits.fragments);
    const fragments = await Promise.all(commits.fragments.map(async (name) => {
      checkFragmentName(name, files.place(joinPath("__fragments", name)));
      const named = (schema: string) => schemas.find(({ name }) => name === schema)?.schema();
      return await Fragment.open(files, name, { schemas: named, footer: footers.get(name) });
    }));
    const deletions = await Promise.all(
      commits.deletes.map(async ({ name, time, tile, place }) => ({
        name,
        time,
        condition: parseCondition(await files.unpack(tile, place), place),
      })),
    );
    // A consolidated fragment without times of its cells is seen whole or not at all.
    const seen = fragments.filter(({ to, footer }) => to <= timestamp || footer.hasTimestamps);
    const newest = schemas.at(-1)!.schema();
    return new TileDbArray(files, { schema, newest, fragments: seen, deletions });
  }

  /** The attribute of a name in the schema in force. */
  attribute(name: string): Attribute | undefined {
    return this.schema.attributes.find((attribute) => attribute.name === name);
  }

  /** The values of an enumeration by its name, read once. */
  async enumeration(name: string): Promise<Enumeration> {
    return await keep(this.#enumerations, name, () => this.#readEnumeration(name));
  }

  /** SOMA makes an enumeration empty and fills it later; codes that were written before then have its later values. */
  async #readEnumeration(name: string): Promise<Enumeration> {
    const files = [this.schema, this.#newest].map(({ enumerations }) => enumerations.get(name));
    const enumeration = await this.#readEnumerationFile(name, files[0]);
    if (enumeration.values.length > 0 || files[1] === undefined || files[1] === files[0]) {
      return enumeration;
    }
    return await this.#readEnumerationFile(name, files[1]);
  }

  async #readEnumerationFile(name: string, file: string | undefined): Promise<Enumeration> {
    const folder = "__schema/__enumerations";
    const entries = await keep(this.#listings, folder, () => this.files.list(folder));
    const entry = entries.find((entry) => entry.name === file);
    if (entry === undefined) {
      throw new FormatError(
        "missing-key",
        `Cannot read the enumeration ${JSON.stringify(name)} as its file ${file} is not there`,
        this.files.place(folder),
      );
    }
    const path = joinPath(folder, entry.name);
    return parseEnumeration(await this.files.tile(path, entry.size), this.files.place(path));
  }

  /** Names of the fields that deletions read. */
  deletionFields(): string[] {
    return [...new Set(this.deletions.flatMap(({ condition }) => conditionFields(condition)))];
  }
}

/** A schema file; parsed when it is asked for, as an array may have old ones that nothing uses any more. */
interface NamedSchema {
  readonly name: string;
  readonly schema: () => Schema;
}

async function readSchemas(files: ArrayFiles): Promise<NamedSchema[]> {
  const entries = (await files.list("__schema")).filter(({ name }) => isTimed(name)).sort(byName);
  return await Promise.all(entries.map(async ({ name, size }) => {
    const path = joinPath("__schema", name);
    const bytes = await files.tile(path, size);
    let parsed: Schema | undefined;
    return { name, schema: () => parsed ??= parseSchema(bytes, name, files.place(path)) };
  }));
}

/** The last schema that was there at a time, or the first one where none was, as TileDB has it. */
function schemaAt(schemas: readonly NamedSchema[], timestamp: number, files: ArrayFiles): Schema {
  const place = files.place("__schema");
  const there = schemas.filter(({ name }) => timesOf(name, place).to <= timestamp);
  const chosen = there.at(-1) ?? schemas[0];
  if (chosen === undefined) {
    throw new FormatError("missing-key", "Cannot open an array as it has no schema", place);
  }
  return chosen.schema();
}

/** Footers of fragments that were consolidated into one file. */
async function readFooters(
  files: ArrayFiles,
  root: readonly StoreEntry[],
  fragments: readonly string[],
) {
  const footers: ReturnType<typeof splitFooters> = new Map();
  if (fragments.length < 2 || !root.some(({ name }) => name === "__fragment_meta")) return footers;
  const entries = (await files.list("__fragment_meta")).filter(({ name }) =>
    name.endsWith(".meta")
  );
  for (const { name, size } of entries) {
    const path = joinPath("__fragment_meta", name);
    const found = splitFooters(await files.tile(path, size), files.place(path));
    for (const [fragment, footer] of found) footers.set(fragment, footer);
  }
  return footers;
}
