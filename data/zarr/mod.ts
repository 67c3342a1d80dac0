/**
 * Annotated data in zarr stores of versions 2 and 3: folders, ZIP files, http(s), the browser's file system, memory.
 *
 * @module
 */
export { openMuZarr, openZarrCells } from "./open_mudata.ts";
export { openZarr, type OpenZarrOptions, type ZarrSource } from "./open_zarr.ts";
export type { ByteRange, ZarrStore } from "./store.ts";
export { zipStore } from "./store_zip.ts";
export { writeZarr, type WriteZarrOptions } from "./write_zarr.ts";
export type { ZarrCompression } from "./encoders.ts";
export type { ZarrFormat } from "./hierarchy.ts";
export type { ZarrSink } from "./sink.ts";
