/** The frames of Zstandard: whether they are all there, and how long what they hold may be. RFC 8878, section 3.1. */

const MAGIC = 0xfd2fb528;
const SKIPPED = 0x184d2a5;
/** The most bytes of a block, unpacked. */
const MOST_OF_BLOCK = 1 << 17;

/** Kinds of blocks. */
const BLOCK = { raw: 0, repeated: 1, packed: 2 };

/** A place in the bytes, and the length of what came before it. */
interface Reached {
  readonly at: number;
  readonly length: number;
}

const cutOff = () => new RangeError("the frame is cut off");

/** Length of the header of a frame, and the length that it claims, undefined where it does not. */
function readHeader(view: DataView, at: number): { size: number; claimed: number | undefined } {
  const descriptor = view.getUint8(at + 4);
  const single = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  const width = flag === 0 ? (single ? 1 : 0) : 2 ** flag;
  const start = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const size = start + width;
  if (at + size > view.byteLength) throw cutOff();
  if (width === 0) return { size, claimed: undefined };
  if (width === 1) return { size, claimed: view.getUint8(at + start) };
  if (width === 2) return { size, claimed: view.getUint16(at + start, true) + 256 };
  const wide = width === 8;
  const claimed = wide ? view.getBigUint64(at + start, true) : view.getUint32(at + start, true);
  return { size, claimed: Number(claimed) };
}

/** Passes the blocks of a frame; counts the most that they can hold. */
function passBlocks(view: DataView, start: number): Reached {
  let [at, length] = [start, 0];
  for (let last = false; !last;) {
    if (at + 3 > view.byteLength) throw cutOff();
    const header = view.getUint16(at, true) | view.getUint8(at + 2) << 16;
    const [kind, size] = [header >> 1 & 3, header >> 3];
    if (kind > BLOCK.packed) throw new RangeError("a block of the frame is of no known kind");
    at += 3 + (kind === BLOCK.repeated ? 1 : size);
    length += kind === BLOCK.packed ? MOST_OF_BLOCK : size;
    last = (header & 1) === 1;
  }
  return { at, length };
}

/** Passes a frame. */
function passFrame(view: DataView, at: number): Reached {
  const { size, claimed } = readHeader(view, at);
  const blocks = passBlocks(view, at + size);
  const end = blocks.at + (view.getUint8(at + 4) & 4);
  if (end > view.byteLength) throw cutOff();
  if ((claimed ?? 0) > blocks.length) throw new RangeError(`the frame claims ${claimed} bytes`);
  return { at: end, length: claimed ?? blocks.length };
}

/**
 * The most bytes that can come out of frames; exactly those where all claim a length.
 *
 * @throws {RangeError} where they are no frames, or not all of them are there.
 */
export function zstdLength(chunk: Uint8Array): number {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  let [at, length] = [0, 0];
  do {
    if (at + 8 > chunk.length) throw new RangeError("it is no Zstandard frame");
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === SKIPPED) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > chunk.length) throw cutOff();
      continue;
    }
    if (magic !== MAGIC) throw new RangeError("it is no Zstandard frame");
    const frame = passFrame(view, at);
    at = frame.at;
    length += frame.length;
  } while (at < chunk.length);
  return length;
}
