import assert from "node:assert/strict";
import { fuzzyGraph } from "../../../tasks/analysis/neighbors.ts";
import { kbet, kbetPerLabel } from "../../../tasks/metrics/kbet.ts";
import { UndefinedMetricError } from "../../../tasks/metrics/undefined_metric.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, BATCHES, exactNeighbors, LABELS, SCIB_METRICS } from "./cells.ts";

const knn = exactNeighbors(AFTER, 50);
const graph = fuzzyGraph(knn);
const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / values.length;

Deno.test("kbet() gives scib-metrics' acceptance, statistics and p-values", () => {
  const { acceptance, statistics, pValues } = kbet(knn, BATCHES);
  assertClose([acceptance], [SCIB_METRICS.kbet], 1e-9);
  assertClose(
    [mean(statistics), mean(pValues)],
    [SCIB_METRICS.kbet_stat, SCIB_METRICS.kbet_p],
    1e-5,
  );
  const strict = kbet(knn, BATCHES, { alpha: 0.5 });
  assert.equal(strict.acceptance, pValues.filter((p) => p >= 0.5).length / 400);
});

Deno.test("kbetPerLabel() gives scib-metrics' score of every label", async () => {
  const cells = { labels: LABELS, batches: BATCHES };
  const { score, perLabel } = await kbetPerLabel(graph, cells);
  assert.deepEqual(Object.keys(perLabel), Object.keys(SCIB_METRICS.kbet_by_label));
  for (const [label, expected] of Object.entries(SCIB_METRICS.kbet_by_label)) {
    if (expected === null) assert.equal(perLabel[label], null);
    else assertClose([perLabel[label]!], [expected], 1e-8);
  }
  assertClose([score], [SCIB_METRICS.kbet_per_label], 1e-8);
});

Deno.test("kbetPerLabel() scores 0 where small components hold more than a quarter of a label", async () => {
  const n = 24; // two rings of 12: less than three neighbourhoods of 10
  const next = (cell: number) => cell < 12 ? (cell + 1) % 12 : 12 + (cell - 11) % 12;
  const before = (cell: number) => cell < 12 ? (cell + 11) % 12 : 12 + (cell - 1) % 12;
  const indices = Uint32Array.from(
    { length: 2 * n },
    (_, at) => at % 2 === 0 ? before(at / 2) : next((at - 1) / 2),
  );
  const rings = {
    n,
    indptr: Uint32Array.from({ length: n + 1 }, (_, cell) => 2 * cell),
    indices,
    connectivities: new Float32Array(2 * n).fill(1),
  };
  const labels = Array<string>(n).fill("T");
  const batches = Array.from({ length: n }, (_, cell) => cell % 2);
  const { score, perLabel } = await kbetPerLabel(rings, { labels, batches });
  assert.deepEqual([score, perLabel], [0, { T: 0 }]);
});

Deno.test("kbet() and kbetPerLabel() have no value for one batch, and refuse odd settings", async () => {
  const single = BATCHES.map(() => "one");
  assert.throws(() => kbet(knn, single), UndefinedMetricError);
  assert.throws(() => kbet(knn, BATCHES, { alpha: 5 }), /alpha must be in 0..1: got 5/);
  const cells = { labels: LABELS, batches: single };
  await assert.rejects(kbetPerLabel(graph, cells), UndefinedMetricError);
  const odd = kbetPerLabel(graph, cells, { nComponents: 0 });
  await assert.rejects(odd, /nComponents must be an integer >= 1: got 0/);
});
