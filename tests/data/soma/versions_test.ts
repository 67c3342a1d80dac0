import assert from "node:assert/strict";
import {
  FormatError,
  memoryStore,
  type MetadataValue,
  openSoma,
  SomaCollection,
  type SomaDataFrame,
  type SomaObject,
  type SomaSparseNDArray,
  type SomaTable,
} from "../../../data/soma/mod.ts";
import { unpackGenericTile } from "../../../data/soma/tile.ts";
import { plainColumn } from "./plain.ts";
import { below, fixtureArrays, readJson } from "./stores.ts";

/** A list of values, written once. */
interface ListPlace {
  readonly list: number;
}

/** What a library found in an object. */
interface Answer {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly type?: string;
  /** Columns of a table, or the row-major values of a dense array. */
  readonly values?: Readonly<Record<string, ListPlace>> | ListPlace;
  readonly members?: Readonly<Record<string, Answer>> | readonly string[];
}

/** What versions.json holds. */
interface Recorded {
  readonly libraries: Readonly<Record<string, string>>;
  readonly lists: readonly (readonly unknown[])[];
  readonly answers: Readonly<
    Record<string, readonly { readonly formats: readonly number[]; readonly answer: Answer }[]>
  >;
}

const files = await fixtureArrays("versions.tar.gz");
const { libraries, lists, answers } = await readJson<Recorded>("versions.json");
const FORMATS = Object.keys(libraries).map(Number);

/** The answer that the library of a format gave. */
function answerOf(key: string, format: number): Answer {
  return answers[key]!.find(({ formats }) => formats.includes(format))!.answer;
}

/** A value as JSON has it: integers beyond 2^53 as texts, bytes as lists. */
function jsonValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** Lists of values as rows, which are texts in order. */
function rowsOf(columns: Readonly<Record<string, readonly unknown[]>>): string[] {
  const names = Object.keys(columns).sort();
  const rows = Array.from(
    columns[names[0]!]!,
    (_, row) => JSON.stringify(names.map((name) => [name, columns[name]![row]])),
  );
  return rows.sort();
}

function tableRows(table: SomaTable): string[] {
  return rowsOf(Object.fromEntries(
    table.columns().map((name) => [name, plainColumn(table.column(name)).map(jsonValue)]),
  ));
}

function answerRows(values: Answer["values"]): string[] {
  const columns = values as Readonly<Record<string, ListPlace | readonly unknown[]>>;
  return rowsOf(Object.fromEntries(
    Object.entries(columns).map(([name, of]) => [name, "list" in of ? lists[of.list]! : of]),
  ));
}

function assertMetadata(metadata: ReadonlyMap<string, MetadataValue>, answer: Answer): void {
  const ours = Object.fromEntries(Array.from(metadata, ([key, value]) => [key, jsonValue(value)]));
  assert.deepEqual(ours, answer.metadata);
}

/** Compares all that an object holds, and those in it, with what a library read. */
async function assertObject(object: SomaObject, answer: Answer): Promise<void> {
  assertMetadata(object.metadata, answer);
  if (answer.type !== undefined) assert.equal(object.type, answer.type);
  if (object instanceof SomaCollection) {
    const { members = {} } = answer;
    const names = Array.isArray(members) ? members : Object.keys(members);
    assert.deepEqual([...object.keys()].sort(), names);
    if (Array.isArray(members)) return;
    for (const [name, member] of Object.entries(members as Readonly<Record<string, Answer>>)) {
      await assertObject(await object.open(name), member);
    }
  } else if (object.type === "SOMADenseNDArray") {
    const { data } = await object.read();
    assert.deepEqual([...data], lists[(answer.values as ListPlace).list]);
  } else {
    assert.deepEqual(
      tableRows(await object.readAll({ int64: "bigint" })),
      answerRows(answer.values),
    );
  }
}

/** Opens an object of the archive. */
function open(path: string, timestamp?: number): Promise<SomaObject> {
  return openSoma(below(files, path), { ...timestamp !== undefined && { timestamp } });
}

/** Format versions in the names of the fragments below a path. */
function fragmentFormats(path: string): Set<number> {
  return new Set(
    [...files.keys()].filter((file) => file.startsWith(path)).flatMap((file) => {
      const version = /__fragments\/__\d+_\d+_[0-9a-f]+_(\d+)\//.exec(file)?.[1];
      return version === undefined ? [] : [Number(version)];
    }),
  );
}

Deno.test("the archive holds fragments of every format version that a release wrote", () => {
  assert.deepEqual(FORMATS, [16, 17, 18, 19, 20, 21, 22]);
  for (const format of FORMATS) {
    const own = [...files.keys()].filter((path) => path.startsWith(`${format}/frame/`));
    assert.ok(own.length > 40, `${format}`);
    assert.deepEqual([...fragmentFormats(`${format}/frame/`)], [format]);
  }
  assert.deepEqual([...fragmentFormats("22/carried_16/")].sort(), [16, 22]);
});

