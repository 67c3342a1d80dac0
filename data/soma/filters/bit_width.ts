/** Integers kept in fewer bits: windows of differences from a common offset. */
import type { ByteReader } from "../bytes.ts";
import { type Datatype, isSigned } from "../datatype.ts";

/** An integer of 1, 2, 4 or 8 bytes as two words that wrap around. */
function readWords(view: DataView, at: number, options: WordOptions): readonly [number, number] {
  const { size, signed } = options;
  if (size === 8) return [view.getUint32(at, true), view.getUint32(at + 4, true)];
  const low = size === 4
    ? view.getInt32(at, true)
    : size === 2
    ? signed ? view.getInt16(at, true) : view.getUint16(at, true)
    : signed
    ? view.getInt8(at)
    : view.getUint8(at);
  return [low >>> 0, signed && low < 0 ? 0xffffffff : 0];
}

/** Width and sign of an integer. */
interface WordOptions {
  readonly size: number;
  readonly signed: boolean;
}

function writeWords(view: DataView, at: number, words: readonly [number, number], size: number) {
  if (size === 1) view.setUint8(at, words[0]);
  else if (size === 2) view.setUint16(at, words[0], true);
  else view.setUint32(at, words[0], true);
  if (size === 8) view.setUint32(at + 4, words[1], true);
}

/** Undoes the bit width reduction filter. */
export function reduceBitWidthBack(
  data: Uint8Array,
  notes: ByteReader,
  options: { readonly type: Datatype; readonly limit: number },
): Uint8Array {
  const { type, limit } = options;
  const length = notes.u32();
  if (length > limit) throw notes.error(`${limit} bytes may come out: got ${length}`);
  const windows = notes.count(notes.u32(), type.size + 5);
  const out = new Uint8Array(length);
  let [from, to] = [0, 0];
  for (let i = 0; i < windows; i++) {
    const offset = notes.bytes(type.size);
    const width = notes.u8() / 8;
    const bytes = notes.u32();
    const packed = width < type.size && bytes % type.size === 0;
    const stored = packed ? bytes / type.size * width : bytes;
    if (from + stored > data.length || to + bytes > length || ![1, 2, 4, 8].includes(width)) {
      throw notes.error(`window ${i} does not fit: ${bytes} bytes from ${stored}`);
    }
    const window = data.subarray(from, from + stored);
    if (packed) addOffset(window, out.subarray(to, to + bytes), { offset, width, type });
    else out.set(window, to);
    from += stored;
    to += bytes;
  }
  if (to !== length) throw notes.error(`${length} bytes must come out: got ${to}`);
  return out;
}

function addOffset(
  window: Uint8Array,
  out: Uint8Array,
  { offset, width, type }: {
    readonly offset: Uint8Array;
    readonly width: number;
    readonly type: Datatype;
  },
): void {
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [source, target, signed] = [view(window), view(out), isSigned(type)];
  const [low, high] = readWords(view(offset), 0, { size: type.size, signed });
  for (let at = 0, to = 0; at < window.length; at += width, to += type.size) {
    const [l, h] = readWords(source, at, { size: width, signed });
    const sum = low + l;
    const carry = sum > 0xffffffff ? 1 : 0;
    writeWords(target, to, [sum >>> 0, high + h + carry >>> 0], type.size);
  }
}
