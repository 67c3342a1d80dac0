/** Stores written by tiledbsoma, the answers that Python gave, and comparisons with them. */
import assert from "node:assert/strict";
import {
  memoryStore,
  openSoma,
  SomaCollection,
  type SomaSparseNDArray,
  type SomaTable,
  type Store,
} from "../../../data/soma/mod.ts";

import { type ExpectedQuery, plainColumn, recordedCoords, sparseDigest } from "./plain.ts";

const SHARED = new URL("../../../../shared/fixtures/soma/", import.meta.url);

/** Path of a shared store, or of its answers. */
export function shared(path: string): string {
  return new URL(path, SHARED).pathname;
}

/** Why tests of shared stores are skipped; undefined where the stores are there. */
export const WITHOUT_SHARED: string | undefined = await Deno.stat(SHARED).then(
  () => undefined,
  () => "../shared/fixtures/soma is not there",
);

/** Registers a test that is skipped, with the reason in its name, where the shared stores are absent. */
export function sharedTest(name: string, run: () => Promise<void>): void {
  const reason = WITHOUT_SHARED;
  Deno.test({
    name: reason ? `${name} (skipped: ${reason})` : name,
    ignore: reason !== undefined,
    fn: run,
  });
}

/** A column as Python wrote it: values, or codes with their categories. */
export type ExpectedColumn =
  | readonly (string | number | boolean | null)[]
  | { readonly codes: readonly (number | null)[]; readonly categories: readonly string[] }
  | { readonly codes_only: readonly (number | null)[] };

/** A table as Python wrote it. */
export type ExpectedTable = Readonly<Record<string, ExpectedColumn>>;

/** What Python found in a store. */
export interface Manifest {
  readonly root_metadata: Readonly<Record<string, unknown>>;
  readonly root_members: readonly string[];
  readonly obs_value_filter: { readonly filter: string; readonly soma_joinids: readonly number[] };
  readonly n_obs: number;
  readonly n_vars: number;
  readonly X: readonly ExpectedQuery[];
  readonly raw_nnz: number;
  readonly emb: {
    readonly nnz: number;
    readonly sum: number;
    readonly sha256: string;
    readonly info: string;
  };
}

/** Reads an answer. */
export async function expected<T>(path: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(shared(`expected/${path}`)));
}

/** Order of the rows of a table by some columns. */
function rowOrder(columns: readonly (readonly unknown[])[]): number[] {
  const rows = Array.from(columns[0] ?? [], (_, row) => row);
  return rows.sort((a, b) => {
    for (const column of columns) {
      const [x, y] = [column[a] as number, column[b] as number];
      if (x !== y) return x < y ? -1 : 1;
    }
    return a - b;
  });
}

/** Compares a table with its answer, whose rows are in the order of `by` unless the columns say another. */
export function assertTable(table: SomaTable, answer: ExpectedTable, by: readonly string[]): void {
  const columns = table.columns().map((name) =>
    [name, plainColumn(table.column(name), "codes_only" in (answer[name] ?? {}))] as const
  );
  assertPlain(Object.fromEntries(columns), answer, by);
}

/** Which columns a recorded read has, and whether it has them as codes. */
export function columnsOf(answer: ExpectedTable): Record<string, { codes: boolean }> {
  return Object.fromEntries(
    Object.entries(answer).map(([name, column]) => [name, { codes: "codes_only" in column }]),
  );
}

/** Compares lists by column with their answer. */
export function assertPlain(
  table: Readonly<Record<string, readonly unknown[]>>,
  answer: ExpectedTable,
  by: readonly string[],
): void {
  const names = Object.keys(answer);
  assert.deepEqual([...names].sort(), Object.keys(table).sort());
  const ours = names.map((name) => table[name]!);
  const theirs = names.map((name) => {
    const column = answer[name]!;
    if ("codes_only" in column) return [...column.codes_only];
    if (!("codes" in column)) return [...column];
    return column.codes.map((code) => code === null || code < 0 ? null : column.categories[code]);
  });
  const sorted = (columns: readonly (readonly unknown[])[]) => {
    const order = rowOrder(by.map((name) => columns[names.indexOf(name)]!));
    return Object.fromEntries(
      names.map((name, k) => [name, order.map((row) => columns[k]![row])]),
    );
  };
  assert.deepEqual(sorted(ours), sorted(theirs));
}

