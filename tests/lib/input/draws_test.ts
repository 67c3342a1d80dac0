import assert from "node:assert/strict";
import fc from "fast-check";
import { cellKey, GeneDraws, keyedDraws, smallest } from "../../../lib/input/draws.ts";

Deno.test("cellKey() is the 64-bit FNV-1a hash", () => {
  // Test vectors of the hash's authors.
  const hex = (name: string) =>
    [...cellKey(name)].reverse().map((word) => word.toString(16).padStart(8, "0")).join("");
  assert.equal(hex(""), "cbf29ce484222325");
  assert.equal(hex("a"), "af63dc4c8601ec8c");
  assert.equal(hex("foobar"), "85944171f73967e8");
});

Deno.test("GeneDraws draw apart for each seed, cell, gene, occurrence, stream and step", () => {
  const draws = [
    new GeneDraws(1, [2, 3], { stream: "binning", step: 0 }).at(4, 0),
    new GeneDraws(5, [2, 3], { stream: "binning", step: 0 }).at(4, 0),
    new GeneDraws(1, [5, 3], { stream: "binning", step: 0 }).at(4, 0),
    new GeneDraws(1, [2, 5], { stream: "binning", step: 0 }).at(4, 0),
    new GeneDraws(1, [2, 3], { stream: "sampling", step: 0 }).at(4, 0),
    new GeneDraws(1, [2, 3], { stream: "binning", step: 1 }).at(4, 0),
    new GeneDraws(1, [2, 3], { stream: "binning", step: 0 }).at(5, 0),
    new GeneDraws(1, [2, 3], { stream: "binning", step: 0 }).at(4, 1),
  ];
  assert.equal(new Set(draws).size, draws.length);
  assert.equal(draws[0], new GeneDraws(1, [2, 3], { stream: "binning", step: 0 }).at(4, 0));
});

Deno.test("keyedDraws() keeps the same genes wherever their columns lie", () => {
  const at = (ids: number[]) => ({ ids: Int32Array.from(ids), occurrences: new Uint8Array(6) });
  const kept = (ids: number[]) => {
    const columns = Uint32Array.from(ids.keys());
    const positions = keyedDraws(7, [1, 2], at(ids)).choose(columns, 3);
    return new Set(Array.from(positions, (position) => ids[position]));
  };
  assert.deepEqual(kept([10, 20, 30, 40, 50, 60]), kept([60, 10, 50, 20, 40, 30]));
});

Deno.test("keyedDraws() chooses every gene equally often", () => {
  const genes = {
    ids: Int32Array.from({ length: 10 }, (_, i) => i),
    occurrences: new Uint8Array(10),
  };
  const columns = Uint32Array.from(genes.ids);
  const times = new Array(10).fill(0);
  for (let cell = 0; cell < 2000; cell++) {
    const kept = keyedDraws(0, cellKey(`cell${cell}`), genes).choose(columns, 3);
    for (let i = 0; i < kept.length; i++) times[kept[i]!]++;
  }
  for (const count of times) assert.ok(Math.abs(count - 600) < 5 * 20.5, `${times}`); // 5 sigma
});

Deno.test("smallest() gives the positions of the smallest numbers in order", () => {
  const numbers = fc.uniqueArray(fc.double({ noNaN: true, min: 0, max: 1 }), { maxLength: 50 });
  fc.assert(fc.property(numbers, fc.nat(50), (list, wish) => {
    const count = Math.min(wish, list.length);
    const found = [...smallest(Float64Array.from(list), count)];
    const sorted = [...list.keys()].sort((a, b) => list[a]! - list[b]!).slice(0, count);
    assert.deepEqual(found, sorted.sort((a, b) => a - b));
  }));
});
