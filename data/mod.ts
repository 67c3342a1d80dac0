/**
 * Annotated data: typed frames, matrices read by ranges of rows, views. Files are read and written by the entry points of their
 * formats, so that an importer of one never loads another: `@scgpt/sdk/data/h5ad` and `@scgpt/sdk/data/zarr`.
 *
 * @module
 */
export {
  AnnData,
  type AnnDataParts,
  type AxisArray,
  type Named,
  type Raw,
  type Selection,
} from "./anndata.ts";
export { AnnDataQuery } from "./anndata_query.ts";
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
export { concat, type ConcatOptions } from "./concat.ts";
export type { MergeStrategy } from "./concat_merge.ts";
export { DataFrame } from "./dataframe.ts";
export { FormatError, type FormatErrorKind, type FormatErrorOptions } from "./errors.ts";
export {
  type ColumnRef,
  columnsIn,
  type FilterComparison,
  type FilterConstant,
  type FilterLiteral,
  type FilterNode,
} from "./filter/ast.ts";
export { type FilteredTable, matchRows } from "./filter/evaluate.ts";
export { type ParsedFilter, parseFilter } from "./filter/parse.ts";
export { type Filter, obs, vars, where } from "./filter/template.ts";
export type { AggregatedType, AggregateName, Aggregation } from "./frame/aggregate.ts";
export { type ConsoleFormatter, consoleFormatter } from "./frame/devtools.ts";
export { GroupBy, type GroupByOptions, type GroupedSchema } from "./frame/group_by.ts";
export type { JoinHow } from "./frame/join.ts";
export type { JoinOptions, StackOptions } from "./frame/join_columns.ts";
export { FrameQuery } from "./frame/query.ts";
export type {
  ColumnFor,
  ColumnType,
  Extended,
  NameOf,
  RecordOf,
  Schema,
  Stated,
  ValueFor,
} from "./frame/schema.ts";
export type { DataFrameParts } from "./frame/shown.ts";
export type { SortOptions } from "./frame/sort.ts";
export type { CountedSchema, CrosstabOptions, ValueCountsOptions } from "./frame/tables.ts";
export type { RowNumbers } from "./frame/take.ts";
export type { ColumnValues, TypeOfValues } from "./frame/values.ts";
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
export type { Selector, Slice } from "./selectors.ts";
export { type ByteSource, openSource } from "./source.ts";
export type { NumericDtype, RawArray } from "./storage.ts";
export type { NdArray, UnsDict, UnsValue } from "./uns.ts";
export type { FeatureChoice } from "./tenx_features.ts";
export type { NotCarried } from "./write_elements.ts";
export type { WriteReport } from "./write_anndata.ts";
export { removeUnfinished, writeWhole, type WriteWholeOptions } from "./atomic_deno.ts";
