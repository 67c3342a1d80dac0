/**
 * TileDB-SOMA stores, as the CELLxGENE Census is one: data frames, sparse and dense arrays, read by coordinates and
 * values, from folders, http(s) and S3. HDF5 is never loaded.
 *
 * @module
 */
export type { RawArray } from "../storage.ts";
export { FormatError, type FormatErrorKind, type FormatErrorOptions } from "../errors.ts";
export { directoryCache } from "./cache_deno.ts";
export { type ByteCache, cachedStore, pageCache } from "./cached_store.ts";
export type { Enumeration } from "./enumeration.ts";
export { httpStore, type HttpStoreOptions } from "./http_store.ts";
export type { MetadataValue } from "./metadata.ts";
export { openSoma, type OpenSomaOptions } from "./open_soma.ts";
export type { SomaReadOptions } from "./read_table.ts";
export type { Coordinate, Coordinates } from "./selection.ts";
export {
  SomaCollection,
  SomaExperiment,
  SomaMeasurement,
  type SomaObject,
  type SomaType,
  type SomaTypes,
} from "./soma_collection.ts";
export { SomaDataFrame } from "./soma_dataframe.ts";
export {
  type SomaDenseBox,
  SomaDenseNDArray,
  type SomaDenseReadOptions,
} from "./soma_dense_ndarray.ts";
export type { SomaArrayInfo, SomaDomain, SomaField } from "./soma_schema.ts";
export { SomaSparseNDArray, type SomaSparseReadOptions } from "./soma_sparse_ndarray.ts";
export {
  type Int64Form,
  type SomaBooleanColumn,
  type SomaBytesColumn,
  type SomaCategoricalColumn,
  type SomaColumn,
  type SomaColumnOf,
  type SomaNumericColumn,
  type SomaStringColumn,
  SomaTable,
} from "./soma_table.ts";
export { type FileRange, memoryStore, type Store, type StoreEntry } from "./store.ts";
export { directoryStore } from "./store_deno.ts";
export {
  checkValueFilter,
  type FilterColumn,
  type FilterColumnType,
  filterRows,
} from "./value_filter.ts";
export {
  type ColumnCondition,
  type FilterCondition,
  type FilterOperator,
  type FilterValue,
  parseValueFilter,
  type ValueFilter,
} from "./value_filter_parse.ts";
export { ValueFilterError } from "./value_filter_tokens.ts";
