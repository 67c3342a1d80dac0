/**
 * Annotated data in h5ad files: opened without being loaded, written so that Python's anndata opens them.
 *
 * @module
 */
export { openH5ad, type OpenH5adOptions } from "./open_h5ad.ts";
export { writeH5adBytes, type WriteOptions } from "./write_h5ad.ts";
export { type WriteFileOptions, writeH5ad } from "./write_h5ad_deno.ts";
