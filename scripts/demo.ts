/**
 * `deno task demo`: the main job on real cells. 700 blood cells are split, a small scGPT learns the types of the one part and names the
 * cells of the other, three times with other seeds; the scores stand beside the baselines' on the same split.
 */
import {
  type Annotation,
  type AnnotationEvaluationEvent,
  type AnnotatorEvaluated,
  attachAnnotation,
  evaluateAnnotation,
  meanAnnotation,
  openH5ad,
  RandomStream,
  reportLabels,
  type RunManifest,
  runManifest,
  saveTrained,
  STREAM,
  type TrainAnnotatorOptions,
  writeH5ad,
} from "../mod.ts";
import type { Context } from "./commands/command.ts";
import { openFromFlags } from "./commands/device_flags.ts";
import { followEvaluation } from "./commands/evaluate_annotate.ts";
import { tableText, writeReport } from "./commands/evaluation_files.ts";
import { writeWhole } from "./commands/outputs.ts";

const CELLS = new URL("demo/10x_pbmc68k_reduced.h5ad", import.meta.url);
const LABELS = "bulk_labels";
const SPLIT_SEED = 1;
const SEEDS = [1, 2, 3];
const REFERENCE_SHARE = 0.7;

/**
 * The recipe: chosen by four-fold cross-validation of the training cells, never by the cells that are scored. There its three seeds have accuracy
 * 0.792 to 0.812 each and 0.812 together (macro F1 0.631 to 0.679, 0.682); kNN 0.784 (0.613), L2 logistic 0.818 (0.697). So few cells leave none
 * to validate; the learning rate falls to zero instead.
 */
const RECIPE = {
  labelKey: LABELS,
  layer: "raw",
  binning: "none",
  nTopGenes: 300,
  config: { nlayers: 1, nlayersCls: 1, inputEmbStyle: "scaling" },
  validation: 0,
  fit: {
    epochs: 15,
    batchSize: 8,
    lr: 2e-3,
    schedule: { kind: "cosine", warmup: 0.1 },
  },
} as const satisfies Omit<TrainAnnotatorOptions, "seed">;

/** What of the demo may be changed, for tests. */
export interface DemoOptions {
  /** Passes through the training cells; the recipe's by default. */
  readonly epochs?: number;
}

/** Runs the demo and writes everything into a folder. */
export async function demo(
  folder: string,
  context: Context,
  { epochs = RECIPE.fit.epochs }: DemoOptions = {},
): Promise<void> {
  const { say, signal } = context;
  using cells = await openH5ad(CELLS);
  say(
    `${cells.nObs} real cells (10x, 68k PBMC), ${cells.raw?.var.length} genes, labels in obs.${LABELS}`,
  );
  await Deno.mkdir(folder, { recursive: true });
  await using device = await openFromFlags(NO_FLAGS, context);
  const rows = split(cells.nObs);
  const reference = cells.select({ obs: rows.reference });
  const query = cells.select({ obs: rows.query });
  say(`learning from ${reference.nObs} of them, to name the other ${query.nObs}`);
  const recipe = { ...RECIPE, fit: { ...RECIPE.fit, epochs } };
  const manifests: RunManifest[] = [], annotations: Annotation[] = [], models: string[] = [];
  const keep = async ({ seed, annotator, annotation }: AnnotatorEvaluated) => {
    manifests.push(await runManifest("demo", annotator.model, { ...recipe, seeds: SEEDS }));
    annotations.push(annotation);
    models.push(`${folder}/model_seed${seed}`);
    await saveTrained(models.at(-1)!, annotator, { force: true, signal });
  };
  const events = evaluateAnnotation(reference, query, device, {
    train: { ...recipe, fit: { ...recipe.fit, signal } },
    seeds: SEEDS,
  });
  const result = await followEvaluation(tapped(events, keep), context);
  const weights = manifests.map(({ weights_sha256 }) => weights_sha256).join(", ");
  const manifest = { ...manifests[0]!, weights_sha256: weights };
  const named = attachAnnotation(query, meanAnnotation(annotations), { manifest });
  await writeH5ad(named, `${folder}/query.h5ad`, { force: true, signal });
  const report = await reportLabels(device, result, {
    title: `Blood cell types: ${reference.nObs} cells name ${query.nObs} others`,
    manifest,
    signal,
  });
  say(tableText(report.tables[0]!));
  say(
    "scGPT is made to be pretrained on millions of cells; these are small models that learned from scratch. To begin with published " +
      "weights: deno task train annotate --model DIR",
  );
  await writeWhole(`${folder}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  const files = await writeReport(folder, report);
  const others = ["query.h5ad", "manifest.json"].map((file) => `${folder}/${file}`);
  say(`wrote ${[...files, ...others, ...models].join(", ")}`);
  say(
    `open ${folder}/report.html in a browser; the labels of the mean of all seeds are in obs.scgpt_label of query.h5ad`,
  );
}

/** Hands the annotator to `keep` while it lives, and all events on. */
async function* tapped(
  events: AsyncIterable<AnnotationEvaluationEvent>,
  keep: (event: AnnotatorEvaluated) => Promise<void>,
): AsyncGenerator<AnnotationEvaluationEvent, void, undefined> {
  for await (const event of events) {
    if (event.kind === "annotated") await keep(event);
    yield event;
  }
}

const NO_FLAGS = {
  device: undefined,
  software: undefined,
  threads: undefined,
  memoryLimitBytes: undefined,
};

/** Draws the reference's rows; the rest is the query. */
function split(cells: number): { reference: number[]; query: number[] } {
  const random = new RandomStream(SPLIT_SEED, STREAM.split);
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
