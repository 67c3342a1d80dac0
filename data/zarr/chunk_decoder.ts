/** Bytes of chunks to their elements: codecs of bytes and of texts are ours, those of numbers zarrita's. */
import { registry } from "zarrita";
import { type Step, undoSteps } from "../codecs/pipeline.ts";
import { FormatError, type FormatErrorOptions } from "../errors.ts";
import { BYTE_CODECS } from "./byte_codecs.ts";
import { stridesOf } from "./chunk.ts";
import type { CodecMeta } from "./codec_meta.ts";
import { type MakeTexts, TEXT_CODECS } from "./text_codecs.ts";

/** Elements of a chunk and the distance of neighbours along each axis. */
export interface Elements {
  /** The elements: a typed array, a list of texts, or zarrita's array of truth values or texts. */
  readonly data: unknown;
  /** Strides in elements. */
  readonly stride: readonly number[];
}

/** What all chunks of an array have in common. */
export interface ChunkKind {
  /** zarrita's name of the element type. */
  readonly dataType: string;
  /** Lengths of the axes. */
  readonly shape: readonly number[];
}

/** Decodes chunks of one kind. */
export interface ChunkDecoder {
  /** Bytes that stored chunks have; undefined where codecs change that. */
  readonly storedBytes: number | undefined;
  /** Decodes one; throws `RangeError` where it is damaged. */
  decode(chunk: Uint8Array): Promise<Elements>;
}

/** Most bytes of the texts of a chunk. */
const MOST_TEXT = 2 ** 30;

/** A codec of zarrita's registry, whose decoding we only call. */
interface RegisteredCodec {
  readonly kind?: string;
  decode(input: unknown): unknown;
  getEncodedMeta?(kind: ChunkKind): ChunkKind;
}

/** Makes a codec of zarrita's registry. */
interface RegisteredMaker {
  fromConfig(configuration: unknown, kind: ChunkKind): RegisteredCodec;
}

/** A codec that makes elements of bytes, or of other elements. */
interface ElementStep {
  readonly name: string;
  readonly decode: (input: unknown) => unknown;
}

/** What is known while codecs are opened one after the other. */
interface Opening {
  /** The chunks as the next codec gets them when written. */
  kind: ChunkKind;
  /** Codecs of elements. */
  readonly elements: ElementStep[];
  /** Codecs of bytes. */
  readonly bytes: Step[];
  /** Whether one of them makes elements of bytes. */
  serial: boolean;
}

/** Bytes of an element of fixed size; undefined for texts of any length. */
function elementBytes(type: string): number | undefined {
  const text = /^v2:([US])(\d+)$/.exec(type);
  if (text !== null) return Number(text[2]) * (text[1] === "U" ? 4 : 1);
  if (type === "bool") return 1;
  const bits = /\d+$/.exec(type)?.[0];
  return bits === undefined ? undefined : Number(bits) / 8;
}

/** Bytes as zarrita has them, which codecs may leave out. */
const PLAIN: CodecMeta = { name: "bytes", configuration: { endian: "little" } };

/** Puts a codec of zarrita's registry where it belongs. */
async function openRegistered(opening: Opening, meta: CodecMeta, make: () => Promise<unknown>) {
  const { name, configuration } = meta;
  if (name === "bytes" && opening.kind.dataType === "string") {
    throw new TypeError("texts of any length need a codec of their own");
  }
  const maker = await make() as RegisteredMaker;
  const codec = maker.fromConfig(configuration, opening.kind);
  const decode = (input: unknown) => codec.decode(input);
  if (codec.kind !== "array_to_array" && codec.kind !== "array_to_bytes") {
    opening.bytes.push({ name, codec: decode as Step["codec"] });
    return;
  }
  opening.elements.push({ name, decode });
  opening.kind = codec.getEncodedMeta?.(opening.kind) ?? opening.kind;
  opening.serial ||= codec.kind === "array_to_bytes";
}

