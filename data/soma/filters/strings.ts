/** Texts of any length that a filter packs together with their bounds. */
import { ByteReader } from "../bytes.ts";

/** Where the starts of texts go, one a cell. */
export interface Strings {
  /** Start of each text in the tile. */
  readonly starts: Float64Array;
  /** Number of texts that were written. */
  count: number;
  /** Bytes of the tile before this chunk. */
  base: number;
}

/** How texts are unpacked. */
interface StringOptions {
  readonly strings: Strings;
  /** Most bytes that may come out. */
  readonly limit: number;
}

/** Writes texts and their starts. */
class TextWriter {
  readonly #out: Uint8Array;
  readonly #notes: ByteReader;
  readonly #strings: Strings;
  #at = 0;

  constructor(length: number, notes: ByteReader, { strings, limit }: StringOptions) {
    if (length > limit) throw notes.error(`texts may have ${limit} bytes: got ${length}`);
    this.#out = new Uint8Array(length);
    this.#notes = notes;
    this.#strings = strings;
  }

  /** Adds a text. */
  add(text: Uint8Array): void {
    const { starts, base } = this.#strings;
    if (this.#at + text.length > this.#out.length || this.#strings.count === starts.length) {
      throw this.#notes.error("there are more texts than the tile says");
    }
    starts[this.#strings.count++] = base + this.#at;
    this.#out.set(text, this.#at);
    this.#at += text.length;
  }

  /** All of them. */
  done(): Uint8Array {
    if (this.#at === this.#out.length) return this.#out;
    throw this.#notes.error("there are fewer texts than the tile says");
  }
}

/** Big-endian integer of 1 to 8 bytes. */
function bigEndian(reader: ByteReader, width: number): number {
  let value = 0;
  for (const byte of reader.bytes(width)) value = value * 256 + byte;
  return value;
}

/** What both packings note first: bytes that come out, and where the texts go. */
function startTexts(notes: ByteReader, options: StringOptions): TextWriter {
  const parts = [notes.u32(), notes.u32()];
  if (parts[0] !== 0 || parts[1] !== 1) throw notes.error(`texts must be one part: got ${parts}`);
  const length = notes.u32();
  notes.u32(); // bytes that went in, of which writers only know a bound
  notes.u32(); // bytes of the bounds
  return new TextWriter(length, notes, options);
}

/** Bytes of the two kinds of integers that follow. */
function readWidths(notes: ByteReader): [number, number] {
  const widths: [number, number] = [notes.u8(), notes.u8()];
  if (widths.every((width) => width >= 1 && width <= 8)) return widths;
  throw notes.error(`integers must have 1 to 8 bytes: got ${widths}`);
}

/** Unpacks a dictionary of texts and the places of the cells in it. */
export function dictionaryStrings(
  data: Uint8Array,
  notes: ByteReader,
  options: StringOptions,
): Uint8Array {
  const writer = startTexts(notes, options);
  const [idWidth, lengthWidth] = readWidths(notes);
  const end = notes.u32() + notes.at;
  const dictionary: Uint8Array[] = [];
  while (notes.at < end) dictionary.push(notes.bytes(bigEndian(notes, lengthWidth)));
  for (let at = 0; at + idWidth <= data.length; at += idWidth) {
    let id = 0;
    for (let k = 0; k < idWidth; k++) id = id * 256 + data[at + k]!;
    const text = dictionary[id];
    if (text === undefined) {
      throw notes.error(`the dictionary has ${dictionary.length} texts: got place ${id}`);
    }
    writer.add(text);
  }
  return writer.done();
}

/** Unpacks runs of texts: count, length, text. */
export function runLengthStrings(
  data: Uint8Array,
  notes: ByteReader,
  options: StringOptions,
): Uint8Array {
  const writer = startTexts(notes, options);
  const [runWidth, lengthWidth] = readWidths(notes);
  const runs = new ByteReader(data, notes.place, { what: "runs of texts" });
  while (runs.left > 0) {
    const count = bigEndian(runs, runWidth);
    const text = runs.bytes(bigEndian(runs, lengthWidth));
    for (let i = 0; i < count; i++) writer.add(text);
  }
  return writer.done();
}
