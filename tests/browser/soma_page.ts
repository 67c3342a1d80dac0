/** Reads SOMA stores in a page, and tells what it read in a form that Deno compares. */
import {
  cachedStore,
  httpStore,
  openSoma,
  pageCache,
  type SomaCollection,
  type SomaTable,
} from "../../data/soma/mod.ts";
import {
  type ExpectedQuery,
  plainColumn,
  recordedCoords,
  sparseDigest,
} from "../data/soma/plain.ts";

/** A table as lists by column. */
export type PlainTable = Record<string, unknown[]>;

/** What a page read of a Census-like store. */
export interface ReadStore {
  /** The tables by path. */
  readonly tables: Record<string, PlainTable>;
  /** Number and digest of the values of each query. */
  readonly X: { readonly nnz: number; readonly sha256: string }[];
}

function plainTable(table: SomaTable): PlainTable {
  return Object.fromEntries(table.columns().map((name) => [name, plainColumn(table.column(name))]));
}

async function readQuery(root: SomaCollection, query: ExpectedQuery) {
  const X = await root.open(
    `census_data/homo_sapiens/ms/RNA/X/${query.layer}`,
    "SOMASparseNDArray",
  );
  const coords = [
    recordedCoords(query.rows_kind, query.rows),
    recordedCoords(query.cols_kind, query.cols),
  ];
  const table = await X.readAll({ coords });
  return { nnz: table.length, sha256: await sparseDigest(table) };
}

/** Reads tables and queries of a store. */
async function readStore(
  url: string,
  tables: readonly string[],
  queries: readonly ExpectedQuery[],
): Promise<ReadStore> {
  const root = await openSoma(httpStore(url)) as SomaCollection;
  const read: Record<string, PlainTable> = {};
  for (const path of tables) {
    const object = await root.open(path);
    if (object.type !== "SOMADataFrame" && object.type !== "SOMASparseNDArray") continue;
    read[path] = plainTable(await object.readAll());
  }
  const X = [];
  for (const query of queries) X.push(await readQuery(root, query));
  return { tables: read, X };
}

/** Reads a table through the page's cache. */
async function readCached(url: string): Promise<PlainTable> {
  const store = cachedStore(httpStore(url), { cache: pageCache("soma") });
  const obs = await openSoma(store, { path: "obs", type: "SOMADataFrame" });
  return plainTable(await obs.readAll());
}

/** What the page offers to the test. */
export interface SomaPage {
  readonly readStore: typeof readStore;
  readonly readCached: typeof readCached;
}

(globalThis as unknown as { soma: SomaPage }).soma = { readStore, readCached };
