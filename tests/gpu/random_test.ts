import assert from "node:assert/strict";
import fc from "fast-check";
import { philox, RandomStream, seedKey, uniform53, type Words } from "../../gpu/random.ts";

/** Random123's known answers for philox4x32-10. */
const KNOWN: readonly [Words, readonly [number, number], Words][] = [
  [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

Deno.test("philox() gives the authors' known answers", () => {
  for (const [counter, key, answer] of KNOWN) assert.deepEqual(philox(counter, key), answer);
});

Deno.test("philox() gives the bits that 64-bit integers give", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
    let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
    let [k0, k1] = key.map(BigInt) as [bigint, bigint];
    const mask = 0xffffffffn;
    for (let round = 0; round < 10; round++) {
      const p0 = 0xd2511f53n * c0, p1 = 0xcd9e8d57n * c2;
      [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
      [k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
    }
    assert.deepEqual(philox(counter, key), [c0, c1, c2, c3].map(Number));
  }));
});

Deno.test("uniform53() stays in [0, 1) with 53 bits", () => {
  assert.equal(uniform53(0, 0), 0);
  assert.equal(uniform53(0xffffffff, 0xffffffff), 1 - 2 ** -53);
  assert.equal(uniform53(0x80000000, 0), 0.5);
});

Deno.test("seedKey() splits any safe integer and refuses others", () => {
  assert.deepEqual(seedKey(2 ** 40 + 3), [3, 256]);
  for (const seed of [-1, 0.5, 2 ** 53, NaN]) assert.throws(() => seedKey(seed), RangeError);
});

Deno.test("RandomStream repeats itself and differs by seed, stream and entity", () => {
  const draw = (stream: RandomStream) => Array.from({ length: 5 }, () => stream.next());
  const first = draw(new RandomStream(1, 2, [3, 4]));
  assert.deepEqual(draw(new RandomStream(1, 2, [3, 4])), first);
  for (
    const other of [
      new RandomStream(0, 2, [3, 4]),
      new RandomStream(1, 1, [3, 4]),
      new RandomStream(1, 2, [4, 3]),
    ]
  ) assert.equal(draw(other).filter((value) => first.includes(value)).length, 0);
});

Deno.test("RandomStream.next() is uniform, below() covers its range, normal() has mean 0 and variance 1", () => {
  const draws = new RandomStream(5, 1), n = 20000;
  const mean = (values: number[]) => values.reduce((all, value) => all + value, 0) / values.length;
  const uniform = Array.from({ length: n }, () => draws.next());
  assert(Math.abs(mean(uniform) - 0.5) < 0.01);
  assert.deepEqual(
    new Set(Array.from({ length: 200 }, () => draws.below(5))),
    new Set([0, 1, 2, 3, 4]),
  );
  const normal = Array.from({ length: n }, () => draws.normal());
  assert(Math.abs(mean(normal)) < 0.03);
  assert(Math.abs(mean(normal.map((value) => value * value)) - 1) < 0.05);
});
