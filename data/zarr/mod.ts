/**
 * Annotated data in zarr stores of versions 2 and 3: folders, ZIP files, http(s), the browser's file system, memory.
 *
 * @module
 */
export { openZarr, type OpenZarrOptions, type ZarrSource } from "./open_zarr.ts";
export type { ByteRange, ZarrStore } from "./store.ts";
