/** What a text file is, by its first bytes. */
import { isMatrixMarket } from "./matrix_market.ts";
import { openText, type TextSource } from "./text_source.ts";

/** Bytes that are looked at. */
const HEAD_BYTES = 4096;

/** Whether bytes are a table: printable text whose first line has several fields, and no JSON or XML. */
function isTable(head: Uint8Array): boolean {
  if (head.some((byte) => byte < 32 && ![9, 10, 13].includes(byte))) return false;
  const [line = ""] = new TextDecoder().decode(head).split("\n", 1);
  return /[,;\t]/.test(line) && !/^\s*[{[<]/.test(line);
}

/**
 * Finds out what a text file is, gzip or not.
 *
 * @param source A path (on a server), an http(s) address, a Blob or bytes.
 * @returns Its kind, undefined where it is neither a Matrix Market file nor a table, and its first bytes unpacked.
 */
export async function textKind(
  source: TextSource,
): Promise<{ kind: "matrix-market" | "table" | undefined; head: Uint8Array }> {
  using file = await openText(source);
  let head: Uint8Array = new Uint8Array(0);
  for await (const block of file.blocks()) {
    head = block.subarray(0, HEAD_BYTES);
    break;
  }
  const kind = isMatrixMarket(head) ? "matrix-market" : isTable(head) ? "table" : undefined;
  return { kind, head };
}
