/** Matrix Market files, https://math.nist.gov/MatrixMarket/formats.html: header and entries of the coordinate format. */
import { FormatError } from "../errors.ts";
import { linesOf } from "./lines.ts";
import { type NumberToken, readNumber } from "./number_token.ts";
import type { TextFile } from "./text_source.ts";

/** Bytes among which the header must end. */
const HEADER_BYTES = 1 << 20;

const NEWLINE = 10;
const COMMENT = 37;

/** What the head of a file says. */
export interface MatrixMarketHeader {
  /** Kind of the values; a pattern has none, and each entry counts as 1. */
  readonly field: "integer" | "real" | "pattern";
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** Number of entries. */
  readonly entries: number;
  /** Number of the line that says how many, from 1. */
  readonly line: number;
  /** Place of the byte after that line. */
  readonly end: number;
}

/** Entries of the matrix, in the order of the file. The arrays are used again for the next block. */
export interface Entries {
  /** How many there are. */
  count: number;
  /** Row of each, from 0. */
  readonly rows: Uint32Array;
  /** Column of each, from 0. */
  readonly columns: Uint32Array;
  /** Value of each. */
  readonly values: Float64Array;
}

/** Which entries are read and how. */
export interface EntryOptions {
  /** Refuses integers that a 32-bit float does not hold. */
  readonly fitFloat32: boolean;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** Refuses a line of a file. */
function refuse(file: TextFile, line: number, reason: string): never {
  throw new FormatError("value", reason, { file: file.name, key: `line ${line}` });
}

/** Whether bytes begin as a Matrix Market file does. */
export function isMatrixMarket(head: Uint8Array): boolean {
  return /^%%MatrixMarket\s/i.test(new TextDecoder().decode(head.subarray(0, 32)));
}

/** Kind of the values, out of the first line. */
function fieldOf(file: TextFile, banner: string): MatrixMarketHeader["field"] {
  const [mark, object, format, field, symmetry] = banner.trim().toLowerCase().split(/\s+/);
  if (mark !== "%%matrixmarket" || object !== "matrix") {
    refuse(
      file,
      1,
      `Cannot read a matrix as the file must begin with %%MatrixMarket matrix: got ${
        JSON.stringify(banner.slice(0, 80))
      }`,
    );
  }
  const supported = format === "coordinate" && symmetry === "general";
  const known = field === "double" ? "real" : field;
  if (supported && (known === "integer" || known === "real" || known === "pattern")) return known;
  return refuse(
    file,
    1,
    "Cannot read a matrix as its format must be coordinate integer|real|pattern general: " +
      `got ${format} ${field} ${symmetry}`,
  );
}

/** The three sizes, out of their line. */
function sizesOf(file: TextFile, text: string, line: number): [number, number, number] {
  const sizes = text.trim().split(/\s+/).map((word) => /^\d+$/.test(word) ? Number(word) : NaN);
  const fit = sizes.length === 3 && sizes.every((size, k) => size <= (k < 2 ? 2 ** 31 : 2 ** 53));
  if (!fit) {
    refuse(
      file,
      line,
      `Cannot read a matrix as its size must be three numbers, rows, columns and entries: got ${
        JSON.stringify(text.slice(0, 80))
      }`,
    );
  }
  return sizes as [number, number, number];
}

/** Reads the header; throws `FormatError` "value" where the file is of another kind. */
export async function readHeader(
  file: TextFile,
  signal?: AbortSignal,
): Promise<MatrixMarketHeader> {
  const decoder = new TextDecoder();
  let field: MatrixMarketHeader["field"] | undefined;
  let line = 0, read = 0;
  for await (const bytes of linesOf(file, signal)) {
    for (let start = 0; start < bytes.length && read < HEADER_BYTES;) {
      const end = lineEnd(bytes, start);
      const text = decoder.decode(bytes.subarray(start, Math.min(end, start + HEADER_BYTES)));
      line++;
      read += end + 1 - start;
      start = end + 1;
      if (line === 1) field = fieldOf(file, text);
      else if (!text.startsWith("%") && text.trim() !== "") {
        const [rows, columns, entries] = sizesOf(file, text, line);
        return { field: field!, rows, columns, entries, line, end: read };
      }
    }
    if (read >= HEADER_BYTES) break;
  }
  return refuse(file, Math.max(1, line), "Cannot read a matrix as its size is not there");
}

/** Reads entries out of blocks of lines. */
class EntryReader {
  /** Number of the line that was read last. */
  line: number;
  /** How many entries are still to come. */
  left: number;
  #entries: Entries | undefined;
  readonly #token: NumberToken = { value: 0, end: 0, whole: true };

