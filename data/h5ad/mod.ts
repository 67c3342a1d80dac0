/**
 * Annotated data in HDF5 files, opened without being loaded: h5ad and h5mu, which are also written so that Python's anndata and mudata
 * open them, and the matrices of Cell Ranger.
 *
 * @module
 */
export { openH5ad, type OpenH5adOptions } from "./open_h5ad.ts";
export { openH5mu } from "./open_h5mu.ts";
export { openHdf5Cells, type OpenHdf5CellsOptions } from "./open_hdf5_cells.ts";
export { openTenxH5, type OpenTenxH5Options } from "./open_tenx.ts";
export { writeH5adBytes, type WriteOptions } from "./write_h5ad.ts";
export { type WriteFileOptions, writeH5ad } from "./write_h5ad_deno.ts";
export { writeH5mu } from "./write_h5mu_deno.ts";
