/** Lines of text files. */
import { FormatError } from "../errors.ts";
import type { TextFile } from "./text_source.ts";

/** The longest line that is read, in bytes. */
const LONGEST_LINE = 1 << 28;

const NEWLINE = 10;

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

/** Streams a file as blocks of whole lines, each with its newline, which the last of the file may lack; refuses a line that is too long. */
export async function* linesOf(
  file: TextFile,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let length = 0, at = 0;
  for await (const block of file.blocks(signal)) {
    const end = block.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const whole = block.subarray(0, end);
      yield waiting.length === 0 ? whole : joined([...waiting, whole]);
      [waiting, length] = [[], 0];
    }
    if (end < block.length) waiting.push(block.subarray(end));
    length += block.length - end;
    at += block.length;
    if (length <= LONGEST_LINE) continue;
    throw new FormatError(
      "value",
      `Cannot read the line as one must have at most ${LONGEST_LINE} bytes`,
      { file: file.name, key: `byte ${at - length} of the text` },
    );
  }
  if (length > 0) yield joined(waiting);
}

/** The fields of all lines of a small table; empty lines are left out. */
export async function readFields(file: TextFile, signal?: AbortSignal): Promise<string[][]> {
  const decoder = new TextDecoder();
  const rows: string[][] = [];
  for await (const bytes of linesOf(file, signal)) {
    for (const line of decoder.decode(bytes).split("\n")) {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text !== "") rows.push(text.split("\t"));
    }
  }
  return rows;
}
