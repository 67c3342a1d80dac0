/**
 * Codecs that zarrita lacks, and those where its own do not notice damage. They stand in its registry under names of our own, so
 * that other users of zarrita in the same program keep theirs.
 */
import { registry } from "zarrita";
import { crc32c } from "../codecs/crc.ts";

/** What a codec learns of the chunks. */
interface ChunkInfo {
  readonly dataType: string;
  readonly shape: readonly number[];
}

/** Elements of a chunk. */
interface Chunk {
  readonly data: unknown;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A codec of the registry. */
interface Codec {
  readonly kind: "array_to_bytes" | "bytes_to_bytes";
  decode(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array | Chunk;
  encode(): never;
  computeEncodedSize?(size: number): number;
}

/** Makes a codec of its configuration. */
interface CodecMaker {
  fromConfig(configuration: Readonly<Record<string, unknown>>, chunk: ChunkInfo): Codec;
}

/** We write with encoders of our own. */
function encode(): never {
  throw new Error("Cannot encode as this codec only reads");
}

/** Texts with row-major strides. */
function textChunk(data: readonly string[], shape: readonly number[]): Chunk {
  const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return { data, shape, stride };
}

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
export function decodeTexts(bytes: Uint8Array): string[] {
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

const vlenUtf8: CodecMaker = {
  fromConfig: (_, { shape }) => ({
    kind: "array_to_bytes",
    encode,
    decode: (bytes) => textChunk(decodeTexts(bytes), shape),
  }),
};

const json2: CodecMaker = {
  fromConfig: (_, { shape }) => ({
    kind: "array_to_bytes",
    encode,
    decode(bytes) {
      const items: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (!Array.isArray(items)) throw new TypeError("the chunk must be a list");
      // The last two are type and shape; what is no text is numpy's None or NaN.
      const texts = items.slice(0, -2).flat(Infinity);
      return textChunk(texts.map((text) => text === null ? "" : String(text)), shape);
    },
  }),
};

const WIDTHS: Readonly<Record<string, number>> = { u1: 1, i1: 1, u2: 2, i2: 2, u4: 4, i4: 4 };

const categorize: CodecMaker = {
  fromConfig({ labels, astype }, { shape }) {
    const names = Array.isArray(labels) ? labels.map(String) : [];
    const width = WIDTHS[String(astype ?? "u1").replace(/^[<|]/, "")];
    if (width === undefined) throw new TypeError(`codes of type ${astype} are not known`);
    return {
      kind: "array_to_bytes",
      encode,
      decode(bytes) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const read = { 1: view.getUint8, 2: view.getUint16, 4: view.getUint32 }[width]!;
        const codes = Array.from(
          { length: bytes.length / width },
          (_, k) => read.call(view, k * width, true),
        );
        return textChunk(codes.map((code) => code === 0 ? "" : names[code - 1] ?? ""), shape);
      },
    };
  },
};

const checkedCrc32c: CodecMaker = {
  fromConfig: () => ({
    kind: "bytes_to_bytes",
    encode,
    computeEncodedSize: (size) => size + 4,
    decode(bytes) {
      const end = bytes.length - 4;
      if (end < 0) throw new RangeError("the checksum is missing");
      const stored = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true);
      const content = bytes.subarray(0, end);
      if (crc32c(content) !== stored) throw new RangeError("the checksum does not fit the bytes");
      return content;
    },
  }),
};

/** Bytes of an element of fixed size; undefined for texts of any length. */
function elementBytes(type: string): number | undefined {
  const text = /^v2:([US])(\d+)$/.exec(type);
  if (text !== null) return Number(text[2]) * (text[1] === "U" ? 4 : 1);
  if (type === "bool") return 1;
  const bits = /\d+$/.exec(type)?.[0];
  return bits === undefined ? undefined : Number(bits) / 8;
}

/** The most bytes that a chunk may unpack to: twice its elements leaves room for a checksum; texts have up to 1 GiB. */
function mostBytes({ dataType, shape }: ChunkInfo): number {
  const size = elementBytes(dataType);
  return size === undefined ? 2 ** 30 : 2 * size * shape.reduce((a, b) => a * b, 1) + 64;
}

/** A codec of numcodecs; what its configuration breaks is told as damage is. */
function configured(maker: CodecMakerOf, configuration: { id: string }) {
  try {
    return maker.fromConfig(configuration);
  } catch (cause) {
    throw new RangeError((cause as Error).message.replace(/\s+/g, " "), { cause });
  }
}

/** A decoder of numcodecs that first asks how long its result will be, as it would allocate whatever a file claims. */
function sized(
  id: string,
  load: () => Promise<CodecMakerOf>,
  claimed: (bytes: Uint8Array) => number | undefined,
): () => Promise<CodecMaker> {
  return async () => {
    const maker = await load();
    return {
      fromConfig(configuration, chunk) {
        const codec = configured(maker, { id, ...configuration });
        const most = mostBytes(chunk);
        return {
          kind: "bytes_to_bytes",
          encode,
          decode(bytes) {
            const size = claimed(bytes) ?? 0;
            if (size > most) throw new RangeError(`${size} bytes are claimed where ${most} fit`);
            return codec.decode(bytes);
          },
        };
      },
    };
  };
}

/** The shape of numcodecs' classes. */
interface CodecMakerOf {
  fromConfig(configuration: { id: string }): {
    decode(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  };
}

/** Length that a Blosc header claims: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst */
export function bloscSize(bytes: Uint8Array): number {
  if (bytes.length < 16) throw new RangeError("the Blosc header is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const packed = view.getUint32(12, true);
  if (packed !== bytes.length) {
    throw new RangeError(`${packed} bytes are claimed: got ${bytes.length}`);
  }
  return view.getUint32(4, true);
}

/** Length that a Zstandard frame claims, undefined where it does not say: RFC 8878, section 3.1.1.1. */
export function zstdSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 5 || view.getUint32(0, true) !== 0xfd2fb528) {
    throw new RangeError("it is no Zstandard frame");
  }
  const descriptor = bytes[4]!;
  const single = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  const width = flag === 0 ? (single ? 1 : 0) : 2 ** flag;
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  if (width === 0) return undefined;
  if (at + width > bytes.length) throw new RangeError("the Zstandard header is cut off");
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true) + 256;
  return width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

const OURS: Readonly<Record<string, () => CodecMaker | Promise<CodecMaker>>> = {
  "scgpt.vlen-utf8": () => vlenUtf8,
  "scgpt.json2": () => json2,
  "scgpt.categorize": () => categorize,
  "scgpt.crc32c": () => checkedCrc32c,
  "scgpt.blosc": sized("blosc", async () => (await import("numcodecs/blosc")).default, bloscSize),
  "scgpt.zstd": sized("zstd", async () => (await import("numcodecs/zstd")).default, zstdSize),
};

/** Puts our codecs into zarrita's registry. */
export function registerCodecs(): void {
  for (const [name, load] of Object.entries(OURS)) registry.set(name, load as never);
}

/** Names of codecs, those inside shards too, that nothing here can decode. */
export function missingCodecs(codecs: unknown): string[] {
  if (!Array.isArray(codecs)) return [];
  return codecs.flatMap(({ name, configuration }) =>
    name === "sharding_indexed"
      ? [...missingCodecs(configuration.codecs), ...missingCodecs(configuration.index_codecs)]
      : registry.has(name)
      ? []
      : [String(name).replace(/^numcodecs\./, "")]
  );
}
