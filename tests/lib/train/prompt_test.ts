import assert from "node:assert/strict";
import { checkPrompt, promptBatch } from "../../../lib/train/prompt.ts";
import { smallCells } from "./small_run.ts";

const CELLS = smallCells();
const DRAW = { seed: 1, step: 0, maskValue: -1, padValue: -2 };
const ROWS = Uint32Array.of(4, 9, 17);

Deno.test("promptBatch() shows whole cells as they are", () => {
  const { ids, values, offsets } = CELLS.tokens(ROWS, 0);
  assert.deepEqual(promptBatch(CELLS, ROWS, { kind: "whole" }, DRAW), {
    ids,
    values,
    offsets,
    cellKeys: [4, 9, 17].map((row) => CELLS.keys[row]),
    classes: Uint32Array.of(0, 1, 1),
    batchLabels: Uint32Array.of(0, 1, 0),
  });
});

Deno.test("promptBatch() masks the share of each cell's values and asks for them", () => {
  const prompt = { kind: "mask", ratio: 0.5, keepFirst: 1 } as const;
  const whole = CELLS.tokens(ROWS, 0);
  const { values, targets, asked, offsets } = promptBatch(CELLS, ROWS, prompt, DRAW);
  assert.deepEqual(targets, whole.values);
  for (let cell = 0; cell < 3; cell++) {
    const [start, end] = [offsets[cell]!, offsets[cell + 1]!];
    const genes = end - start - 1;
    assert.equal(asked!.subarray(start, end).reduce((a, b) => a + b), Math.floor(genes / 2));
    assert.equal(asked![start], 0);
  }
  assert.deepEqual(values, targets!.map((value, t) => asked![t] ? -1 : value));
});

Deno.test("promptBatch() puts the genes to be generated last, without values", () => {
  const prompt = { kind: "generative", ratios: [0.25, 0.75] } as const;
  const whole = CELLS.tokens(ROWS, 0);
  const batch = promptBatch(CELLS, ROWS, prompt, DRAW);
  const { ids, values, targets, asked, offsets, known } = batch;
  assert.deepEqual(offsets, whole.offsets);
  const pairs = (of: { ids: Uint32Array; values: Float32Array }, cell: number) =>
    Array.from(of.ids.subarray(offsets[cell], offsets[cell + 1]), (id, i) => [
      id,
      of.values[offsets[cell]! + i]!,
    ]);
  for (let cell = 0; cell < 3; cell++) {
    const [start, end] = [offsets[cell]!, offsets[cell + 1]!];
    const found = pairs({ ids, values: targets! }, cell), expected = pairs(whole, cell);
    assert.deepEqual(found[0], expected[0]);
    const byId = (a: number[], b: number[]) => a[0]! - b[0]!;
    assert.deepEqual(found.toSorted(byId), expected.toSorted(byId));
    const genes = end - start - 1, later = end - start - known![cell]!;
    assert.ok([0.25, 0.75].map((ratio) => Math.floor(genes * ratio)).includes(later));
    for (let t = start; t < end; t++) {
      const isAsked = t >= start + known![cell]!;
      assert.equal(asked![t], isAsked ? 1 : 0);
      assert.equal(values![t], isAsked ? 0 : targets![t]);
    }
  }
});

for (
  const prompt of [{ kind: "mask", ratio: 0.4 }, {
    kind: "generative",
    ratios: [0.3, 0.6],
  }] as const
) {
  Deno.test(`promptBatch() draws for a cell by itself, and anew in each epoch: ${prompt.kind}`, () => {
    const alone = promptBatch(CELLS, Uint32Array.of(9), prompt, DRAW);
    const { values, ids, offsets } = promptBatch(CELLS, ROWS, prompt, DRAW);
    assert.deepEqual(ids.slice(offsets[1], offsets[2]), alone.ids);
    assert.deepEqual(values!.slice(offsets[1], offsets[2]), alone.values);
    const differs = (change: object) => {
      const other = promptBatch(CELLS, ROWS, prompt, { ...DRAW, ...change });
      return other.asked!.join() !== promptBatch(CELLS, ROWS, prompt, DRAW).asked!.join() ||
        other.ids.join() !== ids.join();
    };
    assert.ok(differs({ step: 1 }));
    assert.ok(differs({ seed: 2 }));
  });
}

Deno.test("checkPrompt() refuses what is out of range", () => {
  const refused = (prompt: unknown, message: RegExp) =>
    assert.throws(() => checkPrompt(prompt as never), message);
  checkPrompt({ kind: "whole" });
  refused({ kind: "mask", ratio: 1 }, /the ratio must be in \(0, 1\): got 1/);
  refused({ kind: "generative", ratios: [] }, /there must be a ratio: got none/);
  refused({ kind: "generative", ratios: [0.5, 0] }, /ratios must be in \(0, 1\): got 0/);
  refused({ kind: "half" }, /whole, mask or generative: got half/);
});
