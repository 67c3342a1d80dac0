/** Lines of text files. */
import { FormatError } from "../errors.ts";
import type { TextFile } from "./text_source.ts";

/** The longest line that is read, in bytes. */
const LONGEST_LINE = 1 << 28;

const NEWLINE = 10;

/** Whole lines, each with its newline; the last line of the file may lack it. */
export interface Lines {
  /** The bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of the first line in the file, from 1. */
  readonly first: number;
}

/** Pieces as one. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** How many lines end in the bytes. */
function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** Streams a file as blocks of whole lines; throws `FormatError` "value" where a line is too long to be one. */
export async function* linesOf(file: TextFile, signal?: AbortSignal): AsyncGenerator<Lines> {
  let waiting: Uint8Array[] = [];
  let length = 0, first = 1;
  for await (const block of file.blocks(signal)) {
    const end = block.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const bytes = joined([...waiting, block.subarray(0, end)]);
      yield { bytes, first };
      first += countLines(bytes);
      [waiting, length] = [[], 0];
    }
    if (end < block.length) waiting.push(block.subarray(end));
    length += block.length - end;
    if (length <= LONGEST_LINE) continue;
    throw new FormatError(
      "value",
      `Cannot read the line as one must have at most ${LONGEST_LINE} bytes`,
      { file: file.name, key: `line ${first}` },
    );
  }
  if (length > 0) yield { bytes: joined(waiting), first };
}

/** The fields of all lines of a small table; empty lines are left out. */
export async function readFields(file: TextFile, signal?: AbortSignal): Promise<string[][]> {
  const decoder = new TextDecoder();
  const rows: string[][] = [];
  for await (const { bytes } of linesOf(file, signal)) {
    for (const line of decoder.decode(bytes).split("\n")) {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text !== "") rows.push(text.split("\t"));
    }
  }
  return rows;
}
