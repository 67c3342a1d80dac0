/** HDF5's Fletcher checksum: H5checksum.c, H5_checksum_fletcher32, and H5Zfletcher32.c. */

/** Words after which sums are folded, so that they stay below 2^31. */
const FOLD = 240;

const fold = (sum: number) => (sum & 0xffff) + (sum >>> 16);
const swap = (half: number) => (half & 0xff) << 8 | half >>> 8;

/**
 * The two sums over little-endian words. HDF5 has big-endian ones; to swap the bytes of a word is to multiply it by 256 modulo 65535, so
 * that its sums are these with their bytes swapped.
 */
function sums(bytes: Uint8Array): readonly [number, number] {
  const count = bytes.length >> 1;
  const even = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const words = new Uint16Array(even.buffer, even.byteOffset, count);
  let [first, second] = [0, 0];
  for (let at = 0; at < count;) {
    const end = Math.min(at + FOLD, count);
    for (; at < end; at++) {
      first += words[at]!;
      second += first;
    }
    [first, second] = [fold(first), fold(second)];
  }
  if (bytes.length % 2 === 1) {
    first += bytes[bytes.length - 1]!;
    second += first;
  }
  return [fold(fold(first)), fold(fold(second))];
}

/** Checks and drops the checksum behind a chunk. */
export function checkFletcher32(chunk: Uint8Array): Uint8Array {
  const end = chunk.length - 4;
  if (end < 0) throw new RangeError("the checksum is missing");
  const content = chunk.subarray(0, end);
  const [first, second] = sums(content);
  const stored = new DataView(chunk.buffer, chunk.byteOffset + end, 4).getUint32(0, true);
  const right = (swap(second) << 16 | swap(first)) >>> 0;
  // Before 1.6.3 the library summed words in the byte order of the machine.
  const old = (second << 16 | first) >>> 0;
  if (stored === right || stored === old) return content;
  throw new RangeError("the checksum does not fit the bytes");
}
