/** Codecs of texts: those of version 2, which numcodecs has, and version 3's. */
import type { Json } from "./hierarchy.ts";

/** Makes the texts of a chunk of its bytes. */
type DecodeTexts = (bytes: Uint8Array) => string[];

/** Places of texts, each after its length, in a chunk; one that goes beyond it is refused. */
function placesOf(bytes: Uint8Array): { starts: Uint32Array; ends: Uint32Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  if (count * 4 > bytes.length) {
    throw new RangeError(`${count} texts do not fit ${bytes.length} bytes`);
  }
  const [starts, ends] = [new Uint32Array(count), new Uint32Array(count)];
  for (let k = 0, at = 4; k < count; k++) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) throw new RangeError(`text ${k} goes beyond the chunk`);
    starts[k] = at + 4;
    ends[k] = end;
    at = end;
  }
  return { starts, ends };
}

/** Texts, each after its length: numcodecs' vlen-utf8 and vlen-bytes. */
function decodeTexts(bytes: Uint8Array): string[] {
  const { starts, ends } = placesOf(bytes);
  const joined = new Uint8Array(bytes.length);
  let [length, all] = [0, 0];
  for (let k = 0; k < starts.length; k++) {
    for (let at = starts[k]!; at < ends[k]!; at++) all |= joined[length++] = bytes[at]!;
  }
  const decoder = new TextDecoder();
  if (all > 127) {
    return Array.from(starts, (start, k) => decoder.decode(bytes.subarray(start, ends[k])));
  }
  // Bytes are characters: one decoding for all takes a tenth of the time.
  const text = decoder.decode(joined.subarray(0, length));
  const texts = new Array<string>(starts.length);
  for (let k = 0, at = 0; k < texts.length; k++) {
    const next = at + ends[k]! - starts[k]!;
    texts[k] = text.slice(at, next);
    at = next;
  }
  return texts;
}

/** Texts as a list in JSON: numcodecs' json2. */
function decodeJson(bytes: Uint8Array): string[] {
  const items: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!Array.isArray(items)) throw new TypeError("the chunk must be a list");
  // The last two are type and shape; what is no text is numpy's None or NaN.
  const texts = items.slice(0, -2).flat(Infinity);
  return texts.map((text) => text === null ? "" : String(text));
}

const WIDTHS: Readonly<Record<string, number>> = { u1: 1, i1: 1, u2: 2, i2: 2, u4: 4, i4: 4 };

/** Codes of labels that the metadata list, 0 for none: numcodecs' categorize. */
function decodeLabels({ labels, astype }: Json): DecodeTexts {
  const names = Array.isArray(labels) ? labels.map(String) : [];
  const width = WIDTHS[String(astype ?? "u1").replace(/^[<|]/, "")];
  if (width === undefined) throw new TypeError(`codes of type ${astype} are not known`);
  return (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = { 1: view.getUint8, 2: view.getUint16, 4: view.getUint32 }[width]!;
    const codes = Array.from(
      { length: bytes.length / width },
      (_, k) => read.call(view, k * width, true),
    );
    return codes.map((code) => code === 0 ? "" : names[code - 1] ?? "");
  };
}

/** Makes the decoder of a codec. */
export type MakeTexts = (configuration: Json) => DecodeTexts;

/** The codecs by name. */
export const TEXT_CODECS: ReadonlyMap<string, MakeTexts> = new Map<string, MakeTexts>([
  ["vlen-utf8", () => decodeTexts],
  ["vlen-bytes", () => decodeTexts],
  ["variable_length_utf8", () => decodeTexts],
  ["json2", () => decodeJson],
  ["categorize", decodeLabels],
]);
