/** An AnnData over the root group of any container. */
import { AnnData, type AxisArray, type Raw } from "./anndata.ts";
import type { DataFrame } from "./dataframe.ts";
import { structMatrices, unsCategoryKeys, withUnsCategories } from "./encoding_legacy.ts";
import type { Roles } from "./encoding_roles.ts";
import { asGroup, readAs } from "./encodings.ts";
import { FormatError } from "./errors.ts";
import type { Schema } from "./frame/schema.ts";
import { type LazyEntry, LazyMap, storedEntry } from "./lazy_map.ts";
import { type Matrix, matrixOf } from "./matrix.ts";
import type { StorageGroup, StorageNode } from "./storage.ts";
import type { UnsDict, UnsValue } from "./uns.ts";

/** Whether a node holds Python's None. */
function isNone(node: StorageNode): boolean {
  return node.attribute("encoding-type") === "null" ||
    (node.node === "array" && node.shape === null);
}

/** A child group, or undefined where there is none. */
export async function childGroup(
  group: StorageGroup,
  name: string,
): Promise<StorageGroup | undefined> {
  const node = await group.get(name);
  return node === undefined || isNone(node) ? undefined : asGroup(node);
}

/** An entry of a group; one that cannot be opened says so when it is asked for, so that the others can be read. */
async function entryOf<T>(
  group: StorageGroup,
  key: string,
  read: (node: StorageNode) => Promise<T>,
): Promise<readonly [string, LazyEntry<T>]> {
  try {
    const node = (await group.get(key))!;
    return [key, storedEntry(node, () => read(node))];
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return [key, { load: () => Promise.reject(error) }];
  }
}

/** The values of a group as they are asked for. */
export async function lazily<R extends keyof Roles>(
  group: StorageGroup | undefined,
  role: R,
  options: { name: string; without?: ReadonlySet<string> },
): Promise<LazyMap<Roles[R]>> {
  const entries: (readonly [string, LazyEntry<Roles[R]>])[] = [];
  for (const key of group?.keys() ?? []) {
    if (options.without?.has(key)) continue;
    entries.push(await entryOf(group!, key, (node) => readAs(role, node)));
  }
  return new LazyMap(options.name, entries);
}

/** A matrix, a table or lists of any length, by what the node is. */
async function readAxisArray(node: StorageNode): Promise<AxisArray> {
  const type = node.attribute("encoding-type");
  if (type === "dataframe") return await readAs("frame", node);
  return await readAs(type === "awkward-array" ? "awkward" : "matrix", node);
}

/** obsm or varm. */
export async function readAxisArrays(
  parent: StorageGroup,
  name: string,
): Promise<LazyMap<AxisArray>> {
  const node = await parent.get(name);
  if (node?.node === "array") return structMatrices(node).map((matrix): AxisArray => matrix);
  const entries: (readonly [string, LazyEntry<AxisArray>])[] = [];
  for (const key of node?.keys() ?? []) entries.push(await entryOf(node!, key, readAxisArray));
  return new LazyMap(name, entries);
}

/** Matrices of cells x cells that anndata < 0.7 kept in `uns.neighbors`; anndata moves them to obsp, and so do we. */
async function oldGraphs(uns: StorageGroup | undefined): Promise<Map<string, StorageNode>> {
  const graphs = new Map<string, StorageNode>();
  const neighbors = await uns?.get("neighbors");
  if (neighbors?.node !== "group") return graphs;
  for (const key of ["distances", "connectivities"]) {
    const node = await neighbors.get(key);
    if (node?.node === "group" || node?.shape?.length === 2) graphs.set(key, node);
  }
  return graphs;
}

/** obsp and uns with the graphs of old files in the former. */
async function readPairs(
  root: StorageGroup,
  uns: StorageGroup | undefined,
  without: ReadonlySet<string>,
): Promise<{
  obsp: LazyMap<Matrix>;
  uns: LazyMap<UnsValue>;
}> {
  const obsp = await lazily(await childGroup(root, "obsp"), "matrix", { name: "obsp" });
  const values = await lazily(uns, "value", { name: "uns", without });
  const graphs = await oldGraphs(uns);
  if (graphs.size === 0) return { obsp, uns: values };
  const moved = [...graphs].map(([key, node]) =>
    [key, storedEntry(node, () => readAs("matrix", node))] as const
  );
  const rest = async (): Promise<UnsValue> => {
    const all = Object.entries(await values.need("neighbors") as UnsDict);
    return Object.fromEntries(all.filter(([key]) => !graphs.has(key)));
  };
  return {
    obsp: new LazyMap("obsp", [...obsp.entries(), ...moved]),
    uns: new LazyMap("uns", [...values.entries(), ["neighbors", { load: rest }]]),
  };
}

