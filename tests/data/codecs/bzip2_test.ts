import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { unpackBzip2 } from "../../../data/codecs/bzip2.ts";
import { seeded } from "../seeded.ts";

/** Chunks that tests/fixtures/hdf5/make_filters.py recorded. */
interface Fixture {
  readonly arrays: Record<string, string>;
  readonly cases: readonly { readonly name: string; readonly array: string; chunk: string }[];
}

const FIXTURE = new URL("../../fixtures/hdf5/filters.json", import.meta.url);
const { arrays, cases }: Fixture = JSON.parse(Deno.readTextFileSync(FIXTURE));

/** The bytes of an array. */
const bytesOf = (array: string) =>
  new Uint8Array(inflateSync(Uint8Array.fromBase64(arrays[array]!)));

/** The same, packed with blocks of 100,000 bytes. */
function packed(array: string): Uint8Array {
  const { chunk } = cases.find(({ name }) => name === `307 ${array} (1,)`)!;
  return Uint8Array.fromBase64(chunk);
}

const unpack = (stream: Uint8Array, length: number) => unpackBzip2(stream, { length, exact: true });

/** A stream out of numbers and how many bits each has. */
function bits(...numbers: (readonly [number | bigint, number])[]): Uint8Array {
  const text = numbers.map(([value, width]) => value.toString(2).padStart(width, "0")).join("");
  const whole = text.padEnd(Math.ceil(text.length / 8) * 8, "0");
  return Uint8Array.from(whole.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
}

const HEAD = [0x425a6839, 32] as const, BLOCK = [0x314159265359n, 48] as const;
const END = [0x177245385090n, 48] as const;
/** A block of the byte 0 alone up to its symbols: 0 and 1 are digits of a run, 2 its end, with the codes 0, 10 and 11. */
const ZEROS = [[0, 1], [0, 24], [0x8000, 16], [0x8000, 16], [2, 3], [1, 15], [0, 1]] as const;
const CODES = [[0b00001_0_100_0, 10], [0b00001_0_100_0, 10]] as const;

Deno.test("unpackBzip2() unpacks blocks, and streams one after the other", () => {
  const parts = ["skewed", "blocks", "zeros"];
  const want = Uint8Array.from(parts.flatMap((array) => [...bytesOf(array)]));
  const stream = Uint8Array.from(parts.flatMap((array) => [...packed(array)]));
  assert.deepEqual(unpack(stream, want.length), want);
  const most = { length: want.length + 1000, exact: false };
  assert.deepEqual(unpackBzip2(stream, most), want);
  const none = bits(HEAD, END, [0, 32]);
  assert.equal(unpack(none, 0).length, 0);
  assert.deepEqual(unpack(new Uint8Array([...none, ...stream]), want.length), want);
});

Deno.test("unpackBzip2() says what is damaged", () => {
  const whole = packed("blocks");
  const { length } = bytesOf("blocks");
  const changed = (at: number, bit = 1) => {
    const out = whole.slice();
    out.set([out.at(at)! ^ bit], at < 0 ? out.length + at : at);
    return out;
  };
  const run = (...digits: string[]) =>
    digits.map((digit) => [parseInt(digit, 2), digit.length] as const);
  const symbols = (...digits: string[]) =>
    bits(HEAD, BLOCK, [0, 32], ...ZEROS, ...CODES, ...run(...digits), END, [0, 32], [0, 32]);
  const damages: [Uint8Array, number, RegExp][] = [
    [new Uint8Array(0), 9, /^it is cut off$/],
    [whole.subarray(0, -1), length, /^it is cut off$/],
    [new Uint8Array([...whole, 0, 0, 0]), length, /^it is no bzip2 stream$/],
    [changed(0), length, /^it is no bzip2 stream$/],
    [changed(3, 0x40), length, /^a stream has no block size$/],
    [changed(4), length, /^a block has no head$/],
    [changed(10), length, /^the checksum of a block does not fit it$/],
    [changed(14, 128), length, /^its blocks are of bzip2 before 0\.9\.5$/],
    [changed(-2), length, /^the checksum of a stream does not fit it$/],
    [whole, length - 1, /^more than 229999 bytes come out$/],
    [whole, length + 1, /^230001 bytes must come out: got 230000$/],
    [whole, 9, /^a block may have 11 bytes: got more$/],
    [bits(HEAD), 2 ** 31, /^2147483648 bytes cannot come out of 4$/],
    [symbols(...Array(32).fill("10"), "11"), 900_000, /^a run is longer than any block$/],
    [symbols(...Array(20).fill("10"), "11"), 900_000, /^a block may have 900000 bytes: got more$/],
    [symbols("10", "10", "11"), 900_000, /^the checksum of a block does not fit it$/],
    [symbols("0", "0", "11"), 900_000, /^the checksum of a block does not fit it$/],
    [symbols(...Array(50).fill("0")), 900_000, /^a run is longer than any block$/],
    [symbols("11"), 900_000, /^a block starts beyond it$/],
  ];
  for (const [stream, most, message] of damages) {
    assert.throws(() => unpack(stream, most), { name: "RangeError", message });
  }
});

Deno.test("unpackBzip2() ends with an error or the right bytes, whatever is damaged", () => {
  const below = seeded(7);
  for (const array of ["skewed", "zeros", "long", "f4"]) {
    const [whole, want] = [packed(array), bytesOf(array)];
    for (let round = 0; round < 2000; round++) {
      const stream = whole.slice(0, below(4) === 0 ? below(whole.length) : whole.length);
      for (let n = below(3); n >= 0 && stream.length > 0; n--) {
        stream[below(below(2) === 0 ? Math.min(stream.length, 40) : stream.length)]! ^= 1 <<
          below(8);
      }
      try {
        assert.deepEqual(unpack(stream, want.length), want);
      } catch (error) {
        assert.ok(error instanceof RangeError, `${array}: ${error}`);
      }
    }
  }
});