for (const format of FORMATS) {
  const keys = Object.keys(answers).filter((key) =>
    answers[key]!.some(({ formats }) => formats.includes(format))
  );
  for (const name of new Set(keys.map((key) => key.split("@")[0]!))) {
    const times = keys.filter((key) => key.split("@")[0] === name);
    Deno.test(`openSoma() reads ${name} of format ${format} as libtiledb ${libraries[format]} does`, async () => {
      for (const key of times) {
        const time = key.split("@")[1];
        const opened = time === undefined || time === "99" ? [undefined] : [];
        for (const timestamp of time === undefined ? opened : [Number(time), ...opened]) {
          await assertObject(await open(`${format}/${name}`, timestamp), answerOf(key, format));
        }
      }
    });
  }

  Deno.test(`readAll() selects coordinates and values in format ${format}`, async () => {
    const frame = await open(`${format}/frame`) as SomaDataFrame;
    const columns = ["soma_joinid", "cell_id", "tissue", "i64"];
    const part = await frame.readAll({
      columns,
      coords: { soma_joinid: { min: 12, max: 42 } },
      valueFilter: 'tissue == "blood" and i64 < 250',
    });
    const wanted = tableRows(await frame.readAll({ columns })).filter((row) => {
      const cell = Object.fromEntries(JSON.parse(row));
      return cell.soma_joinid >= 12 && cell.soma_joinid <= 42 && cell.tissue === "blood" &&
        cell.i64 < 250;
    });
    assert.ok(wanted.length > 2);
    assert.deepEqual(tableRows(part), wanted);
    const texts = await open(`${format}/texts`, 20) as SomaDataFrame;
    const genes = plainColumn((await texts.readAll({ coords: { gene: "G3G3" } })).column("gene"));
    assert.ok(genes.length > 0 && genes.every((gene) => gene === "G3G3"));
  });
}

const PLACE = { file: "versions.tar.gz", key: "" };

/** A generic tile that holds bytes as they are. */
function genericTile(bytes: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(34 + 8 + 20));
  header.setUint32(0, 23, true);
  header.setBigUint64(4, BigInt(20 + bytes.length), true);
  header.setBigUint64(12, BigInt(bytes.length), true);
  header.setUint8(20, 6);
  header.setBigUint64(21, 1n, true);
  header.setUint32(30, 8, true); // bytes of a pipeline without filters
  header.setBigUint64(42, 1n, true);
  header.setUint32(50, bytes.length, true);
  header.setUint32(54, bytes.length, true);
  return new Uint8Array([...new Uint8Array(header.buffer), ...bytes]);
}

/** Fragment metadata in another format, with sections after the footer. */
function withSections(bytes: Uint8Array, format: number, sections: Uint8Array): Uint8Array {
  const length = Number(new DataView(bytes.buffer).getBigUint64(bytes.length - 8, true));
  const start = bytes.length - 8 - length;
  const out = new Uint8Array([...bytes.subarray(0, -8), ...sections, ...new Uint8Array(8)]);
  const view = new DataView(out.buffer);
  view.setUint32(start, format, true);
  view.setBigUint64(out.length - 8, BigInt(length + sections.length), true);
  return out;
}

/** An array of format 22 with the numbers of another format, and with sections in its footers. */
async function inFormat(path: string, format: number, sections: Uint8Array) {
  const changed = new Map<string, Uint8Array>();
  for (const [name, bytes] of files) {
    if (!name.startsWith(`${path}/`)) continue;
    const file = name.slice(path.length + 1).replace(/_22(?=\/|\.wrt$)/, `_${format}`);
    if (file.endsWith("__fragment_metadata.tdb")) {
      changed.set(file, withSections(bytes, format, sections));
    } else if (file.startsWith("__schema/")) {
      const schema = await unpackGenericTile(bytes, { place: PLACE, limit: 1 << 20 });
      new DataView(schema.buffer).setUint32(0, format, true);
      changed.set(file, genericTile(schema));
    } else changed.set(file, bytes);
  }
  return memoryStore(changed);
}

/** What a writer of format 23 adds for a sparse array of two dimensions, and a section that nobody knows. */
function sectionsOf23(): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 12 + 32 + 12 + 5));
  view.setUint32(0, 2, true);
  view.setUint32(12, 32, true); // four places of tiles
  view.setBigUint64(48, 99n, true);
  view.setUint32(56, 5, true);
  return new Uint8Array(view.buffer);
}

Deno.test("openSoma() passes over the sections of format 23, which no release has written", async () => {
  const sparse = await openSoma(await inFormat("22/hilbert", 23, sectionsOf23()));
  await assertObject(sparse, answerOf("hilbert@99", 22));
  const dense = await openSoma(await inFormat("22/dense_columns", 23, new Uint8Array(4)));
  await assertObject(dense, answerOf("dense_columns@99", 22));
});

Deno.test("openSoma() refuses the formats before and after those that are tested", async () => {
  for (const format of [15, 24]) {
    const store = await inFormat("22/hilbert", format, new Uint8Array(0));
    await assert.rejects(openSoma(store), (error) => {
      assert.ok(error instanceof FormatError && error.kind === "encoding");
      assert.match(error.message, new RegExp(`version must be in 16 \\.\\. 23: got ${format} `));
      return true;
    });
  }
});

Deno.test("openSoma() tells of a format before 10 by its files", async () => {
  const store = memoryStore(new Map([["__array_schema.tdb", new Uint8Array(1)]]));
  await assert.rejects(
    openSoma(store),
    /must not have parts of a format before 12: got __array_schema\.tdb/,
  );
});

Deno.test("readAll() reads an array that a newer library went on with, in both formats", async () => {
  const array = await open("22/carried_16") as SomaSparseNDArray;
  const cells = await array.readAll({ coords: [{ max: 2 }] });
  assert.ok(tableRows(cells).some((row) => row.includes('["soma_data",60]')));
  assert.ok(tableRows(cells).every((row) => !row.includes('["soma_data",50]')));
});
