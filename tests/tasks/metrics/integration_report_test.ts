import assert from "node:assert/strict";
import { type Device, openWasmDevice } from "../../../gpu/mod.ts";
import { INTEGRATION_METRICS } from "../../../tasks/metrics/integration_metrics.ts";
import { integrationReport } from "../../../tasks/metrics/integration_report.ts";
import { assertClose } from "../fixtures.ts";
import { AFTER, BATCHES, BEFORE, LABELS, SCIB, SCIB_METRICS } from "./cells.ts";

const CELLS = { embedding: AFTER, before: BEFORE, labels: LABELS, batches: BATCHES };

async function withDevice(test: (device: Device) => Promise<void>): Promise<void> {
  await using device = await openWasmDevice({ threads: 1 });
  const before = device.memory.liveBuffers;
  await test(device);
  assert.equal(device.memory.liveBuffers, before);
}

Deno.test("integrationReport() gives both packages' numbers under their own keys", () =>
  withDevice(async (device) => {
    const { scores, ...rest } = await integrationReport(device, CELLS);
    assert.deepEqual(Object.keys(scores), [...INTEGRATION_METRICS]);
    assert.deepEqual([rest.nCells, rest.nLabels, rest.nBatches], [400, 9, 4]);
    assert.deepEqual(Object.keys(rest.kbetPerLabel), Object.keys(SCIB_METRICS.kbet_by_label));
    const expected = {
      "scib.asw_label": SCIB.asw_label,
      "scib.asw_batch": SCIB.asw_batch,
      "scib.graph_connectivity": SCIB.graph_connectivity,
      "scib.pcr_comparison": SCIB.pcr_comparison,
      "scib.isolated_labels_asw": SCIB.isolated_labels_asw,
      "scib_metrics.isolated_labels": SCIB_METRICS.isolated_labels,
      "scib_metrics.silhouette_label": SCIB_METRICS.silhouette_label,
      "scib_metrics.clisi_knn": SCIB_METRICS.clisi,
      "scib_metrics.bras": SCIB_METRICS.bras,
      "scib_metrics.ilisi_knn": SCIB_METRICS.ilisi,
      "scib_metrics.kbet": SCIB_METRICS.kbet,
      "scib_metrics.kbet_per_label": SCIB_METRICS.kbet_per_label,
      "scib_metrics.graph_connectivity": SCIB_METRICS.graph_connectivity,
      "scib_metrics.pcr_comparison": SCIB_METRICS.pcr_comparison,
    } as const;
    for (const [key, value] of Object.entries(expected)) {
      assertClose([scores[key as keyof typeof expected].value!], [value], 1e-5);
    }
  }));

Deno.test("integrationReport() weighs its means as the two packages do", () =>
  withDevice(async (device) => {
    const { scores } = await integrationReport(device, CELLS);
    const value = (key: typeof INTEGRATION_METRICS[number]): number => scores[key].value!;
    const bio = (value("scib.nmi") + value("scib.ari") + value("scib.asw_label")) / 3;
    const batch = (value("scib.asw_batch") + value("scib.graph_connectivity")) / 2;
    assertClose([value("scib.avg_bio"), value("scib.avg_batch")], [bio, batch], 1e-12);
    assertClose([value("scib.overall")], [0.6 * bio + 0.4 * batch], 1e-12);
    const names = [
      "bras",
      "ilisi_knn",
      "kbet_per_label",
      "graph_connectivity",
      "pcr_comparison",
    ] as const;
    const correction = names.reduce((sum, name) => sum + value(`scib_metrics.${name}`), 0) / 5;
    assertClose([value("scib_metrics.batch_correction")], [correction], 1e-12);
    const total = 0.6 * value("scib_metrics.bio_conservation") + 0.4 * correction;
    assertClose([value("scib_metrics.total")], [total], 1e-12);
  }));

Deno.test("integrationReport() says why a metric has no value, and what a mean leaves out", () =>
  withDevice(async (device) => {
    const { before: _, ...some } = CELLS;
    const { scores } = await integrationReport(device, some);
    assert.deepEqual(scores["scib.pcr_comparison"], {
      value: null,
      note: "no coordinates before integration were given",
    });
    assert.equal(scores["scib_metrics.total"].note, "without scib_metrics.pcr_comparison");

    const batches = BATCHES.map(() => "one");
    const one = (await integrationReport(device, { ...some, batches })).scores;
    assert.equal(one["scib_metrics.ilisi_knn"].note, "there must be 2 batches: got 1");
    assert.equal(one["scib.avg_batch"].note, "scib.asw_batch has no value");
    assert.equal(one["scib.overall"].note, "scib.avg_batch has no value");
    assert.equal(typeof one["scib.avg_bio"].value, "number");

    const labels = LABELS.map(() => "cell");
    const same = await integrationReport(device, { embedding: AFTER, labels });
    assert.equal(same.resolution, null);
    assert.match(same.scores["scib.asw_label"].note!, /2 groups or more, .* got 1 of 400 cells/);
    assert.equal(same.scores["scib_metrics.bras"].note, "no batches were given");
    for (const { value } of Object.values(same.scores)) assert.ok(!Number.isNaN(value));
  }));

Deno.test("integrationReport() takes few cells, refuses odd ones, and stops when it is told", () =>
  withDevice(async (device) => {
    const rows = (n: number) => ({
      nRows: n,
      nCols: 1,
      data: new Float32Array(n).map((_, i) => i),
    });
    const few = { embedding: rows(4), labels: ["a", "a", "b", "b"], batches: [0, 1, 0, 1] };
    const { scores } = await integrationReport(device, few);
    assert.equal(scores["scib_metrics.kbet_per_label"].value, null);
    assert.equal(typeof scores["scib.asw_batch"].note, "string");
    const two = integrationReport(device, { embedding: rows(2), labels: ["a", "b"] });
    await assert.rejects(two, /there must be 3 cells: got 2/);
    const short = integrationReport(device, { ...CELLS, before: rows(3) });
    await assert.rejects(short, /must have the 400 rows of the embedding: got 3/);
    const misspelt = { ...CELLS, batch: BATCHES };
    await assert.rejects(integrationReport(device, misspelt), /did you mean "batches"/);
    const stopped = integrationReport(device, CELLS, { signal: AbortSignal.abort() });
    await assert.rejects(stopped, { name: "AbortError" });
  }));
