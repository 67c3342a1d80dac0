/**
 * Annotated data out of text files, gzip or not: the matrix triples of Cell Ranger, CSV and TSV tables.
 *
 * @module
 */
export { type DelimitedOptions, openDelimited } from "./delimited.ts";
export type { Delimiter } from "./table_line.ts";
export { type NamedFile, prefixOf, type TenxFiles } from "./tenx_files.ts";
export { openTenxMtx, type TenxMtxOptions } from "./tenx_mtx.ts";
export { textKind } from "./text_kind.ts";
export type { TextSource } from "./text_source.ts";
