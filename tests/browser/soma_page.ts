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
  type PlainTable,
  readEdge,
  recordedCoords,
  sparseDigest,
} from "../data/soma/plain.ts";

/** What a page read of a Census-like store. */
export interface ReadStore {
  /** The tables by path. */
  readonly tables: Record<string, PlainTable>;
  /** Rows of obs that a value filter gives. */
  readonly filtered: unknown[];
  /** Number and digest of the values of each query. */
  readonly X: Digest[];
}

/** Number and digest of sparse values. */
export interface Digest {
  readonly nnz: number;
  readonly sha256: string;
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
  asked: { readonly queries: readonly ExpectedQuery[]; readonly valueFilter: string },
): Promise<ReadStore> {
  const { queries, valueFilter } = asked;
  const root = await openSoma(httpStore(url)) as SomaCollection;
  const read: Record<string, PlainTable> = {};
  for (const path of tables) {
    const object = await root.open(path);
    if (object.type !== "SOMADataFrame" && object.type !== "SOMASparseNDArray") continue;
    read[path] = plainTable(await object.readAll());
  }
  const obs = await root.open("census_data/homo_sapiens/obs", "SOMADataFrame");
  const found = await obs.readAll({ valueFilter, columns: ["soma_joinid"] });
  const X = [];
  for (const query of queries) X.push(await readQuery(root, query));
  return { tables: read, filtered: plainColumn(found.column("soma_joinid")), X };
}

/** Reads an embedding array whole. */
async function readEmbedding(url: string): Promise<Digest & { readonly info: unknown }> {
  const array = await openSoma(httpStore(url), { type: "SOMASparseNDArray" });
  const table = await array.readAll();
  const info = array.metadata.get("CxG_embedding_info");
  return { nnz: table.length, sha256: await sparseDigest(table), info };
}

/** Reads a small array in the folder of an address. */
async function readSmall(
  url: string,
  edge: string,
  columns: Readonly<Record<string, { readonly codes: boolean }>>,
): Promise<{ table: PlainTable; index: string[] }> {
  return await readEdge(
    (name, options) => openSoma(httpStore(`${url}/${name}`), options),
    edge,
    columns,
  );
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
  readonly readEmbedding: typeof readEmbedding;
  readonly readSmall: typeof readSmall;
}

(globalThis as unknown as { soma: SomaPage }).soma = {
  readStore,
  readCached,
  readEmbedding,
  readSmall,
};
