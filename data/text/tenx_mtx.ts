/** Cell Ranger's feature-barcode matrices as triples of text files. */
import { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { StringColumn } from "../column.ts";
import { DataFrame } from "../dataframe.ts";
import { FormatError } from "../errors.ts";
import { type FeatureChoice, selectFeatures } from "../tenx_features.ts";
import { uniqueNames } from "../unique_names.ts";
import { CoordinateFile } from "./coordinate_matrix.ts";
import { readFields } from "./lines.ts";
import { readHeader } from "./matrix_market.ts";
import { openText, type TextFile, type TextSource } from "./text_source.ts";
import { type NamedFile, type TenxFiles, tenxFiles } from "./tenx_files.ts";

/** Bytes that the values of a matrix may take unless told. */
const MEMORY = 2 ** 30;

/** How a triple of files is read. */
export interface TenxMtxOptions extends FeatureChoice {
  /** What stands before `matrix.mtx` in the names of the files, where a folder holds several triples. */
  readonly prefix?: string;
  /** What genes are called: "gene_symbols" unless told. The other is a column of `var`. */
  readonly varNames?: "gene_symbols" | "gene_ids";
  /** Whether symbols that repeat get `-1`, `-2`, ... at their ends; they do unless told. */
  readonly makeUnique?: boolean;
  /** Element type of X: "float32", which refuses integers that it does not hold, unless told. */
  readonly dtype?: "float32" | "float64";
  /** Bytes that the values may take once they are read; 1 GiB unless told. A larger matrix is read again for each range of cells. */
  readonly memory?: number;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

const OPTIONS = [
  "prefix",
  "varNames",
  "makeUnique",
  "dtype",
  "memory",
  "featureTypes",
  "signal",
];

/** Refuses options that are not known or do not fit. */
function checkTenxOptions(options: TenxMtxOptions): void {
  checkOptions("open a 10x matrix", options, OPTIONS);
  const { varNames = "gene_symbols", dtype = "float32", memory = MEMORY } = options;
  const refuse = (rule: string, value: unknown): never => {
    throw new RangeError(`Cannot open a 10x matrix as ${rule}: got ${value}`);
  };
  if (!["gene_symbols", "gene_ids"].includes(varNames)) {
    refuse("varNames must be gene_symbols or gene_ids", varNames);
  }
  if (!["float32", "float64"].includes(dtype)) refuse("dtype must be float32 or float64", dtype);
  if (!(memory > 0)) refuse("memory must be a number of bytes > 0", memory);
}

/** Names of the cells: the first field of each line. */
async function readBarcodes(file: TextFile, signal: AbortSignal | undefined): Promise<DataFrame> {
  return new DataFrame({ index: (await readFields(file, signal)).map(([name]) => name!) });
}

/** The genes: ids, symbols, and from version 3 of Cell Ranger on feature types. */
async function readFeatures(file: TextFile, options: TenxMtxOptions): Promise<DataFrame> {
  const { varNames = "gene_symbols", makeUnique = true, signal } = options;
  const rows = await readFields(file, signal);
  const width = rows[0]?.length ?? 0;
  const short = rows.findIndex((row) => row.length < Math.min(width, 3));
  if (short !== -1) {
    throw new FormatError(
      "value",
      `Cannot read a feature as its line must have ${Math.min(width, 3)} fields: got ${
        rows[short]!.length
      }`,
      { file: file.name, key: `line ${short + 1}` },
    );
  }
  const ids = rows.map(([id]) => id!);
  const symbols = rows.map(([id, symbol]) => symbol ?? id!);
  const bySymbol = varNames === "gene_symbols";
  const names = bySymbol && makeUnique ? uniqueNames(symbols) : bySymbol ? symbols : ids;
  return new DataFrame({
    index: names,
    columns: {
      [bySymbol ? "gene_ids" : "gene_symbols"]: new StringColumn(bySymbol ? ids : symbols),
      ...width >= 3 && { feature_types: new StringColumn(rows.map((row) => row[2]!)) },
    },
  });
}

/** Refuses names that are not as many as the matrix says. */
function checkCount(file: TextFile, found: number, axis: { length: number; what: string }): void {
  if (found === axis.length) return;
  throw new FormatError(
    "value",
    `Cannot open the matrix as its ${axis.length} ${axis.what} must have as many names: got ${found}`,
    { file: file.name, key: "/" },
  );
}

/** Opens the three files, and closes them all when one fails. */
async function openThree(files: TenxFiles): Promise<[TextFile, TextFile, TextFile]> {
  const opened: TextFile[] = [];
  try {
    for (const from of [files.matrix, files.features, files.barcodes]) {
      opened.push(await openText(from));
    }
    return opened as [TextFile, TextFile, TextFile];
  } catch (error) {
    for (const file of opened) file[Symbol.dispose]();
    throw error;
  }
}

/** Annotated data over three open files. */
async function readThree(
  [matrix, features, barcodes]: [TextFile, TextFile, TextFile],
  options: TenxMtxOptions,
  close: () => void,
): Promise<AnnData> {
  const { dtype = "float32", memory = MEMORY, featureTypes, signal } = options;
  const header = await readHeader(matrix, signal);
  const vars = await readFeatures(features, options);
  const obs = await readBarcodes(barcodes, signal);
  checkCount(features, vars.length, { length: header.rows, what: "rows" });
  checkCount(barcodes, obs.length, { length: header.columns, what: "columns" });
  const X = new CoordinateFile(matrix, header, { dtype, memory }).matrix();
  const adata = AnnData.fromParts({ X, obs, var: vars }, { close });
  return await selectFeatures(adata, {
    ...featureTypes !== undefined && { featureTypes },
    place: { file: features.name, key: "/" },
  });
}

/**
 * Opens a feature-barcode matrix of Cell Ranger that is three text files, gzip or not: `matrix.mtx`, `barcodes.tsv`, and `features.tsv`
 * or, before version 3, `genes.tsv`. Genes x cells in the file become cells x genes. Names are read at once; values when they are first
 * asked for, in bounded memory, and every entry is checked.
 *
 * @param source A folder by path (on a server), the files of one that a page was given, or the three files.
 * @param options Prefix, names, feature types, element type, memory, an abort signal. As in `scanpy.read_10x_mtx`, features other than
 *   "Gene Expression" are left out unless `featureTypes` names them.
 * @returns The annotated data; `var` has `gene_ids` and `feature_types`. Close them when done.
 * @throws {RangeError} Where a file is not there, or several triples are and no `prefix` chooses.
 * @throws {FormatError} Where a file breaks its format; `file` and `key` name the line.
 *
 * @example Two cells of three genes
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTenxMtx } from "@scgpt/sdk/data/text";
 *
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * using adata = await openTenxMtx({
 *   matrix: bytes("%%MatrixMarket matrix coordinate integer general\n3 2 2\n1 1 5\n3 2 7\n"),
 *   features: bytes("E1\tCD3D\nE2\tLYZ\nE3\tNKG7\n"),
 *   barcodes: bytes("AAAC-1\nAAAG-1\n"),
 * });
 * assert.deepEqual([...await adata.X!.dense()], [5, 0, 0, 0, 0, 7]);
 * ```
 */
export async function openTenxMtx(
  source: string | URL | readonly NamedFile[] | TenxFiles,
  options: TenxMtxOptions = {},
): Promise<AnnData> {
  checkTenxOptions(options);
  options.signal?.throwIfAborted();
  const files = await openThree(await tenxFiles(source, options.prefix));
  const close = () => files.forEach((file) => file[Symbol.dispose]());
  try {
    return await readThree(files, options, close);
  } catch (error) {
    close();
    throw error;
  }
}

export type { NamedFile, TenxFiles, TextSource };
