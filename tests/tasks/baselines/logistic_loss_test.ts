import assert from "node:assert/strict";
import { columnMoments } from "../../../tasks/analysis/rows.ts";
import { absorbMean, logisticLoss, softmax } from "../../../tasks/baselines/logistic_loss.ts";
import { assertClose, dense } from "../fixtures.ts";

const rows = dense([[1, 0, 2], [0, 3, 1], [2, 1, 0], [0, 0, 1]]);
const { mean } = columnMoments(rows);

for (const [nClasses, target] of [[2, [0, 1, 1, 0]], [3, [0, 1, 2, 1]]] as const) {
  Deno.test(`logisticLoss() of ${nClasses} classes has the gradient of its value`, () => {
    const problem = { rows, target: Uint32Array.from(target), nClasses, C: 1.7 };
    const size = 4 * (nClasses === 2 ? 1 : nClasses);
    const weights = Float64Array.from({ length: size }, (_, at) => Math.sin(at + 1));
    const { gradient } = logisticLoss(problem, mean, weights);
    const differences = weights.map((weight, at) => {
      const valueAt = (step: number) =>
        logisticLoss(problem, mean, weights.with(at, weight + step)).value;
      return (valueAt(1e-5) - valueAt(-1e-5)) / 2e-5;
    });
    assertClose(gradient, differences, 1e-8);
  });
}

Deno.test("absorbMean() moves the intercepts to columns as they are", () => {
  const weights = new Float64Array([2, -1, 0.5, 4]);
  absorbMean(weights, new Float64Array([0.75, 1, 1]));
  assert.deepEqual(weights, new Float64Array([2, -1, 0.5, 4 - 1.5 + 1 - 0.5]));
});

Deno.test("softmax() stands large logits", () => {
  const logits = new Float64Array([1000, 1000, 0]);
  assert.equal(softmax(logits), 1000 + Math.LN2);
  assert.deepEqual(logits, new Float64Array([0.5, 0.5, 0]));
});
