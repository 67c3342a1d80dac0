import assert from "node:assert/strict";
import fc from "fast-check";
import { cellKey } from "../../../lib/input/draws.ts";
import { epochBatches, splitCells } from "../../../lib/train/order.ts";

const keysOf = (names: readonly string[]) => names.map(cellKey);
const NAMES = Array.from({ length: 40 }, (_, i) => `cell${i}`);
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

Deno.test("splitCells() parts all cells in the share asked for", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 60 }),
    fc.double({ min: 0, max: 0.9, noNaN: true }),
    fc.nat(),
    (count, share, seed) => {
      const keys = keysOf(Array.from({ length: count }, (_, i) => `c${i}`));
      const { train, validation } = splitCells(keys, { validation: share, seed });
      assert.deepEqual(sorted([...train, ...validation]), [...keys.keys()]);
      assert.equal(validation.length, Math.min(Math.round(count * share), count - 1));
      assert.deepEqual([...train], sorted(train));
      assert.deepEqual([...validation], sorted(validation));
    },
  ));
});

Deno.test("splitCells() depends on names and seed, not on the order of the cells", () => {
  const named = (names: readonly string[], seed: number) =>
    new Set(
      [...splitCells(keysOf(names), { validation: 0.3, seed }).validation].map((i) => names[i]),
    );
  assert.deepEqual(named(NAMES.toReversed(), 1), named(NAMES, 1));
  assert.notDeepEqual(named(NAMES, 2), named(NAMES, 1));
});

Deno.test("splitCells() takes the share of every group, and none of a group of one", () => {
  const stratify = Uint32Array.from(NAMES, (_, i) => i === 39 ? 2 : i < 30 ? 0 : 1);
  const { validation } = splitCells(keysOf(NAMES), { validation: 0.2, stratify });
  const counts = [0, 1, 2].map((group) =>
    [...validation].filter((i) => stratify[i] === group).length
  );
  assert.deepEqual(counts, [6, 2, 0]);
});

Deno.test("splitCells() refuses other options and values", () => {
  const keys = keysOf(NAMES);
  assert.throws(() => splitCells(keys, { validation: 1 }), /must be in \[0, 1\): got 1/);
  assert.throws(() => splitCells(keys, { stratify: new Uint32Array(3) }), /40 cells: got 3/);
  assert.throws(() => splitCells(keys, { share: 1 } as never), TypeError);
});

Deno.test("epochBatches() passes every cell once, in another order each epoch", () => {
  const cells = Uint32Array.from({ length: 23 }, (_, i) => 3 * i);
  const batches = (epoch: number, seed = 1) => epochBatches(cells, { batchSize: 5, seed, epoch });
  assert.deepEqual(batches(0).map(({ length }) => length), [5, 5, 5, 5, 3]);
  assert.deepEqual(sorted(batches(0).flatMap((batch) => [...batch])), [...cells]);
  assert.deepEqual(batches(0), batches(0));
  assert.notDeepEqual(batches(1), batches(0));
  assert.notDeepEqual(batches(0, 2), batches(0));
});

Deno.test("epochBatches() makes batches of one domain each", () => {
  const domains = Uint32Array.from({ length: 23 }, (_, i) => i % 3);
  const cells = Uint32Array.from(domains.keys());
  const batches = epochBatches(cells, { batchSize: 4, seed: 1, epoch: 0, domains });
  for (const batch of batches) {
    assert.equal(new Set(Array.from(batch, (cell) => domains[cell])).size, 1);
  }
  assert.deepEqual(sorted(batches.flatMap((batch) => [...batch])), [...cells]);
  const order = batches.map(([cell]) => domains[cell!]!);
  assert.notDeepEqual(order, sorted(order), "domains one after another");
});
