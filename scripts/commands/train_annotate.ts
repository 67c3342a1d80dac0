/** `scgpt train annotate`: a model that names cell types, from labelled cells. */
import { type AnnotatorPrepared, type AnnotatorTrained, trainAnnotator } from "../../mod.ts";
import { command, type Context, type Flags } from "./command.ts";
import { DEVICE_FLAGS } from "./device_flags.ts";
import { LABEL_MAP_FLAG, readLabelMaps } from "./label_map.ts";
import {
  GENE_FLAGS,
  geneOptions,
  recipeFlags,
  RUN_FLAGS,
  START_FLAGS,
  startOptions,
} from "./train_flags.ts";
import { earlierOptions, followRun, openRun } from "./train_run.ts";

/** Flags of an annotator's recipe; the published one. */
export const ANNOTATOR_FLAGS = {
  ...START_FLAGS,
  ...GENE_FLAGS,
  ...recipeFlags({ epochs: 10, batchSize: 32, validation: 0.1, schedule: "step-decay" }),
  stratify: {
    kind: "boolean",
    help: "let cells validate without regard to their class",
    default: true,
  },
} as const satisfies Flags;

/** The command. */
export const trainAnnotate = command({
  name: "annotate",
  help: "learn cell types from labelled cells; use the model with: scgpt annotate",
  flags: {
    train: { kind: "string", help: "labelled h5ad file", required: true },
    labelKey: { kind: "string", help: "column of obs with the labels", required: true },
    labelMap: LABEL_MAP_FLAG,
    ...RUN_FLAGS,
    ...ANNOTATOR_FLAGS,
    ...DEVICE_FLAGS,
  },
  earlier: earlierOptions,
  run: async (flags, context) => {
    const { output, train, labelKey } = flags;
    const { reference: labelMap } = await readLabelMaps(flags.labelMap);
    await using run = await openRun(flags, [train], context);
    const events = trainAnnotator(run.cells[0]!, run.device, {
      labelKey,
      labelMap,
      ...startOptions(flags),
      ...geneOptions(flags),
      ...run.start,
      stratify: flags.stratify,
      validation: flags.validation,
      fit: run.fit,
    });
    const { summary, model } = await followRun(events, run.place, {
      context,
      prepared: (event: AnnotatorPrepared) => sayPrepared(event, context),
      trained: ({ annotator }: AnnotatorTrained) => annotator,
    });
    using _model = model;
    context.say(`wrote ${output}; use it with: deno task scgpt annotate --model ${output}`);
    return { ...summary, classes: model.description.classes };
  },
});

/** Says what is learned from. */
export function sayPrepared(
  { genes, classes, unlabelled, notes }: AnnotatorPrepared,
  { say }: Pick<Context, "say">,
): void {
  const counts = Object.entries(classes).map(([name, cells]) => `${name} ${cells}`);
  say(`genes: ${genes.names.length}, ${genes.how}`);
  say(`${counts.length} classes: ${counts.join(", ")}`);
  if (unlabelled > 0) say(`left out: ${unlabelled} cells without a label`);
  for (const note of notes) say(`note: ${note}`);
}
