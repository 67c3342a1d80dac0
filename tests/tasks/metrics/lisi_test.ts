import assert from "node:assert/strict";
import { clisi, ilisi, lisi } from "../../../tasks/metrics/lisi.ts";
import { UndefinedMetricError } from "../../../tasks/metrics/undefined_metric.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, BATCHES, exactNeighbors, LABELS, SCIB_METRICS } from "./cells.ts";

const knn = exactNeighbors(AFTER, 90);

Deno.test("lisi() gives scib-metrics' index of every cell", () => {
  assertClose(lisi(knn, LABELS), SCIB_METRICS.lisi_label, 1e-4);
  assertClose(lisi(knn, BATCHES), SCIB_METRICS.lisi_batch, 1e-4);
});

Deno.test("ilisi() and clisi() give scib-metrics' scores", () => {
  assertClose([ilisi(knn, BATCHES)], [SCIB_METRICS.ilisi], 1e-5);
  assertClose([clisi(knn, LABELS)], [SCIB_METRICS.clisi], 1e-5);
});

Deno.test("lisi() counts equal neighbours evenly and leaves the cell itself out", () => {
  const even = {
    k: 5,
    indices: new Uint32Array([
      0,
      1,
      2,
      3,
      4,
      1,
      0,
      2,
      3,
      4,
      2,
      0,
      1,
      3,
      4,
      3,
      0,
      1,
      2,
      4,
      4,
      0,
      1,
      2,
      3,
    ]),
    distances: new Float32Array(25),
  };
  const [first, , third] = lisi(even, ["a", "b", "b", "c", "c"], { perplexity: 3 });
  assertClose([first!, third!], [2, 1 / (0.25 ** 2 + 0.25 ** 2 + 0.5 ** 2)], 1e-12);
});

Deno.test("lisi() refuses odd input; one batch or label has no score", () => {
  assert.throws(() => lisi(knn, ["a"]), RangeError);
  assert.throws(() => lisi(knn, LABELS, { perplexity: 0 }), /perplexity must be > 0: got 0/);
  const same = LABELS.map(() => "same");
  assert.throws(() => ilisi(knn, same), UndefinedMetricError);
  assert.throws(() => clisi(knn, same), UndefinedMetricError);
});
