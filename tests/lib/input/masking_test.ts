import assert from "node:assert/strict";
import { cellKey } from "../../../lib/input/draws.ts";
import { keyedMaskChoice, maskValues } from "../../../lib/input/masking.ts";

// Two cells: <cls> and 5 genes (one of them twice), <cls> and 3 genes.
const BATCH = {
  ids: Uint32Array.of(99, 1, 2, 2, 3, 4, 99, 1, 2, 5),
  values: Float32Array.of(0, 10, 20, 21, 30, 40, 0, 11, 22, 50),
  offsets: Uint32Array.of(0, 6, 10),
};
const SETTINGS = { maskRatio: 0.5, maskValue: -1, padValue: -2, keepFirst: 0 };
const KEYS = [cellKey("a"), cellKey("b")];

function masked(step: number, settings: Partial<typeof SETTINGS> = {}) {
  const choose = keyedMaskChoice(BATCH, KEYS, { seed: 1, step });
  return maskValues(BATCH, { ...SETTINGS, ...settings }, choose);
}

function positions(values: Float32Array): number[] {
  return [...values.keys()].filter((at) => values[at] === -1);
}

Deno.test("maskValues() masks the part of each cell that is told, and copies", () => {
  const found = positions(masked(0));
  assert.equal(found.filter((at) => at < 6).length, 3);
  assert.equal(found.filter((at) => at >= 6).length, 2);
  assert.ok(!BATCH.values.includes(-1));
});

Deno.test("maskValues() leaves first tokens and pads alone when told", () => {
  for (let step = 0; step < 30; step++) {
    assert.ok(
      !positions(masked(step, { keepFirst: 1, maskRatio: 1 })).some((at) => at === 0 || at === 6),
    );
    assert.ok(!positions(masked(step, { padValue: 10, maskRatio: 1 })).includes(1));
  }
  assert.equal(positions(masked(0, { keepFirst: 1, maskRatio: 1 })).length, 8);
});

Deno.test("keyedMaskChoice() gives a cell the same mask in any batch, and others in other steps", () => {
  const alone = {
    ids: BATCH.ids.slice(6),
    values: BATCH.values.slice(6),
    offsets: Uint32Array.of(0, 4),
  };
  const choose = keyedMaskChoice(alone, [KEYS[1]!], { seed: 1, step: 3 });
  assert.deepEqual(maskValues(alone, SETTINGS, choose), masked(3).slice(6));
  const masks = new Set(Array.from({ length: 20 }, (_, step) => positions(masked(step)).join()));
  assert.ok(masks.size > 10);
});

Deno.test("maskValues() refuses ratios and steps out of range", () => {
  assert.throws(() => masked(0, { maskRatio: 1.5 }), /maskRatio must be in \[0, 1\]: got 1\.5/);
  assert.throws(() => masked(65_536), /step must be an integer from 0 to 65535/);
});
