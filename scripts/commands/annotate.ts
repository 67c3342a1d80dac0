/** `scgpt annotate`: cell types of query cells by a trained annotator, with scores where the truth is known. */
import {
  annotate,
  type AnnotateOptions,
  attachAnnotation,
  classificationReport,
  labelsOf,
  loadTrained,
  runManifest,
} from "../../mod.ts";
import { annotationFigures } from "./annotation_figures.ts";
import { command, type Flags } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { metricsRows, metricsTable } from "./evaluate_mapping.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { LABEL_MAP_FLAG, readLabelMaps } from "./label_map.ts";
import { checkOutputCells, writeCells, writeWhole } from "./outputs.ts";
import { FORCE_FLAG, READ_FLAGS, readOptions } from "./read_flags.ts";
import { CellsProgress } from "./cells_progress.ts";

const ANNOTATE_FLAGS = {
  ...READ_FLAGS,
  minConfidence: { kind: "number", help: "smallest probability; below: unknown", default: 0 },
} as const satisfies Flags;

/** The command. */
export const annotateCommand = command({
  name: "annotate",
  help: "name cell types by a model of: train annotate",
  flags: {
    model: { kind: "string", help: "folder of the run", required: true },
    input: { kind: "string", help: "h5ad file to label", required: true },
    output: {
      kind: "string",
      help: "h5ad file to write: the input with labels and probabilities",
      required: true,
    },
    force: FORCE_FLAG,
    truthKey: { kind: "string", help: "column of obs with true labels, to score against" },
    labelMap: LABEL_MAP_FLAG,
    figures: { kind: "string", help: "folder for figures and metrics.json" },
    ...ANNOTATE_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { input, output, force = false, truthKey, figures } = flags;
    const { say, signal } = context;
    await checkOutputCells(output, force);
    await checkInputCells(input);
    const { query: labelMap } = await readLabelMaps(flags.labelMap);
    using cells = await openCells(input);
    const truth = truthKey === undefined ? undefined : await labelsOf(cells, truthKey, labelMap);
    await using device = await openFromFlags(flags, context);
    using annotator = await loadTrained(flags.model, device, { signal });
    const progress = new CellsProgress("annotated", cells.nObs, context);
    const { minConfidence } = flags;
    const options = { ...readOptions(flags), minConfidence, signal } satisfies AnnotateOptions;
    const began = performance.now();
    const annotation = await annotate(cells, annotator, {
      ...options,
      onProgress: (done) => progress.show(done),
    });
    progress.stop();
    const { found, panel } = annotation.panel;
    say(`genes: ${found} of the model's ${panel} are in the data`);
    const metrics = truth === undefined ? [] : metricsRows([{
      method: "scGPT, trained",
      report: scored(truth, annotation.labels),
      seconds: (performance.now() - began) / 1000,
    }]);
    if (metrics.length > 0) say(metricsTable(metrics));
    const { signal: _, ...given } = options;
    const manifest = await runManifest("annotate", annotator.model, given);
    const annotated = attachAnnotation(cells, annotation, { manifest });
    await writeCells(annotated, { output, force }, context);
    if (figures !== undefined) {
      const drawn = await annotationFigures(cells, annotator, {
        folder: figures,
        labels: annotation.labels,
        truth,
        options,
      });
      const json = JSON.stringify({ metrics, manifest }, null, 2);
      await writeWhole(`${figures}/metrics.json`, `${json}\n`);
      say(`drew ${drawn.join(", ")}`);
    }
    return { cells: cells.nObs, output, panel: annotation.panel, metrics, manifest };
  },
});

/** Scores of the cells whose true label is known. */
function scored(truth: readonly (string | null)[], labels: readonly string[]) {
  const rows = truth.flatMap((label, row) => label === null ? [] : [row]);
  return classificationReport(rows.map((row) => truth[row]!), rows.map((row) => labels[row]!));
}
