import assert from "node:assert/strict";
import { fitL1Logistic } from "../../../tasks/baselines/l1_logistic.ts";
import { REFERENCE_LOG, SKLEARN } from "../fixtures.ts";

const classes = [...new Set(SKLEARN.reference.labels)].sort();
const target = Uint32Array.from(SKLEARN.reference.labels, (label) => classes.indexOf(label));
const problem = { rows: REFERENCE_LOG, target, nClasses: classes.length };

Deno.test("fitL1Logistic() leaves no slope that the penalty does not hold", async () => {
  for (const C of [0.02, 0.5, 5]) {
    const tolerance = 1e-5;
    const { x, converged } = await fitL1Logistic({ ...problem, C }, { tolerance, maxSteps: 5000 });
    assert.ok(converged);
    slopes(x, C).forEach((slope, at) => {
      const weight = x[at]!, free = at >= x.length - classes.length;
      const excess = free
        ? Math.abs(slope)
        : weight === 0
        ? Math.abs(slope) - 1
        : Math.abs(slope + Math.sign(weight));
      assert.ok(excess < 1e-4, `C ${C}, weight ${at} of ${weight}: slope ${slope}`);
    });
  }
});

/** C · d Σ cross-entropy / d weights [p+1, c], by its definition. */
function slopes(x: Float64Array, C: number): Float64Array {
  const c = classes.length, p = REFERENCE_LOG.nCols, found = new Float64Array(x.length);
  target.forEach((own, row) => {
    const start = REFERENCE_LOG.indptr[row]!, end = REFERENCE_LOG.indptr[row + 1]!;
    const columns = [...REFERENCE_LOG.indices.subarray(start, end), p];
    const values = [...REFERENCE_LOG.data.subarray(start, end), 1];
    const logits = classes.map((_, k) =>
      columns.reduce((sum, j, at) => sum + values[at]! * x[j * c + k]!, 0)
    );
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    logits.forEach((logit, k) => {
      const error = Math.exp(logit) / total - (k === own ? 1 : 0);
      columns.forEach((j, at) => found[j * c + k]! += C * error * values[at]!);
    });
  });
  return found;
}

Deno.test("fitL1Logistic() keeps all genes out when the penalty is strong", async () => {
  const settings = { tolerance: 1e-8, maxSteps: 1000 };
  const { x, converged } = await fitL1Logistic({ ...problem, C: 1e-4 }, settings);
  assert.ok(converged);
  assert.ok(x.subarray(0, -classes.length).every((weight) => weight === 0));
});
