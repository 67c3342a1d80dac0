/** SOMA collections, experiments and measurements: objects by name. */
import { describeNames } from "../checks.ts";
import { FormatError } from "../errors.ts";
import type { ArrayFiles } from "./files.ts";
import type { GroupMember } from "./group.ts";
import type { MetadataValue } from "./metadata.ts";
import type { SomaDataFrame } from "./soma_dataframe.ts";
import type { SomaDenseNDArray } from "./soma_dense_ndarray.ts";
import type { SomaSparseNDArray } from "./soma_sparse_ndarray.ts";

/** The class of each type of SOMA object. */
export interface SomaTypes {
  /** Objects by name. */
  SOMACollection: SomaCollection;
  /** Cells and their measurements. */
  SOMAExperiment: SomaExperiment;
  /** What was measured of the cells. */
  SOMAMeasurement: SomaMeasurement;
  /** A table. */
  SOMADataFrame: SomaDataFrame;
  /** A sparse array. */
  SOMASparseNDArray: SomaSparseNDArray;
  /** A dense array. */
  SOMADenseNDArray: SomaDenseNDArray;
}

/** Name of a type of SOMA object. */
export type SomaType = keyof SomaTypes;

/** Any SOMA object; `type` tells which. */
export type SomaObject = SomaTypes[SomaType];

/** Opens an object of a store. */
export type Opener = (files: ArrayFiles, signal: AbortSignal | undefined) => Promise<SomaObject>;

/** What a collection is made of. */
export interface CollectionParts {
  /** Its files. */
  readonly files: ArrayFiles;
  /** Its members in order. */
  readonly members: ReadonlyMap<string, GroupMember>;
  /** Its metadata. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** Opens a member. */
  readonly open: Opener;
}

/** Refuses an object that is of another type. */
export function checkType<K extends SomaType>(object: SomaObject, type: K): SomaTypes[K] {
  if (object.type === type) return object as SomaTypes[K];
  throw new TypeError(`Cannot open ${object.path || "the store"} as ${type}: it is ${object.type}`);
}

/** Objects by name, which are opened when they are asked for. */
export class SomaCollection {
  /** SOMA's name of its type. */
  readonly type: "SOMACollection" | "SOMAExperiment" | "SOMAMeasurement" = "SOMACollection";
  /** Path of the collection in its store. */
  readonly path: string;
  /** The metadata by key. */
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly #parts: CollectionParts;

  /** @internal Made by opening. */
  constructor(parts: CollectionParts) {
    this.#parts = parts;
    this.path = parts.files.path;
    this.metadata = parts.metadata;
  }

  /** Names of the members in order. */
  keys(): readonly string[] {
    return [...this.#parts.members.keys()];
  }

  /** Whether there is a member of this name. */
  has(name: string): boolean {
    return this.#parts.members.has(name);
  }

  /**
   * Opens a member, or a member of a member: "ms/RNA/X/raw".
   *
   * @param path Names with slashes between them.
   * @param type The type that it must have.
   * @param options `signal`: stops the opening.
   * @throws {RangeError} Where there is no such member; the message lists those there are.
   * @throws {TypeError} Where it is of another type.
   */
  open<K extends SomaType>(
    path: string,
    type: K,
    options?: { readonly signal?: AbortSignal },
  ): Promise<SomaTypes[K]>;
  /** Opens a member of any type. */
  open(path: string): Promise<SomaObject>;
  async open(
    path: string,
    type?: SomaType,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SomaObject> {
    const [name, rest] = this.#split(path);
    const member = this.#parts.members.get(name)!;
    const object = await this.#parts.open(this.#filesOf(member), options.signal);
    if (rest === undefined) return type === undefined ? object : checkType(object, type);
    if (!(object instanceof SomaCollection)) {
      throw new TypeError(
        `Cannot open ${path} as ${object.path} has no members: it is ${object.type}`,
      );
    }
    return type === undefined ? await object.open(rest) : await object.open(rest, type, options);
  }

  /** The member that a path starts with, and the rest of the path; names may hold slashes themselves. */
  #split(path: string): [string, string | undefined] {
    if (this.has(path)) return [path, undefined];
    const name = this.keys().find((name) => path.startsWith(`${name}/`));
    if (name !== undefined) return [name, path.slice(name.length + 1)];
    const first = path.split("/", 1)[0]!;
    throw new RangeError(
      `Cannot open ${JSON.stringify(first)} of ${this.path || "the store"} as there is none: ${
        describeNames(first, this.keys())
      }`,
    );
  }

  #filesOf({ name, uri, relative }: GroupMember): ArrayFiles {
    const { files } = this.#parts;
    const outside = uri.split("/").some((part) => part === ".." || part === "." || part === "");
    if (!relative || outside) {
      throw new FormatError(
        "encoding",
        `Cannot open the member ${
          JSON.stringify(name)
        } as it must lie in its collection: got ${uri}`,
        files.place(""),
      );
    }
    return files.below(uri);
  }
}

/** Cells (`obs`) and what was measured of them (`ms`). */
export class SomaExperiment extends SomaCollection {
  /** SOMA's name of its type. */
  override readonly type = "SOMAExperiment";

  /** The table of the cells. */
  obs(): Promise<SomaDataFrame> {
    return this.open("obs", "SOMADataFrame");
  }

  /** A measurement: "RNA". */
  ms(name: string): Promise<SomaMeasurement> {
    return this.open(`ms/${name}`, "SOMAMeasurement");
  }
}

/** Features (`var`) and values of cells x features (`X`). */
export class SomaMeasurement extends SomaCollection {
  /** SOMA's name of its type. */
  override readonly type = "SOMAMeasurement";

  /** The table of the features. */
  var(): Promise<SomaDataFrame> {
    return this.open("var", "SOMADataFrame");
  }

  /** A layer of values: "raw". */
  X(layer: string): Promise<SomaSparseNDArray> {
    return this.open(`X/${layer}`, "SOMASparseNDArray");
  }
}
