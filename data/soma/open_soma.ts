/** Opens SOMA objects. */
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import { checkLayout } from "./commits.ts";
import { ArrayFiles } from "./files.ts";
import { readMembers } from "./group.ts";
import { httpStore } from "./http_store.ts";
import { type MetadataValue, readMetadata } from "./metadata.ts";
import {
  checkType,
  SomaCollection,
  SomaExperiment,
  SomaMeasurement,
  type SomaObject,
  type SomaType,
  type SomaTypes,
} from "./soma_collection.ts";
import { SomaDataFrame } from "./soma_dataframe.ts";
import { SomaDenseNDArray } from "./soma_dense_ndarray.ts";
import { SomaSparseNDArray } from "./soma_sparse_ndarray.ts";
import type { Store, StoreEntry } from "./store.ts";
import { TileDbArray } from "./tiledb_array.ts";

/** How a store is opened. */
export interface OpenSomaOptions {
  /** The type that the object must have. */
  readonly type?: SomaType;
  /** Path of the object in the store; its root unless given. */
  readonly path?: string;
  /** When: what was written later is not seen. A Date, or milliseconds since 1970; everything unless given. */
  readonly timestamp?: number | Date;
  /** Most bytes of memory that reading may take at once; 1 GiB unless given. */
  readonly maxMemory?: number;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

const GIB = 2 ** 30;

/**
 * Opens a SOMA object: an experiment, a collection, a data frame or an array.
 *
 * @param from A folder (on a server), an http(s) address whose server lists folders as S3 does, or any {@linkcode Store}.
 * @param options `type`: the type that it must have.
 * @returns The object; nothing has to be closed.
 * @throws {FormatError} Where it is no SOMA object, is damaged, or is of a version that cannot be read.
 * @throws {TypeError} Where it is of another type.
 *
 * @example Cells of an experiment
 * ```ts
 * import assert from "node:assert/strict";
 * import { openSoma } from "@scgpt/sdk/data/soma";
 *
 * const experiment = await openSoma("tests/fixtures/soma/census/census_data/homo_sapiens", { type: "SOMAExperiment" });
 * const obs = await experiment.obs();
 * const cells = await obs.readAll({ columns: ["soma_joinid"], coords: { soma_joinid: { max: 2 } } });
 * assert.deepEqual([...cells.column("soma_joinid", "numeric").data], [0, 1, 2]);
 * ```
 */
export async function openSoma<K extends SomaType>(
  from: string | URL | Store,
  options: OpenSomaOptions & { readonly type: K },
): Promise<SomaTypes[K]>;
/** Opens a SOMA object of any type. */
export async function openSoma(
  from: string | URL | Store,
  options?: OpenSomaOptions,
): Promise<SomaObject>;
export async function openSoma(
  from: string | URL | Store,
  options: OpenSomaOptions = {},
): Promise<SomaObject> {
  checkOptions("open a SOMA object", options, ["type", "path", "timestamp", "maxMemory", "signal"]);
  const { path = "", maxMemory = GIB, signal } = options;
  const timestamp = Number(options.timestamp ?? Infinity);
  if (Number.isNaN(timestamp) || !(maxMemory > 0)) {
    throw new RangeError(
      `Cannot open a SOMA object as timestamp and maxMemory must be numbers > 0: got ${timestamp} and ${maxMemory}`,
    );
  }
  const store = await toStore(from);
  const files = new ArrayFiles(store, path, { timestamp, maxMemory }, signal);
  const object = await openObject(files);
  return options.type === undefined ? object : checkType(object, options.type);
}

async function toStore(from: string | URL | Store): Promise<Store> {
  if (typeof from === "object" && "read" in from) return from;
  if (/^(https?|s3):/i.test(String(from))) return httpStore(from);
  if (!("Deno" in globalThis)) {
    throw new TypeError(
      `Cannot open ${from} as a page has no file system: give an http address or a Store`,
    );
  }
  const { directoryStore } = await import("./store_deno.ts");
  return directoryStore(from);
}

async function openObject(files: ArrayFiles): Promise<SomaObject> {
  const root = await files.list("");
  checkLayout(root, files.place(""));
  const has = (name: string) => root.some((entry) => entry.name === name);
  if (!has("__schema") && !has("__group")) {
    throw new FormatError(
      "missing-key",
      "Cannot open a SOMA object as the folder has neither __schema nor __group",
      files.place(""),
    );
  }
  const metadata = has("__meta") ? await readMetadata(files) : new Map<string, MetadataValue>();
  return has("__schema")
    ? await openArray(files, root, metadata)
    : await openGroup(files, metadata);
}

async function openGroup(
  files: ArrayFiles,
  metadata: ReadonlyMap<string, MetadataValue>,
): Promise<SomaCollection | SomaExperiment | SomaMeasurement> {
  const parts = {
    files: files.kept(),
    members: await readMembers(files),
    metadata,
    open: (below: ArrayFiles, signal: AbortSignal | undefined) =>
      openObject(new ArrayFiles(below.store, below.path, below.settings, signal)),
  };
  switch (metadata.get("soma_object_type")) {
    case "SOMAExperiment":
      return new SomaExperiment(parts);
    case "SOMAMeasurement":
      return new SomaMeasurement(parts);
    default:
      return new SomaCollection(parts);
  }
}

async function openArray(
  files: ArrayFiles,
  root: readonly StoreEntry[],
  metadata: ReadonlyMap<string, MetadataValue>,
): Promise<SomaDataFrame | SomaSparseNDArray | SomaDenseNDArray> {
  const array = await TileDbArray.open(files, root);
  const kind = metadata.get("soma_object_type") ?? typeBySchema(array);
  switch (kind) {
    case "SOMADataFrame":
      return new SomaDataFrame(array, metadata);
    case "SOMASparseNDArray":
      return new SomaSparseNDArray(array, metadata);
    case "SOMADenseNDArray":
      return new SomaDenseNDArray(array, metadata);
    default:
      throw new FormatError(
        "encoding",
        `Cannot open a SOMA object as its type is not one that can be read: got ${kind}`,
        files.place(""),
      );
  }
}

/** The type of an array that does not say it: one that TileDB wrote without SOMA. */
function typeBySchema({ schema }: TileDbArray): SomaType {
  if (!schema.sparse) return "SOMADenseNDArray";
  return schema.attributes.some(({ name }) => name === "soma_data")
    ? "SOMASparseNDArray"
    : "SOMADataFrame";
}
