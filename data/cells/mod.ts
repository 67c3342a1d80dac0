/**
 * Cells in files of any kind, which the bytes tell; each format's code is loaded when a file of that format is opened.
 *
 * @module
 */
export { type CellsSource, openCells, type OpenCellsOptions } from "./open_cells.ts";
export { openMuData } from "./open_mudata.ts";
