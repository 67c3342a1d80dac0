/** Tables of numbers in CSV and TSV files. */
import { AnnData } from "../anndata.ts";
import { checkOptions } from "../checks.ts";
import { DataFrame } from "../dataframe.ts";
import { FormatError } from "../errors.ts";
import { linesOf } from "./lines.ts";
import { SparseRows } from "./sparse_rows.ts";
import { type Delimiter, DELIMITERS, guessDelimiter, TableLine } from "./table_line.ts";
import { openText, type TextFile, type TextSource } from "./text_source.ts";

/** How a table is read. */
export interface DelimitedOptions {
  /** What stands between fields: "," or ";" or a tab or a blank; found in the first line unless told. */
  readonly delimiter?: Delimiter;
  /** Column of the names of the lines; the first unless told. False where there is none: they are then called "0", "1", ... */
  readonly obsNames?: string | false;
  /** Whether the file holds genes x cells: its lines are then genes, and its columns cells. */
  readonly transpose?: boolean;
  /** Element type of X: "float32" unless told. */
  readonly dtype?: "float32" | "float64";
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** Refuses options that are not known or do not fit. */
function checkDelimited(options: DelimitedOptions): void {
  const known = ["delimiter", "obsNames", "transpose", "dtype", "signal"];
  checkOptions("open a table", options, known);
  const { delimiter = ",", dtype = "float32" } = options;
  if (!DELIMITERS.includes(delimiter)) {
    const shown = DELIMITERS.map((one) => JSON.stringify(one)).join(" ");
    throw new RangeError(
      `Cannot open a table as delimiter must be one of ${shown}: got ${JSON.stringify(delimiter)}`,
    );
  }
  if (!["float32", "float64"].includes(dtype)) {
    throw new RangeError(`Cannot open a table as dtype must be float32 or float64: got ${dtype}`);
  }
}

/** A table being read line by line. */
class TableReader {
  readonly names: string[] = [];
  readonly values: SparseRows;
  #header: readonly string[] | undefined;
  #columns: readonly string[] | undefined;
  /** Place of the field that names a line; -1 where there is none. */
  #nameAt = 0;
  #line: TableLine | undefined;

  constructor(readonly file: TextFile, readonly options: DelimitedOptions) {
    this.values = new SparseRows(options.dtype ?? "float32");
  }

