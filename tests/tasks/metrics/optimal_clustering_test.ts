import assert from "node:assert/strict";
import { fuzzyGraph } from "../../../tasks/analysis/neighbors.ts";
import {
  clusterOptimalResolution,
  kMeansAgreement,
} from "../../../tasks/metrics/optimal_clustering.ts";
import { UndefinedMetricError } from "../../../tasks/metrics/undefined_metric.ts";
import { AFTER, exactNeighbors, LABELS, SCIB, SCIB_METRICS } from "./cells.ts";

const graph = fuzzyGraph(exactNeighbors(AFTER, 15));

Deno.test("clusterOptimalResolution() finds the scores that leidenalg gives scib, up to its seeds", async () => {
  const { nmi, ari, curve, resolution, clusters } = await clusterOptimalResolution(graph, LABELS);
  const best = [0, 1, 2].map((seed) =>
    SCIB.leiden.map((row) => row[seed]!).reduce((a, b) => b[0] > a[0] ? b : a)
  );
  const spread = (place: 0 | 1) => best.map((pair) => pair[place]).sort();
  assert.ok(nmi >= spread(0)[0]! - 0.02 && nmi <= spread(0)[2]! + 0.02, `NMI ${nmi}`);
  assert.ok(ari >= spread(1)[0]! - 0.05 && ari <= spread(1)[2]! + 0.05, `ARI ${ari}`);
  assert.deepEqual(curve.map((point) => point.resolution), [
    0.2,
    0.4,
    0.6,
    0.8,
    1,
    1.2,
    1.4,
    1.6,
    1.8,
    2,
  ]);
  assert.equal(nmi, Math.max(...curve.map((point) => point.nmi)));
  assert.equal(resolution, curve.find((point) => point.nmi === nmi)!.resolution);
  assert.equal(clusters.length, 400);
});

Deno.test("kMeansAgreement() scores within the spread of scib-metrics over seeds", async () => {
  const scores: number[][] = [[], []];
  for (let seed = 0; seed < 10; seed++) {
    const { nmi, ari } = await kMeansAgreement(AFTER, LABELS, { seed });
    scores[0]!.push(nmi);
    scores[1]!.push(ari);
  }
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  for (const place of [0, 1] as const) {
    const theirs = mean(SCIB_METRICS.kmeans.map((run) => run[place]));
    const ours = mean(scores[place]!);
    assert.ok(Math.abs(ours - theirs) < 0.03, `${place}: ${ours}, theirs ${theirs}`);
  }
});

Deno.test("clusterOptimalResolution() and kMeansAgreement() have no value for one label", async () => {
  const same = LABELS.map(() => "cell");
  await assert.rejects(clusterOptimalResolution(graph, same), UndefinedMetricError);
  await assert.rejects(kMeansAgreement(AFTER, same), UndefinedMetricError);
  const none = clusterOptimalResolution(graph, LABELS, { resolutions: [] });
  await assert.rejects(none, /there must be a resolution: got none/);
});
