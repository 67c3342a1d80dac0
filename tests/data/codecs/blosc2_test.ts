import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { loadBlosc2 } from "../../../data/codecs/blosc2.ts";
import { seeded } from "../seeded.ts";

/** A frame that tests/fixtures/hdf5/make_frames.py recorded; those that HDF5's filter writes are among its filters. */
interface Recorded {
  readonly name: string;
  readonly frame: string;
  readonly bytes: string;
  readonly error: string | null;
}

const FIXTURE = new URL("../../fixtures/hdf5/frames.json", import.meta.url);
const recorded: Recorded[] = JSON.parse(Deno.readTextFileSync(FIXTURE));
const frames = recorded.map(({ frame, bytes, ...rest }) => ({
  ...rest,
  frame: Uint8Array.fromBase64(frame),
  bytes: new Uint8Array(inflateSync(Uint8Array.fromBase64(bytes))),
}));
const codec = loadBlosc2();

/** Unpacks a frame, which throws late or at once. */
const unpack = async (frame: Uint8Array, length: number) =>
  await codec(frame, { length, exact: true });

Deno.test("loadBlosc2() unpacks frames of several chunks, filters and axes", async () => {
  for (const { name, frame, bytes, error } of frames.filter(({ error }) => error === null)) {
    assert.equal(error, null);
    assert.deepEqual(new Uint8Array(await unpack(frame, bytes.length)), bytes, name);
  }
});

Deno.test("loadBlosc2() unpacks frames at the same time", async () => {
  const good = frames.filter(({ error }) => error === null);
  const all = await Promise.all(
    Array.from({ length: 5 }, () => good.map(({ frame, bytes }) => unpack(frame, bytes.length)))
      .flat(),
  );
  for (const [k, got] of all.entries()) {
    const { bytes, name } = good[k % good.length]!;
    assert.deepEqual(new Uint8Array(got), bytes, name);
  }
});

Deno.test("loadBlosc2() says what it cannot read, and what is damaged", async () => {
  const { frame, bytes } = frames.find(({ name }) => name.startsWith("cut along each axis"))!;
  const changed = (...bytes: [number, number][]) => {
    const out = frame.slice();
    for (const [at, value] of bytes) out[at] = value;
    return out;
  };
  const PACKED = 0x35; // as the chunk was copied: with LZ4
  const header = frame[13]! << 8 | frame[14]!;
  const cases: [Uint8Array, RegExp][] = [
    [frame.subarray(0, 40), /^its header is cut off$/],
    [frame.subarray(0, -1), new RegExp(`^${frame.length} bytes are claimed: got`)],
    [changed([3, 0]), /^it is no frame of Blosc 2$/],
    [changed([25, 0x52]), /^frames of its kind cannot be read here$/],
    [changed([26, 1]), /^frames of its kind cannot be read here$/],
    [changed([45, 255]), /^its chunks are cut off$/],
    [changed([61, 1]), /^its chunks do not make up its array$/],
    [changed([91, 0]), /^the descriptions in its header are damaged$/],
    [changed([0x6b, 0]), /^the descriptions in its header are damaged$/],
    [changed([0x72, 3]), /^the shape of its array is damaged$/],
    [changed([header, 2]), /^the version of a chunk must be 4 to 6: got 2$/],
    [changed([header + 2, 1]), /^the header of a chunk is damaged$/],
    [changed([header + 2, 0x45]), /^its compressor 2 is not known$/],
    [changed([header + 4, 1]), /^a chunk must have \d+ bytes: got \d+$/],
    [changed([header + 14, 9]), /^a chunk is cut off$/],
    [changed([header + 2, PACKED], [header + 16, 77]), /^its filter 77 is not known$/],
    [
      changed([header + 2, PACKED], [header + 16, 1], [header + 21, 3]),
      /^delta is not the first of its filters$/,
    ],
    [changed([header + 30, 1]), /^blocks of different lengths cannot be read here$/],
    [changed([header + 31, 8]), /^chunks with blocks elsewhere cannot be read here$/],
    [changed([header + 31, 0x50]), /^special values 5 of 2 bytes are not known$/],
    [
      changed([header + 2, PACKED], [header + 32, 1], [header + 33, 0]),
      /^a block begins beyond a chunk$/,
    ],
  ];
  for (const [damaged, message] of cases) {
    await assert.rejects(
      unpack(damaged, bytes.length),
      { name: "RangeError", message },
      `${message}`,
    );
  }
  for (const { frame, bytes, error } of frames.filter(({ error }) => error !== null)) {
    await assert.rejects(unpack(frame, bytes.length), { message: new RegExp(error!) });
  }
  await assert.rejects(unpack(frame, 2 ** 31), /2147483648 bytes must come out: got \d+/);
});

Deno.test("loadBlosc2() ends with an error or an array's length of bytes, whatever is damaged", async () => {
  const below = seeded(11);
  for (const { name, frame, bytes } of frames) {
    for (let round = 0; round < 250; round++) {
      const damaged = frame.slice(0, below(8) === 0 ? below(frame.length) : frame.length);
      for (let n = below(3); n >= 0 && damaged.length > 0; n--) {
        damaged[below(damaged.length)]! ^= 1 << below(8);
      }
      try {
        assert.equal((await unpack(damaged, bytes.length)).length, bytes.length);
      } catch (error) {
        const ours = error instanceof Error && error.constructor !== TypeError;
        assert.ok(ours && !/undefined|BigInt/.test(error.message), `${name}: ${error}`);
      }
    }
  }
});
