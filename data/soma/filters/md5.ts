/** The MD5 digest (RFC 1321), which the platform does not have. */
const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SINES = Uint32Array.from({ length: 64 }, (_, i) => Math.abs(Math.sin(i + 1)) * 2 ** 32);

/** The message with its end marked: whole blocks of 64 bytes. */
function padded(message: Uint8Array): DataView {
  const length = (message.length + 8 >> 6) + 1 << 6;
  const bytes = new Uint8Array(length);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(length - 8, message.length * 8, true);
  view.setUint32(length - 4, Math.floor(message.length / 2 ** 29), true);
  return view;
}

/** Which word of the block a step takes, and how it mixes the state. */
function mix(step: number, [b, c, d]: readonly [number, number, number]): [number, number] {
  if (step < 16) return [b & c | ~b & d, step];
  if (step < 32) return [d & b | ~d & c, (5 * step + 1) % 16];
  if (step < 48) return [b ^ c ^ d, (3 * step + 5) % 16];
  return [c ^ (b | ~d), 7 * step % 16];
}

/** Digest of a message: 16 bytes. */
export function md5(message: Uint8Array): Uint8Array {
  const view = padded(message);
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d] = state as unknown as [number, number, number, number];
    for (let step = 0; step < 64; step++) {
      const [mixed, word] = mix(step, [b, c, d]);
      const sum = a + mixed + SINES[step]! + view.getUint32(block + 4 * word, true) | 0;
      const shift = SHIFTS[(step >> 4) * 4 + step % 4]!;
      [a, d, c] = [d, c, b];
      b = b + (sum << shift | sum >>> 32 - shift) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
  }
  return new Uint8Array(state.buffer);
}
