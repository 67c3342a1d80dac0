/**
 * `deno task demo`: the main job on real cells. 700 blood cells are split, both parts embedded by a small scGPT, and the one part is
 * labelled by the other; the scores stand beside the baselines' on the same split. The weights are fresh, that is random: the demo shows
 * that everything works and what random weights are worth, not what the published ones can do.
 */
import {
  attachMapping,
  GeneVocab,
  labelsOf,
  loadModel,
  mapReference,
  openH5ad,
  RandomStream,
  runManifest,
  STREAM,
  writeH5ad,
} from "../mod.ts";
import type { Context } from "./commands/command.ts";
import { openFromFlags } from "./commands/device_flags.ts";
import {
  compareWithBaselines,
  drawMapping,
  metricsRows,
  metricsTable,
} from "./commands/evaluate_mapping.ts";
import { makeModelFolder } from "./commands/init.ts";
import { writeWhole } from "./commands/outputs.ts";

const CELLS = new URL("demo/10x_pbmc68k_reduced.h5ad", import.meta.url);
const LABELS = "bulk_labels";
const SEED = 1;
const REFERENCE_SHARE = 0.7;

/** Runs the demo and writes everything into a folder. */
export async function demo(folder: string, { say, signal, terminal }: Context): Promise<void> {
  using cells = await openH5ad(CELLS);
  say(
    `${cells.nObs} real cells (10x, 68k PBMC), ${cells.raw?.var.length} genes, labels in obs.${LABELS}`,
  );
  await Deno.mkdir(folder, { recursive: true });
  const vocab = GeneVocab.fromNames(cells.raw?.var.index ?? []);
  await makeModelFolder(`${folder}/model`, vocab, {
    preset: "mini",
    seed: SEED,
    force: true,
    signal,
  });
  await using device = await openFromFlags(NO_FLAGS, { say, signal, terminal });
  using model = await loadModel(`${folder}/model`, device, { signal });
  const { reference: referenceRows, query: queryRows } = split(cells.nObs);
  const reference = cells.select({ obs: referenceRows }), query = cells.select({ obs: queryRows });
  const embedding = { layer: "raw", seed: SEED, signal };
  const began = performance.now();
  const result = await mapReference(reference, query, model, { labelKey: LABELS, embedding });
  const seconds = (performance.now() - began) / 1000;
  say(
    `embedded ${cells.nObs} cells and mapped ${query.nObs} onto ${reference.nObs} in ${
      seconds.toFixed(1)
    } s`,
  );
  const mapped = { reference, query, layer: "raw", result, truth: await labelsOf(query, LABELS) };
  const name = "scGPT mini, RANDOM weights, kNN (10)";
  const comparisons = await compareWithBaselines(mapped, model, { name, seconds, signal });
  const metrics = metricsRows(comparisons);
  say(metricsTable(metrics));
  say(
    "The scGPT row has random weights: nothing was learnt. Load published weights with: deno task scgpt map --model DIR",
  );
  const manifest = await runManifest("demo", model, { layer: "raw", seed: SEED, labelKey: LABELS });
  await writeH5ad(attachMapping(query, result, { manifest }), `${folder}/query.h5ad`, {
    force: true,
    signal,
  });
  await writeWhole(`${folder}/metrics.json`, `${JSON.stringify(metrics, null, 2)}\n`);
  await writeWhole(`${folder}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  const figures = await drawMapping(mapped, model, {
    folder,
    title: "10x PBMC 68k, 700 cells",
    weights: "random weights",
    comparison: comparisons[0],
    signal,
  });
  say(
    `wrote ${
      ["query.h5ad", "metrics.json", "manifest.json"].map((file) => `${folder}/${file}`).join(", ")
    }, ${figures.join(", ")} (and .png)`,
  );
}

const NO_FLAGS = {
  device: undefined,
  software: undefined,
  threads: undefined,
  memoryLimitBytes: undefined,
};

/** Draws the reference's rows; the rest is the query. */
function split(cells: number): { reference: number[]; query: number[] } {
  const random = new RandomStream(SEED, STREAM.split);
  const drawn = Array.from({ length: cells }, (_, row) => ({ row, draw: random.next() }));
  drawn.sort((a, b) => a.draw - b.draw);
  const rows = drawn.map(({ row }) => row), cut = Math.round(cells * REFERENCE_SHARE);
  const ascending = (part: number[]) => part.sort((a, b) => a - b);
  return { reference: ascending(rows.slice(0, cut)), query: ascending(rows.slice(cut)) };
}

if (import.meta.main) {
  const interrupt = new AbortController();
  Deno.addSignalListener(
    "SIGINT",
    () => interrupt.abort(new DOMException("Interrupted", "AbortError")),
  );
  try {
    const say = (line: string) => console.error(line);
    await demo(Deno.args[0] ?? "out/demo", {
      say,
      signal: interrupt.signal,
      terminal: Deno.stderr.isTerminal(),
    });
    Deno.exit(0);
  } catch (error) {
    console.error(interrupt.signal.aborted ? "Interrupted." : error);
    Deno.exit(interrupt.signal.aborted ? 130 : 1);
  }
}