  constructor(
    readonly file: TextFile,
    readonly header: MatrixMarketHeader,
    readonly fitFloat32: boolean,
  ) {
    this.line = header.line;
    this.left = header.entries;
  }

  /** Entries of a block of lines, which start at `at`. */
  read(bytes: Uint8Array, at: number): Entries {
    const out = this.#room(bytes.length - at);
    let count = 0;
    for (; at < bytes.length; at++) {
      this.line++;
      at = skipBlanks(bytes, at);
      if (bytes[at] === COMMENT) at = lineEnd(bytes, at);
      else if (at < bytes.length && bytes[at] !== NEWLINE) {
        at = this.#entry(out, bytes, at, count++);
      }
    }
    out.count = count;
    return out;
  }

  /** Reads one entry and returns where its line ends; called millions of times, so it takes no object. */
  #entry(out: Entries, bytes: Uint8Array, at: number, count: number): number {
    const { rows, columns, entries, field, line } = this.header;
    if (this.left-- === 0) {
      const promise = `line ${line} promises ${entries} entries`;
      refuse(this.file, this.line, `Cannot read the matrix as ${promise}: there are more`);
    }
    const token = this.#token;
    out.rows[count] = this.#index(bytes, at, { most: rows, what: "row" }) - 1;
    out.columns[count] = this.#index(bytes, token.end, { most: columns, what: "column" }) - 1;
    out.values[count] = field === "pattern" ? 1 : this.#value(bytes, token.end);
    const end = skipBlanks(bytes, token.end);
    if (end < bytes.length && bytes[end] !== NEWLINE) {
      this.#refuse(bytes, end, `its line must end after ${field === "pattern" ? 2 : 3} numbers`);
    }
    return end;
  }

  /** An index from 1. */
  #index(bytes: Uint8Array, at: number, axis: { most: number; what: string }): number {
    const start = skipBlanks(bytes, at);
    const token = this.#token;
    readNumber(bytes, start, token);
    if (!(token.whole && token.value >= 1 && token.value <= axis.most)) {
      this.#refuse(bytes, start, `its ${axis.what} must be in 1 .. ${axis.most}`);
    }
    return token.value;
  }

  /** A value, which must be finite. */
  #value(bytes: Uint8Array, at: number): number {
    const start = skipBlanks(bytes, at);
    const token = this.#token;
    readNumber(bytes, start, token);
    const { value } = token;
    if (this.header.field === "real") {
      if (!Number.isFinite(value)) {
        this.#refuse(bytes, start, "its value must be a finite number");
      }
    } else if (!token.whole || !Number.isSafeInteger(value)) {
      this.#refuse(bytes, start, "its value must be an integer within 2^53");
    } else if (this.fitFloat32 && Math.fround(value) !== value) {
      const advice = 'give dtype: "float64"';
      this.#refuse(bytes, start, `its value must be one that float32 holds (${advice})`);
    }
    return value;
  }

  #refuse(bytes: Uint8Array, at: number, rule: string): never {
    const text = new TextDecoder().decode(bytes.subarray(at, lineEnd(bytes, at)));
    const found = text.trim().split(/\s+/, 1)[0] || "nothing";
    refuse(this.file, this.line, `Cannot read an entry as ${rule}: got ${found.slice(0, 40)}`);
  }

  /** Arrays for the entries of so many bytes; a line has four bytes at least. */
  #room(length: number): Entries {
    const most = Math.ceil((length + 1) / 4);
    if (this.#entries === undefined || this.#entries.rows.length < most) {
      this.#entries = {
        count: 0,
        rows: new Uint32Array(most),
        columns: new Uint32Array(most),
        values: new Float64Array(most),
      };
    }
    return this.#entries;
  }
}

/** The next place that is neither a blank nor a carriage return. */
function skipBlanks(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && (bytes[at] === 32 || bytes[at] === 9 || bytes[at] === 13)) at++;
  return at;
}

/** Where the line ends that `at` is in. */
function lineEnd(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(NEWLINE, at);
  return end === -1 ? bytes.length : end;
}

/**
 * Streams the entries of a file; throws `FormatError` "value" naming the line of one that breaks a rule, or where their number is
 * not the header's.
 */
export async function* entriesOf(
  file: TextFile,
  header: MatrixMarketHeader,
  options: EntryOptions,
): AsyncGenerator<Entries> {
  const reader = new EntryReader(file, header, options.fitFloat32);
  let before = header.end;
  for await (const bytes of linesOf(file, options.signal)) {
    if (before < bytes.length) yield reader.read(bytes, before);
    before = Math.max(0, before - bytes.length);
  }
  if (reader.left === 0) return;
  const { line, entries } = header;
  refuse(
    file,
    reader.line,
    `Cannot read the matrix as line ${line} promises ${entries} entries: got ${
      entries - reader.left
    }`,
  );
}