/** Compares all recorded queries of a store with their answers. */
export async function assertStore(name: string, from: string | Store): Promise<void> {
  const manifest = await expected<Manifest>(`${name}/manifest.json`);
  const root = await openSoma(from);
  assert.ok(root instanceof SomaCollection);
  assert.deepEqual([...root.keys()].sort(), [...manifest.root_members].sort());
  assert.deepEqual(Object.fromEntries(root.metadata), manifest.root_metadata);
  const human = "census_data/homo_sapiens";
  const obs = await root.open(`${human}/obs`, "SOMADataFrame");
  assertTable(await obs.readAll(), await expected(`${name}/obs.json`), ["soma_joinid"]);
  const { filter, soma_joinids } = manifest.obs_value_filter;
  const found = await obs.readAll({ valueFilter: filter, columns: ["soma_joinid"] });
  assert.deepEqual(plainColumn(found.column("soma_joinid")), soma_joinids);
  for (
    const [path, answer] of [[`${human}/ms/RNA/var`, "var"], ["census_info/datasets", "datasets"]]
  ) {
    const frame = await root.open(path!, "SOMADataFrame");
    assertTable(await frame.readAll(), await expected(`${name}/${answer}.json`), ["soma_joinid"]);
  }
  const presence = await root.open(
    `${human}/ms/RNA/feature_dataset_presence_matrix`,
    "SOMASparseNDArray",
  );
  const dims = ["soma_dim_0", "soma_dim_1"];
  assertTable(await presence.readAll(), await expected(`${name}/presence.json`), dims);
  for (const query of manifest.X) await assertQuery(root, query);
}

async function assertQuery(root: SomaCollection, query: ExpectedQuery): Promise<void> {
  const X = await root.open(
    `census_data/homo_sapiens/ms/RNA/X/${query.layer}`,
    "SOMASparseNDArray",
  );
  const table = await X.readAll({
    coords: [
      recordedCoords(query.rows_kind, query.rows),
      recordedCoords(query.cols_kind, query.cols),
    ],
  });
  assert.equal(table.length, query.nnz, `${query.layer} ${query.query}`);
  assert.equal(await sparseDigest(table), query.sha256, `${query.layer} ${query.query}`);
}

/** Compares an embedding array with its answer. */
export async function assertEmbedding(
  array: SomaSparseNDArray,
  answer: Manifest["emb"],
): Promise<void> {
  const table = await array.readAll();
  assert.equal(table.length, answer.nnz);
  assert.equal(await sparseDigest(table), answer.sha256);
  assert.equal(array.metadata.get("CxG_embedding_info"), answer.info);
}

const FIXTURES = new URL("../../fixtures/soma/", import.meta.url);

/** Path of a fixture of this repository. */
export function fixturePath(name: string): string {
  return new URL(name, FIXTURES).pathname;
}

/** Reads an answer of this repository's fixtures. */
export async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(fixturePath(name)));
}

/** The files of an archive by path. */
export async function fixtureArrays(name = "arrays.tar.gz"): Promise<Map<string, Uint8Array>> {
  const packed = (await Deno.open(fixturePath(name))).readable;
  const stream = packed.pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const files = new Map<string, Uint8Array>();
  const text = (from: number, length: number) =>
    new TextDecoder().decode(bytes.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const [path, prefix] = [text(at, 100), text(at + 345, 155)];
    const size = parseInt(text(at + 124, 12), 8);
    files.set(prefix ? `${prefix}/${path}` : path, bytes.slice(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** A store of the files below a folder. */
export function below(files: ReadonlyMap<string, Uint8Array>, folder: string): Store {
  const prefix = `${folder}/`;
  return memoryStore(
    new Map(
      Array.from(files).flatMap(([path, bytes]) =>
        path.startsWith(prefix) ? [[path.slice(prefix.length), bytes] as const] : []
      ),
    ),
    folder,
  );
}