/** Puts one of our codecs of texts behind those before it. */
function openTexts(opening: Opening, { name, configuration }: CodecMeta, make: MakeTexts): void {
  if (opening.kind.dataType !== "string") throw new TypeError("the elements are no texts");
  const decode = make(configuration);
  const stride = stridesOf(opening.kind.shape);
  opening.elements.push({
    name,
    decode: (bytes) => ({ data: decode(bytes as Uint8Array), stride }),
  });
  opening.serial = true;
}

/** Puts a codec where it belongs; false where there is no such codec. */
async function openCodec(opening: Opening, meta: CodecMeta): Promise<boolean> {
  const name = plainName(meta);
  const ours = BYTE_CODECS.get(name);
  const texts = TEXT_CODECS.get(name);
  const registered = registry.get(meta.name);
  if (ours !== undefined) {
    const codec = await ours.load(meta.configuration);
    opening.bytes.push({ name, added: ours.added, codec });
  } else if (texts !== undefined) openTexts(opening, { ...meta, name }, texts);
  else if (registered !== undefined) await openRegistered(opening, meta, registered);
  else return false;
  return true;
}

/** Opens codecs one after the other; refuses one that there is not, or whose configuration it does not take. */
async function openCodecs(
  opening: Opening,
  codecs: readonly CodecMeta[],
  place: FormatErrorOptions,
): Promise<void> {
  for (const meta of codecs) {
    const known = await openCodec(opening, meta).catch((cause) => {
      const reason = `its codec ${plainName(meta)} cannot be made: ${messageOf(cause)}`;
      throw new FormatError("value", `Cannot read the array as ${reason}`, { ...place, cause });
    });
    if (known) continue;
    const reason = `the codec ${plainName(meta)} is not available here: ` +
      "write the store with zstd, blosc or gzip";
    throw new FormatError("missing-filter", `Cannot read the array as ${reason}`, place);
  }
  if (!opening.serial) await openCodecs(opening, [PLAIN], place);
}

/** A codec's name without that of the library. */
function plainName({ name }: CodecMeta): string {
  return name.replace(/^numcodecs\./, "");
}

/** What an error says; it may be no error. */
function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/\s+/g, " ") : "nothing more";
}

/** The error of a damaged part of a store; what is no sign of damage is given back. */
export function damaged(cause: unknown, part: string, place: FormatErrorOptions): unknown {
  if (!(cause instanceof RangeError || cause instanceof SyntaxError)) return cause;
  const reason = `Cannot read ${part} as ${cause.message}`;
  return new FormatError("value", reason, { ...place, cause });
}

/** Says which codec found damage. */
function damage(cause: unknown, { name }: { readonly name: string }): never {
  throw new RangeError(`it is damaged: ${name} says ${messageOf(cause)}`, { cause });
}

/** Makes the codecs of an array ready. */
export async function openDecoder(
  codecs: readonly CodecMeta[],
  kind: ChunkKind,
  place: FormatErrorOptions,
): Promise<ChunkDecoder> {
  const opening: Opening = { kind, elements: [], bytes: [], serial: false };
  await openCodecs(opening, codecs, place);
  const size = elementBytes(opening.kind.dataType);
  const length = size && kind.shape.reduce((product, axis) => product * axis, size);
  const added = opening.bytes.map(({ added = NaN }) => added).reduce((a, b) => a + b, 0);
  const stored = length === undefined ? NaN : length + added;
  return {
    storedBytes: Number.isNaN(stored) ? undefined : stored,
    async decode(chunk) {
      const expected = length === undefined
        ? { length: MOST_TEXT, exact: false }
        : { length, exact: true };
      const bytes = await undoSteps(chunk, opening.bytes, { ...expected, fail: damage });
      if (length !== undefined && bytes.length !== length) {
        throw new RangeError(`it must have ${length} bytes: it has ${bytes.length}`);
      }
      return await elementsOf(bytes, opening.elements);
    },
  };
}

/** Undoes codecs of elements, the last first. */
async function elementsOf(bytes: Uint8Array, steps: readonly ElementStep[]): Promise<Elements> {
  let value: unknown = bytes;
  for (const step of steps.toReversed()) {
    try {
      value = await step.decode(value);
    } catch (cause) {
      damage(cause, step);
    }
  }
  return value as Elements;
}
