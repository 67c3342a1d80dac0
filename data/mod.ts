/**
 * Annotated data: typed columns, matrices read by ranges of rows, views. Files are read and written by the entry points of their
 * formats, so that an importer of one never loads another: `@scgpt/sdk/data/h5ad` and `@scgpt/sdk/data/zarr`.
 *
 * @module
 */
export { AnnData, type AnnDataParts, type AxisArray, type Named, type Raw } from "./anndata.ts";
export { AwkwardArray, type AwkwardForm, type AwkwardValue } from "./awkward.ts";
export { bigInts } from "./big_ints.ts";
export {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  type ColumnKind,
  type ColumnOf,
  NumericColumn,
  StringColumn,
} from "./column.ts";
export { type ColumnValues, DataFrame, type DataFrameParts } from "./dataframe.ts";
export { FormatError, type FormatErrorKind, type FormatErrorOptions } from "./errors.ts";
export { type LazyEntry, LazyMap } from "./lazy_map.ts";
export {
  type CsrRows,
  type DenseOptions,
  isMatrix,
  type Matrix,
  type RowsOptions,
} from "./matrix.ts";
export { csrMatrix, type CsrParts, denseMatrix } from "./matrix_memory.ts";
export { type AxisMap, MuData, type MuDataAxis, type MuDataParts } from "./mudata.ts";
export type { FloatArray } from "./numbers.ts";
export { type ByteSource, openSource } from "./source.ts";
export type { NumericDtype, RawArray } from "./storage.ts";
export type { NdArray, UnsDict, UnsValue } from "./uns.ts";
export type { FeatureChoice } from "./tenx_features.ts";
export type { NotCarried } from "./write_elements.ts";
export type { WriteReport } from "./write_anndata.ts";
export { removeUnfinished, writeWhole, type WriteWholeOptions } from "./atomic_deno.ts";
