/**
 * Annotated data: h5ad files in, typed columns and sparse rows out, h5ad files out again.
 *
 * @module
 */
export { AnnData, type AnnDataParts, type AxisArray, type Named, type Raw } from "./anndata.ts";
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
export { openH5ad } from "./h5ad.ts";
export { type LazyEntry, LazyMap } from "./lazy_map.ts";
export {
  type CsrRows,
  type DenseOptions,
  isMatrix,
  type Matrix,
  type RowsOptions,
} from "./matrix.ts";
export { csrMatrix, type CsrParts, denseMatrix } from "./matrix_memory.ts";
export type { FloatArray } from "./numbers.ts";
export { type ByteSource, openSource } from "./source.ts";
export type { NumericDtype, RawArray } from "./storage.ts";
export type { NdArray, UnsDict, UnsValue } from "./uns.ts";
export type { NotCarried } from "./write_elements.ts";
export { writeH5adBytes, type WriteOptions, type WriteReport } from "./write_h5ad.ts";
export { type WriteFileOptions, writeH5ad } from "./write_h5ad_deno.ts";
export { removeUnfinished, writeWhole, type WriteWholeOptions } from "./atomic_deno.ts";
