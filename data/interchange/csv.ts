/**
 * Frames as text with separators: CSV and TSV, gzip or not, as large as may be.
 *
 * @module
 */
import { checkOptions, describeNames } from "../checks.ts";
import type { Column } from "../column.ts";
import { DataFrame } from "../dataframe.ts";
import { labelTexts } from "../frame/factorize.ts";
import type { Schema } from "../frame/schema.ts";
import { isHttp, openSource } from "../source.ts";
import { joinFields, recordsIn } from "./csv_records.ts";
import { textColumn } from "./csv_types.ts";
import { readColumns } from "./frame_parts.ts";

/** What text with separators is like. */
export interface CsvOptions {
  /** Between two fields: a comma unless told, or a tab where the source's name ends in .tsv or .txt, before .gz. */
  readonly delimiter?: string;
}

/** How text with separators is read. */
export interface ReadCsvOptions<S extends Schema = Schema> extends CsvOptions {
  /** Column that names the rows; unless told the first one where its heading is empty, as pandas writes it; null for none. */
  readonly index?: string | null;
  /** Types of columns; those of the others are found in their values. */
  readonly schema?: S;
  /** Texts that stand for no value, beside the empty one; pandas' list unless told. */
  readonly missing?: readonly string[];
  /** Stops the reading. */
  readonly signal?: AbortSignal;
}

/** How text is read piece by piece. */
export interface ReadCsvChunksOptions<S extends Schema = Schema> extends ReadCsvOptions<S> {
  /** Rows of a piece; 100,000 unless told. */
  readonly rows?: number;
}

const READ_OPTIONS = ["delimiter", "index", "schema", "missing", "signal"];

/** Bytes read at a time. */
const STEP = 1 << 22;

/** What text can be read from. */
export type CsvSource = string | URL | Blob | Uint8Array | ReadableStream<Uint8Array<ArrayBuffer>>;

/** The bytes of a source in order. */
async function* bytesOf(
  source: CsvSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (source instanceof ReadableStream) return yield* source;
  if (isHttp(source)) {
    const answer = await fetch(source as string | URL, signal ? { signal } : {});
    if (!answer.ok || answer.body === null) {
      throw new Error(`Cannot read ${source} as the server answered ${answer.status}`);
    }
    return yield* answer.body;
  }
  using open = await openSource(source);
  for (let at = 0; at < open.size; at += STEP) {
    signal?.throwIfAborted();
    yield await open.read(at, Math.min(STEP, open.size - at));
  }
}

/** The text of a source, unpacked where it begins as gzip does. */
async function* textOf(
  source: CsvSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const bytes = bytesOf(source, signal);
  const first = await bytes.next();
  if (first.done) return;
  const packed = first.value[0] === 0x1f && first.value[1] === 0x8b;
  async function* all(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield first.value as Uint8Array<ArrayBuffer>;
    yield* bytes;
  }
  const stream = ReadableStream.from(all());
  const plain = packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
  yield* plain.pipeThrough(new TextDecoderStream());
}

/** The separator that a source's name asks for. */
function delimiterOf(source: CsvSource, options: CsvOptions): string {
  const name = source instanceof File ? source.name : String(source);
  const tabs = /\.(tsv|txt)(\.gz)?$/i.test(name);
  return options.delimiter ?? (tabs ? "\t" : ",");
}

/** What the heading says. */
interface Heading {
  readonly names: readonly string[];
  /** Place of the column that names the rows; -1 where none does. */
  readonly index: number;
}

function headingOf(names: readonly string[], options: ReadCsvOptions): Heading {
  const { index, schema = {} } = options;
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  const unknown = [...Object.keys(schema), ...typeof index === "string" ? [index] : []]
    .find((name) => !names.includes(name));
  if (twice !== undefined || unknown !== undefined) {
    throw new RangeError(
      unknown === undefined
        ? `Cannot read the text as headings must not repeat: got ${JSON.stringify(twice)} twice`
        : `Cannot read the column ${JSON.stringify(unknown)} as there is none: ${
          describeNames(unknown, names)
        }`,
    );
  }
  if (typeof index === "string") return { names, index: names.indexOf(index) };
  return { names, index: index === undefined && names[0] === "" ? 0 : -1 };
}

/** A frame of rows of fields. */
function frameOf(
  rows: readonly (readonly string[])[],
  heading: Heading,
  options: ReadCsvOptions & { readonly start: number },
): DataFrame {
  const { start, schema = {}, missing } = options;
  const columns = heading.names.flatMap((name, place): [string, Column][] => {
    if (place === heading.index) return [];
    const texts = rows.map((row) => row[place]!);
    return [[name, textColumn(texts, { name, type: schema[name], missing, start })]];
  });
  const { index } = heading;
  const indexName = heading.names[index];
  return new DataFrame({
    index: rows.map((row, k) => index < 0 ? String(start + k) : row[index]!),
    columns: Object.fromEntries(columns),
    ...indexName && { indexName },
  });
}

