/** Answers of S3's ListObjectsV2, which are XML. */
import type { StoreEntry } from "./store.ts";

/** One page of a listing. */
export interface ListingPage {
  /** Files and folders below the prefix. */
  readonly entries: readonly StoreEntry[];
  /** What asks for the next page; undefined at the last one. */
  readonly next: string | undefined;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** Text of XML with its entities replaced; others are left as they are. */
function unescape(text: string): string {
  return text.replace(/&(?:#x([\da-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = hex !== undefined ? parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** A piece of XML: text, or a tag with its sign. */
interface Piece {
  readonly kind: "text" | "start" | "end" | "empty";
  /** The text, or the name of the element. */
  readonly text: string;
}

/** Splits XML into texts and tags, each letter looked at once; comments and declarations are left out. */
function* piecesOf(xml: string): Generator<Piece> {
  const until = (mark: string, from: number): number => {
    const at = xml.indexOf(mark, from);
    if (at === -1) throw new SyntaxError("the answer is not XML, or ends too soon");
    return at;
  };
  for (let at = 0; at < xml.length;) {
    if (xml[at] !== "<") {
      const end = xml.indexOf("<", at);
      const text = xml.slice(at, end === -1 ? xml.length : end);
      yield { kind: "text", text: unescape(text) };
      at += text.length;
    } else if (xml.startsWith("<![CDATA[", at)) {
      const end = until("]]>", at);
      yield { kind: "text", text: xml.slice(at + 9, end) };
      at = end + 3;
    } else if (xml.startsWith("<!--", at)) at = until("-->", at) + 3;
    else {
      const end = until(">", at);
      const tag = xml.slice(at + 1, end);
      const name = /^[^\s/]*/.exec(tag.replace(/^\//, ""))![0];
      if (/^[^?!]/.test(tag)) {
        yield { kind: tag[0] === "/" ? "end" : tag.endsWith("/") ? "empty" : "start", text: name };
      }
      at = end + 1;
    }
  }
}

/** Calls `leaf` with the path of names and the text of each element that ends, and `close` after it. */
function walk(
  xml: string,
  leaf: (path: string, text: string) => void,
  close: (path: string) => void,
) {
  const path: string[] = [];
  let text = "";
  for (const piece of piecesOf(xml)) {
    if (piece.kind === "text") text += piece.text;
    else if (piece.kind === "end") {
      if (path.at(-1) !== piece.text) {
        throw new SyntaxError(`the answer's element ${piece.text} has no start`);
      }
      leaf(path.join("/"), text);
      close(path.join("/"));
      path.pop();
      text = "";
    } else {
      text = "";
      if (path.length === DEEPEST) throw new SyntaxError(`the answer is more than ${DEEPEST} deep`);
      if (piece.kind === "empty") leaf([...path, piece.text].join("/"), "");
      else path.push(piece.text);
    }
  }
  if (path.length > 0) throw new SyntaxError("the answer ends too soon");
}

/** Deepest nesting of elements. */
const DEEPEST = 16;

const ROOT = "ListBucketResult";

/** Decodes a key of an answer that was asked for with `encoding-type=url`. */
function decodeKey(key: string): string {
  return decodeURIComponent(key.replace(/\+/g, " "));
}

/**
 * Parses one page.
 *
 * @param xml The answer.
 * @param prefix The prefix that was asked for, which ends with a slash or is empty.
 * @throws {SyntaxError} Where the answer is not a listing.
 */
export function parseListing(xml: string, prefix: string): ListingPage {
  const entries: StoreEntry[] = [];
  let object: { key?: string; size?: number } = {};
  let [truncated, encoded] = [false, false];
  let next: string | undefined;
  let seen = false;
  const found: { key: string; kind: StoreEntry["kind"]; size: number }[] = [];
  walk(xml, (path, text) => {
    if (path === `${ROOT}/Contents/Key`) object.key = text;
    else if (path === `${ROOT}/Contents/Size`) object.size = Number(text);
    else if (path === `${ROOT}/CommonPrefixes/Prefix`) {
      found.push({ key: text, kind: "folder", size: 0 });
    } else if (path === `${ROOT}/IsTruncated`) truncated = text.trim() === "true";
    else if (path === `${ROOT}/NextContinuationToken`) next = text;
    else if (path === `${ROOT}/EncodingType`) encoded = text.trim() === "url";
  }, (path) => {
    if (path === ROOT) seen = true;
    if (path !== `${ROOT}/Contents`) return;
    const { key, size } = object;
    object = {};
    if (key === undefined || !Number.isSafeInteger(size) || size! < 0) {
      throw new SyntaxError(
        `the answer's object must have a key and a size: got ${key} and ${size}`,
      );
    }
    found.push({ key, kind: "file", size: size! });
  });
  if (!seen) throw new SyntaxError(`the answer is no ${ROOT}`);
  for (const { key, kind, size } of found) {
    const path = encoded ? decodeKey(key) : key;
    if (!path.startsWith(prefix)) {
      throw new SyntaxError(`the answer's key ${path} is not below ${prefix}`);
    }
    const name = path.slice(prefix.length).replace(/\/$/, "");
    if (name !== "" && !name.includes("/")) entries.push({ name, kind, size }); // not the folder itself
  }
  if (truncated && (next === undefined || next === "")) {
    throw new SyntaxError("the answer has no token for its next page");
  }
  return { entries, next: truncated ? next : undefined };
}
