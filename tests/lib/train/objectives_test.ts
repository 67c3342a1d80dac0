import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import { batchLosses } from "../../../lib/train/gradients.ts";
import { weightAt } from "../../../lib/train/objective.ts";
import { cce, ecs } from "../../../lib/train/objectives/cells.ts";
import { cellPrompt, gep, zeroLogProb } from "../../../lib/train/objectives/expression.ts";
import { smallBatch, smallModel, TOTALS } from "./small_batch.ts";

/** Losses of the small batch in evaluation, and its cosines. */
async function evaluated(objective: ReturnType<typeof ecs>) {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device);
  const batch = smallBatch(model);
  using cell = model.forward(batch, ["cell"]).cell;
  const rows = await cell.data();
  const { losses, total } = batchLosses(model, batch, {
    objectives: [objective],
    totals: TOTALS,
    step: 1,
  });
  using loss = losses.get(objective.name)!, sum = total;
  const vector = (i: number) => rows.subarray(16 * i, 16 * i + 16);
  const dot = (i: number, j: number) => vector(i).reduce((s, x, d) => s + x * vector(j)[d]!, 0);
  const cosine = (i: number, j: number) => dot(i, j) / Math.sqrt(dot(i, i) * dot(j, j));
  return { loss: (await loss.data())[0]!, total: (await sum.data())[0]!, cosine };
}

const PAIRS = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => [i, j] as const));

Deno.test("ecs() is the mean of 1 - (relu(s) - beta)² with a diagonal of 0", async () => {
  const { loss, total, cosine } = await evaluated(ecs({ beta: 0.6, weight: 10 }));
  const similarity = (i: number, j: number) => i === j ? 0 : Math.max(cosine(i, j), 0);
  const expected = PAIRS.reduce((s, [i, j]) => s + 1 - (similarity(i, j) - 0.6) ** 2, 0) / 9;
  assert.ok(Math.abs(loss - expected) < 1e-6, `${loss} for ${expected}`);
  assert.ok(Math.abs(total - 10 * loss) < 1e-5);
});

Deno.test("ecs() in the paper's form is the mean of -(s - beta)² over pairs of cells", async () => {
  const { loss, cosine } = await evaluated(ecs({ beta: 0.6, form: "paper" }));
  const pairs = PAIRS.filter(([i, j]) => i !== j);
  const expected = -pairs.reduce((s, [i, j]) => s + (cosine(i, j) - 0.6) ** 2, 0) / 6;
  assert.ok(Math.abs(loss - expected) < 1e-6, `${loss} for ${expected}`);
});

Deno.test("cce() is the cross entropy of cosines over the temperature", async () => {
  const { loss, cosine } = await evaluated(cce({ temperature: 0.5 }));
  const row = (i: number) => [0, 1, 2].map((j) => Math.exp(cosine(i, j) / 0.5));
  const nll = (i: number) => -Math.log(row(i)[i]! / row(i).reduce((s, x) => s + x, 0));
  const expected = (nll(0) + nll(1) + nll(2)) / 3;
  assert.ok(Math.abs(loss - expected) < 1e-6, `${loss} for ${expected}`);
});

Deno.test("weightAt() follows numbers, functions and the start of the cell prompt", () => {
  assert.equal(weightAt(gep({ weight: 2 }), 5), 2);
  assert.equal(weightAt(gep({ weight: (step) => 1 / step }), 4), 0.25);
  const late = cellPrompt({ weight: 3, afterStep: 10 });
  assert.deepEqual([weightAt(late, 10), weightAt(late, 11)], [0, 3]);
});

Deno.test("objectives refuse settings out of range and unknown ones", () => {
  assert.throws(() => ecs({ beta: 2 }), /beta must be in \[0, 1\]: got 2/);
  assert.throws(() => ecs({ form: "other" as "paper" }), /"reference" or "paper": got "other"/);
  assert.throws(() => cce({ temperature: 0 }), /temperature must be > 0: got 0/);
  assert.throws(() => cellPrompt({ afterStep: -1 }), /afterStep must be an integer >= 0: got -1/);
  assert.throws(() => zeroLogProb({ of: "cls" as "gep" }), /"gep" or "gepc": got "cls"/);
  assert.throws(() => gep({ wieght: 1 } as object), /did you mean "weight"/);
});
