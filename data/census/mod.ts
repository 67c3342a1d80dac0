/**
 * The CELLxGENE Census: 160 million cells by questions, as annotated data or as batches for training. HDF5 is never loaded.
 *
 * @module
 */
export type { CensusBatch, CensusBatchOptions } from "./batches.ts";
export { Census, type CensusParts } from "./census.ts";
export { type Download, type DownloadOptions, downloadSourceH5ad } from "./download_deno.ts";
export { toDataFrame } from "./frame.ts";
export { openCensus, type OpenCensusOptions } from "./open_census.ts";
export type { AxisOptions, CensusQuery } from "./query.ts";
export {
  type CensusLocation,
  type CensusRelease,
  type DirectoryOptions,
  type Fetch,
  getCensusVersionDescription,
  getCensusVersionDirectory,
} from "./releases.ts";
export type { ShuffleOptions } from "./shuffle.ts";
