/** `scgpt train annotate`: a model that names cell types, from labelled cells. */
import { type AnnotatorPrepared, type AnnotatorTrained, trainAnnotator } from "../../mod.ts";
import { command, type Context, type Flags } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { checkCells, openCells } from "./cells_file.ts";
import { LABEL_MAP_FLAG, readLabelMaps } from "./label_map.ts";
import {
  fitOptions,
  GENE_FLAGS,
  geneOptions,
  recipeFlags,
  RUN_FLAGS,
  START_FLAGS,
  startOptions,
} from "./train_flags.ts";
import { checkRunFolder, earlierOptions, followRun, openPretrained, storeOf } from "./train_run.ts";

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
    train: { kind: "string", help: "labelled cells", required: true },
    labelKey: { kind: "string", help: "column of obs with the labels", required: true },
    labelMap: LABEL_MAP_FLAG,
    ...RUN_FLAGS,
    ...ANNOTATOR_FLAGS,
    ...DEVICE_FLAGS,
  },
  earlier: earlierOptions,
  run: async (flags, context) => {
    const { output, train, labelKey, resume = false, force = false } = flags;
    const place = { output, resume, force, flags };
    await checkRunFolder(place);
    await checkCells(train);
    const { reference: labelMap } = await readLabelMaps(flags.labelMap);
    using cells = await openCells(train, context.signal);
    await using device = await openFromFlags(flags, context);
    using pretrained = await openPretrained(flags.model, device, context);
    const events = trainAnnotator(cells, device, {
      labelKey,
      labelMap,
      ...startOptions(flags),
      ...geneOptions(flags),
      stratify: flags.stratify,
      validation: flags.validation,
      ...pretrained && { pretrained },
      fit: fitOptions(flags, { signal: context.signal, store: storeOf(output), resume }),
    });
    const { summary, model } = await followRun(events, place, {
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