  /** Names of the columns of numbers. */
  get columns(): readonly string[] {
    if (this.#columns === undefined) this.#place(this.#header?.length ?? 0);
    return this.#columns!;
  }

  /** Reads a line that ends at `end`. */
  read(bytes: Uint8Array, at: { start: number; end: number; line: number }): void {
    if (this.#header === undefined) {
      const text = new TextDecoder().decode(bytes.subarray(at.start, at.end));
      this.#line = new TableLine(this.options.delimiter ?? guessDelimiter(text), this.file.name);
      this.#header = this.#readHeader(bytes, at);
      return;
    }
    const line = this.#line!;
    line.start(bytes, at);
    if (this.#columns === undefined) this.#place(line.countFields());
    const nameAt = this.#nameAt;
    const width = this.#columns!.length + (nameAt < 0 ? 0 : 1);
    let column = 0;
    for (let field = 0; field < width; field++) {
      if (field === nameAt) this.names.push(line.text());
      else this.values.add(column++, this.#number(line));
    }
    line.finish(width);
    if (nameAt < 0) this.names.push(String(this.values.rows));
    this.values.endRow();
  }

  #number(line: TableLine): number {
    const { value, whole } = line.number();
    if (whole && this.options.dtype !== "float64" && Math.fround(value) !== value) {
      line.refuse('its value must be one that float32 holds (give dtype: "float64")', `${value}`);
    }
    return value;
  }

  #readHeader(
    bytes: Uint8Array,
    at: { start: number; end: number; line: number },
  ): readonly string[] {
    const line = this.#line!;
    line.start(bytes, at);
    const names = Array.from({ length: line.countFields() }, () => line.text());
    const numbers = names.filter((name) => name.trim() !== "" && Number.isFinite(Number(name)));
    if (names.length > 1 && numbers.length === names.length) {
      line.refuse("the first line must hold the names of the columns", numbers[0]!);
    }
    return names;
  }

  /** Decides which field names a line, out of the number of fields of the first one after the header. */
  #place(fields: number): void {
    const header = this.#header ?? [];
    const { obsNames } = this.options;
    const corner = fields !== header.length + 1;
    if (typeof obsNames === "string") {
      this.#nameAt = header.indexOf(obsNames);
      if (this.#nameAt < 0) {
        const shown = header.slice(0, 20).join(", ");
        throw new RangeError(
          `Cannot open ${this.file.name} as it has no column ${
            JSON.stringify(obsNames)
          } for obsNames: the columns are ${shown}${header.length > 20 ? ", ..." : ""}`,
        );
      }
    } else this.#nameAt = obsNames === false ? -1 : 0;
    // R writes no name above the names of the lines.
    this.#columns = obsNames === undefined && !corner
      ? header
      : header.filter((_, k) => k !== this.#nameAt);
  }
}

/** Reads a whole file. */
async function readTable(file: TextFile, options: DelimitedOptions): Promise<TableReader> {
  const reader = new TableReader(file, options);
  let line = 1;
  for await (const bytes of linesOf(file, options.signal)) {
    for (let start = line === 1 ? byteOrderMark(bytes) : 0; start < bytes.length; line++) {
      const next = bytes.indexOf(10, start);
      const stop = next === -1 ? bytes.length : next;
      const end = stop > start && bytes[stop - 1] === 13 ? stop - 1 : stop;
      if (end > start) reader.read(bytes, { start, end, line });
      start = stop + 1;
    }
  }
  if (reader.columns.length > 0 && reader.names.length > 0) return reader;
  throw new FormatError(
    "value",
    `Cannot open the table as it must have a line of names, and lines and columns of numbers: got ${reader.names.length} lines and ${reader.columns.length} columns`,
    { file: file.name, key: "/" },
  );
}

/** Bytes of the mark that some programs put at the start of a text. */
function byteOrderMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/**
 * Opens a table of numbers, gzip or not: the first line names the columns, one column names the lines, all else are numbers. The file is
 * streamed; its values are kept as a sparse matrix, or as a dense one where more than half of them are not zero.
 *
 * @param source A path (on a server), an http(s) address, a Blob or bytes.
 * @param options Delimiter, the column of names, orientation, element type, an abort signal.
 * @returns The annotated data: cells x genes, with no columns in `obs` and `var`.
 * @throws {FormatError} Where a field is no finite number or a line has another number of fields; `key` names line and column.
 * @throws {RangeError} Where `obsNames` names no column.
 *
 * @example Two cells, two genes
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDelimited } from "@scgpt/sdk/data/text";
 *
 * const table = new TextEncoder().encode("gene,cell1,cell2\nCD3D,0,2\nLYZ,1.5,0\n");
 * const adata = await openDelimited(table, { transpose: true });
 * assert.deepEqual(adata.varNames, ["CD3D", "LYZ"]);
 * assert.deepEqual([...await adata.X!.dense()], [0, 1.5, 2, 0]);
 * ```
 */
export async function openDelimited(
  source: TextSource,
  options: DelimitedOptions = {},
): Promise<AnnData> {
  checkDelimited(options);
  options.signal?.throwIfAborted();
  using file = await openText(source);
  const { names, columns, values } = await readTable(file, options);
  const { transpose = false } = options;
  const X = values.matrix(columns.length, { transpose });
  const [obs, vars] = transpose ? [columns, names] : [names, columns];
  return AnnData.fromParts({
    X,
    obs: new DataFrame({ index: obs }),
    var: new DataFrame({ index: vars }),
  });
}