/** A table that must be there. */
async function readFrame(
  root: StorageGroup,
  name: string,
  uns: StorageGroup | undefined,
): Promise<DataFrame> {
  const node = await root.get(name);
  if (node === undefined) {
    throw new FormatError("missing-key", `Cannot open an AnnData as there is no ${name}`, root);
  }
  const frame = await readAs("frame", node);
  return node.node === "array" ? withUnsCategories(frame, uns) : frame;
}

/** The data before filtering: the group `raw`, or before 0.7 the nodes `raw.X`, `raw.var` and `raw.varm`. */
async function readRaw(
  root: StorageGroup,
  uns: StorageGroup | undefined,
  nObs: number,
): Promise<Raw | undefined> {
  const group = await childGroup(root, "raw");
  const parent = group ?? root;
  const prefix = group === undefined ? "raw." : "";
  const X = await parent.get(`${prefix}X`);
  if (X === undefined) return undefined;
  const vars = await readFrame(parent, `${prefix}var`, uns);
  return {
    X: await openMatrix(X, [nObs, vars.length]),
    var: vars,
    varm: await readAxisArrays(parent, `${prefix}varm`),
  };
}

/** Opens a matrix; one that cannot be read is a matrix of that shape which says so when it is asked for. */
async function openMatrix(node: StorageNode, shape: readonly [number, number]): Promise<Matrix> {
  try {
    return await readAs("matrix", node);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const pieces = () => {
      throw error;
    };
    return matrixOf({ shape, format: "dense", dtype: "unknown", origin: node, pieces });
  }
}

/** Refuses containers whose root says that they hold something else. */
function checkRoot(root: StorageGroup): void {
  const type = root.attribute("encoding-type");
  if (type !== undefined && type !== "anndata" && type !== "") {
    throw new FormatError(
      "encoding",
      `Cannot open an AnnData as the root must be one: it is ${type}`,
      root,
    );
  }
}

/**
 * Opens annotated data; reads structure and names of cells and genes.
 *
 * @param root The root group of the container.
 * @param close Closes the container.
 */
export async function readAnnData(root: StorageGroup, close: () => void): Promise<AnnData> {
  checkRoot(root);
  const uns = await childGroup(root, "uns");
  const obs = await readFrame(root, "obs", uns);
  const vars = await readFrame(root, "var", uns);
  const node = await root.get("X");
  const X = node && !isNone(node) && await openMatrix(node, [obs.length, vars.length]);
  const raw = await readRaw(root, uns, obs.length);
  const old = (await root.get("obs"))?.node === "array";
  const without = old ? unsCategoryKeys([obs, vars]) : new Set<string>();
  const pairs = await readPairs(root, uns, without);
  return AnnData.fromParts({
    obs,
    var: vars,
    ...X && { X },
    ...raw && { raw },
    layers: await lazily(await childGroup(root, "layers"), "matrix", { name: "layers" }),
    obsm: await readAxisArrays(root, "obsm"),
    varm: await readAxisArrays(root, "varm"),
    obsp: pairs.obsp,
    varp: await lazily(await childGroup(root, "varp"), "matrix", { name: "varp" }),
    uns: pairs.uns,
  }, { close });
}

/**
 * Annotated data with the types of columns of obs and var stated.
 *
 * @throws {RangeError} Where a column is missing.
 * @throws {TypeError} Where a column is of another type.
 */
export async function typedAnnData<O extends Schema, V extends Schema>(
  adata: AnnData,
  schemas: { readonly obs?: O; readonly var?: V },
): Promise<AnnData<O, V>> {
  const { obs, var: vars } = schemas;
  const parts = {
    obs: obs ? await adata.obs.typed(obs) : adata.obs,
    var: vars ? await adata.var.typed(vars) : adata.var,
  };
  return adata.with(parts) as AnnData as AnnData<O, V>;
}
