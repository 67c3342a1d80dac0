/** Cell Ranger's HDF5 matrices: version 2, one group a genome, and version 3, one group with all features. */
import { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import type { Column, StringColumn } from "../column.ts";
import { DataFrame } from "../dataframe.ts";
import { readAs } from "../encodings.ts";
import { FormatError } from "../errors.ts";
import { type LazyEntry, LazyMap } from "../lazy_map.ts";
import { type Matrix, matrixOf } from "../matrix.ts";
import { openSparse } from "../matrix_stored.ts";
import { toFloats } from "../numbers.ts";
import { childArray, readNumbers } from "../stored_arrays.ts";
import type { StorageGroup } from "../storage.ts";
import { type FeatureChoice, selectFeatures } from "../tenx_features.ts";
import { openAny } from "./open_h5ad.ts";

/** How a 10x file is opened. */
export interface OpenTenxH5Options extends FeatureChoice {
  /** The genome to read, which a file of version 2 with several needs; else all. */
  readonly genome?: string;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/** Arrays of a group of version 2. */
const GENOME_ARRAYS = ["barcodes", "data", "gene_names", "genes", "indices", "indptr", "shape"];

/** Arrays of `features` that have other names in `var`, or none. */
const RENAMED = new Set(["name", "id", "gene_id", "feature_type", "_all_tag_keys"]);

/** The names in an array. */
async function namesOf(group: StorageGroup, name: string): Promise<readonly string[]> {
  const column = await readAs("column", await childArray(group, name));
  return Array.from(column.values(), String);
}

/** A reader of a column, which is not copied as it is stored: texts have a fixed length there. */
async function columnEntry(group: StorageGroup, name: string): Promise<LazyEntry<Column>> {
  const node = await childArray(group, name);
  return { load: () => readAs("column", node) };
}

/** The same values as a matrix that is not copied as it is stored, since it is stored with its names. */
function apart(base: Matrix): Matrix {
  return matrixOf({
    shape: base.shape,
    format: base.format,
    dtype: base.dtype,
    pieces: ({ start, end, multiple, signal }) =>
      base.rows({ start, end, ...multiple > 1 && { batch: multiple }, ...signal && { signal } }),
  });
}

/** Opens the values: stored by column as genes x cells, which are cells x genes by row. */
async function openValues(
  group: StorageGroup,
  counts: { features: number; barcodes: number },
): Promise<Matrix> {
  const node = await childArray(group, "shape");
  const [features, barcodes] = toFloats(await readNumbers(node), node);
  if (features !== counts.features || barcodes !== counts.barcodes) {
    throw new FormatError(
      "value",
      `Cannot open the matrix as its shape must be that of its names, ${counts.features} x ${counts.barcodes}: ` +
        `got ${features} x ${barcodes}`,
      node,
    );
  }
  return apart(await openSparse(group, { format: "csr", shape: [barcodes, features] }));
}

/** Annotated data out of a group of version 2. */
async function readGenome(group: StorageGroup, close: () => void): Promise<AnnData> {
  const index = await namesOf(group, "gene_names");
  const columns = new LazyMap("column", [["gene_ids", await columnEntry(group, "genes")]]);
  const obs = new DataFrame({ index: await namesOf(group, "barcodes") });
  const X = await openValues(group, { features: index.length, barcodes: obs.length });
  return AnnData.fromParts({ X, obs, var: new DataFrame({ index, columns }) }, { close });
}

/** The features of version 3, with the names that scanpy gives their columns. */
async function readFeatures(features: StorageGroup): Promise<DataFrame> {
  const probes = features.keys().includes("gene_id");
  const entries: [string, LazyEntry<Column>][] = [
    ["gene_ids", await columnEntry(features, probes ? "gene_id" : "id")],
  ];
  if (probes) entries.push(["probe_ids", await columnEntry(features, "id")]);
  entries.push(["feature_types", await columnEntry(features, "feature_type")]);
  for (const key of features.keys()) {
    if (RENAMED.has(key) || (await features.get(key))?.node !== "array") continue;
    entries.push([key, await columnEntry(features, key)]);
  }
  return new DataFrame({
    index: await namesOf(features, "name"),
    columns: new LazyMap("column", entries),
  });
}

/** Annotated data out of the group of version 3. */
async function readMatrix(
  matrix: StorageGroup,
  features: StorageGroup,
  close: () => void,
): Promise<AnnData> {
  const vars = await readFeatures(features);
  const index = await namesOf(matrix, "barcodes");
  const columns = new LazyMap<Column>(
    "column",
    matrix.keys().includes("filtered_barcodes")
      ? [["filtered_barcodes", await columnEntry(matrix, "filtered_barcodes")]]
      : [],
  );
  const X = await openValues(matrix, { features: vars.length, barcodes: index.length });
  return AnnData.fromParts({ X, obs: new DataFrame({ index, columns }), var: vars }, { close });
}

/** Groups of version 2 by genome. */
async function genomesOf(root: StorageGroup): Promise<Map<string, StorageGroup>> {
  const genomes = new Map<string, StorageGroup>();
  for (const key of root.keys()) {
    const node = await root.get(key);
    if (node?.node !== "group") continue;
    const keys = node.keys();
    if (GENOME_ARRAYS.every((name) => keys.includes(name))) genomes.set(key, node);
  }
  return genomes;
}

/** Chooses a genome; throws `RangeError` listing those there are. */
function checkGenome(
  genomes: readonly string[],
  genome: string | undefined,
  file: string,
): void {
  if (genome === undefined ? genomes.length === 1 : genomes.includes(genome)) return;
  const problem = genome === undefined
    ? "it holds several genomes: give one of them as genome"
    : `it has no genome ${JSON.stringify(genome)}`;
  throw new RangeError(`Cannot open ${file} as ${problem}: ${genomes.join(", ")}`);
}

/** The features of one genome of version 3, as a view. */
async function selectGenome(
  adata: AnnData,
  genome: string | undefined,
  file: string,
): Promise<AnnData> {
  if (genome === undefined) return adata;
  const { data } = await adata.var.column("genome", "string") as StringColumn;
  checkGenome([...new Set(data)], genome, file);
  return adata.select({ var: [...data.keys()].filter((k) => data[k] === genome) });
}

/** The group of version 3 and its features, if the file has them. */
async function matrixGroups(
  root: StorageGroup,
): Promise<{ matrix: StorageGroup; features: StorageGroup } | undefined> {
  const matrix = await root.get("matrix");
  const features = matrix?.node === "group" ? await matrix.get("features") : undefined;
  if (matrix?.node !== "group" || features?.node !== "group") return undefined;
  return { matrix, features };
}

/** Whether the root of a file is one of a 10x matrix. */
export async function isTenx(root: StorageGroup): Promise<boolean> {
  return await matrixGroups(root) !== undefined || (await genomesOf(root)).size > 0;
}

/** Annotated data over the root group of a 10x file. */
export async function readTenx(
  root: StorageGroup,
  options: OpenTenxH5Options,
  close: () => void,
): Promise<AnnData> {
  const { genome, featureTypes } = options;
  const groups = await matrixGroups(root);
  if (groups !== undefined) {
    const all = await readMatrix(groups.matrix, groups.features, close);
    const adata = await selectGenome(all, genome, root.file);
    return await selectFeatures(adata, {
      ...featureTypes !== undefined && { featureTypes },
      place: groups.features,
    });
  }
  const genomes = await genomesOf(root);
  if (genomes.size === 0) {
    throw new FormatError(
      "missing-key",
      "Cannot open a 10x matrix as there must be the group matrix with features, or one with " +
        `${GENOME_ARRAYS.join(", ")} for each genome: got ${root.keys().join(", ") || "nothing"}`,
      root,
    );
  }
  checkGenome([...genomes.keys()], genome, root.file);
  const chosen = genome === undefined ? [...genomes.values()][0]! : genomes.get(genome)!;
  return await readGenome(chosen, close);
}

/**
 * Opens a feature-barcode matrix that Cell Ranger wrote as HDF5, of version 2 or 3; reads the names of cells and genes, and the rest
 * when it is asked for. Genes x cells by column, as stored, are cells x genes by row.
 *
 * @param source A path (on a server), a Blob or File, bytes, or an http(s) address, as for `openH5ad`.
 * @param options Genome, feature types, an abort signal. As in `scanpy.read_10x_h5`, features other than "Gene Expression" are left
 *   out unless `featureTypes` names them.
 * @returns The annotated data; `var` has `gene_ids`, `feature_types`, `genome` and what else the file says of features. Close them when done.
 * @throws {FormatError} Where it is not HDF5, is cut off, or is no such matrix; `kind`, `file` and `key` tell.
 * @throws {RangeError} Where the genome is not there, or several are and none is chosen; the message lists them.
 *
 * @example Genes and antibodies
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTenxH5 } from "@scgpt/sdk/data/h5ad";
 *
 * using genes = await openTenxH5("tests/fixtures/tenx/v3.h5");
 * using all = await openTenxH5("tests/fixtures/tenx/v3.h5", { featureTypes: "all" });
 * assert.deepEqual(genes.varNames, ["CD3D", "LYZ", "LYZ"]);
 * assert.equal(all.nVars, 4);
 * ```
 */
export async function openTenxH5(
  source: string | URL | Blob | Uint8Array,
  options: OpenTenxH5Options = {},
): Promise<AnnData> {
  checkOptions("open a 10x matrix", options, ["genome", "featureTypes", "signal"]);
  options.signal?.throwIfAborted();
  const file = await openAny(source, options.signal);
  try {
    return await readTenx(file.root, options, () => file.close());
  } catch (error) {
    file.close();
    throw error;
  }
}