/** Refuses rows that are not as wide as the heading. */
function checkWidth(row: readonly string[], width: number, number: number): void {
  if (row.length === width) return;
  throw new SyntaxError(
    `Cannot read row ${number} of the text as it must have ${width} fields: got ${row.length}`,
  );
}

/**
 * Reads text with separators piece by piece, in bounded memory. Types that the schema does not state are found in each piece
 * by itself.
 *
 * @param source A path (on a server), an http(s) address, a Blob, bytes, or a stream of bytes; gzip is unpacked.
 * @param options Separator, index, types and rows of a piece.
 * @throws {SyntaxError} Where a quote is not closed or a row has more or fewer fields than the heading.
 * @throws {RangeError} Where a value does not fit its stated type, or a stated column is missing.
 */
export async function* readCsvChunks<const S extends Schema = Schema>(
  source: CsvSource,
  options: ReadCsvChunksOptions<S> = {},
): AsyncGenerator<DataFrame<S>> {
  checkOptions("read text", options, [...READ_OPTIONS, "rows"]);
  const { rows: most = 100_000, signal } = options;
  let heading: Heading | undefined;
  let rows: string[][] = [], start = 0;
  const flush = (): DataFrame<S> => {
    const frame = frameOf(rows, heading!, { ...options, start });
    [start, rows] = [start + rows.length, []];
    return frame as unknown as DataFrame<S>;
  };
  const text = textOf(source, signal);
  for await (const row of recordsIn(text, delimiterOf(source, options))) {
    if (heading === undefined) {
      heading = headingOf(row, options);
      continue;
    }
    checkWidth(row, heading.names.length, start + rows.length);
    rows.push(row);
    if (rows.length === most) yield flush();
  }
  if (heading === undefined) {
    throw new SyntaxError("Cannot read the text as it must have a heading: it is empty");
  }
  if (rows.length > 0 || start === 0) yield flush();
}

/**
 * Reads text with separators: whole numbers become int64, other numbers float64, True and False boolean, and all else text.
 * A field without a value is missing, whatever the type; "NaN" among numbers is NaN.
 *
 * @param source A path (on a server), an http(s) address, a Blob, bytes, or a stream of bytes; gzip is unpacked.
 * @param options Separator, index and types.
 * @throws {SyntaxError} Where a quote is not closed or a row has more or fewer fields than the heading.
 * @throws {RangeError} Where a value does not fit its stated type, or a stated column is missing.
 *
 * @example A table of cells
 * ```ts
 * import assert from "node:assert/strict";
 * import { readCsv } from "@scgpt/sdk/data/csv";
 *
 * const text = new Blob([",cell_type,n_genes\nc1,T,3\nc2,,\n"]);
 * const frame = await readCsv(text, { schema: { cell_type: "categorical" } });
 * assert.deepEqual(await frame.toRecords({ index: "cell" }), [
 *   { cell: "c1", cell_type: "T", n_genes: 3 },
 *   { cell: "c2", cell_type: null, n_genes: null },
 * ]);
 * ```
 */
export async function readCsv<const S extends Schema = Schema>(
  source: CsvSource,
  options: ReadCsvOptions<S> = {},
): Promise<DataFrame<S>> {
  checkOptions("read text", options, READ_OPTIONS);
  const [frame] = await Array.fromAsync(readCsvChunks(source, { ...options, rows: Infinity }));
  return frame!;
}

/** Fields of a column: empty where there is no value, True and False as Python has them. */
function fieldsOf(column: Column): string[] {
  const missing = column.kind === "categorical" ? undefined : column.mask;
  return labelTexts(column).map((text, row) =>
    missing?.[row] || column.kind === "categorical" && column.codes[row]! < 0 ? "" : text
  );
}

/**
 * A frame as text with separators, piece by piece: for `Deno.writeFile(path, stream)` or `new Response(stream)`.
 *
 * @param frame The frame; all columns are read.
 * @param options Separator.
 */
export function csvStream(
  frame: DataFrame,
  options: CsvOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  checkOptions("write text", options, ["delimiter"]);
  const { delimiter = "," } = options;
  async function* pieces(): AsyncGenerator<string> {
    const columns = await readColumns(frame);
    yield joinFields([[frame.indexName ?? "", ...columns.map(([name]) => name)]], delimiter);
    for (let start = 0; start < frame.length; start += 10_000) {
      const rows = Uint32Array.from(
        { length: Math.min(10_000, frame.length - start) },
        (_, k) => start + k,
      );
      const fields = [
        Array.from(rows, (row) => frame.index[row]!),
        ...columns.map(([, column]) => fieldsOf(column.take(rows))),
      ];
      const records = Array.from(rows, (_, k) => fields.map((column) => column[k]!));
      yield joinFields(records, delimiter);
    }
  }
  return ReadableStream.from(pieces()).pipeThrough(new TextEncoderStream());
}

/** A frame as text with separators; see {@linkcode csvStream} for large ones. */
export async function toCsv(frame: DataFrame, options: CsvOptions = {}): Promise<string> {
  return await new Response(csvStream(frame, options)).text();
}
