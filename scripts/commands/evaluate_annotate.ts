/** `scgpt evaluate annotate`: annotators of several seeds beside the baselines, on the same cells. */
import {
  type AnnotationEvaluation,
  type AnnotationEvaluationEvent,
  type AnnotatorPrepared,
  evaluateAnnotation,
  reportLabels,
} from "../../mod.ts";
import { command, type Context } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { dataNames, EVALUATION_FLAGS, evaluationManifest, tableText } from "./evaluation_files.ts";
import { followTrainings, labelScores, leaveReport } from "./evaluation_run.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { LABEL_MAP_FLAG, readLabelMaps } from "./label_map.ts";
import { refuseExisting } from "./outputs.ts";
import { ANNOTATOR_FLAGS, sayPrepared } from "./train_annotate.ts";
import { fitOptions, geneOptions, startOptions } from "./train_flags.ts";
import { openPretrained } from "./train_run.ts";

const { seed: _, ...RECIPE_FLAGS } = ANNOTATOR_FLAGS;

/** The command. */
export const evaluateAnnotate = command({
  name: "annotate",
  help: "train on some cells, name others, and report beside the baselines",
  flags: {
    train: { kind: "string", help: "labelled h5ad file to learn from", required: true },
    query: { kind: "string", help: "labelled h5ad file to name", required: true },
    labelKey: { kind: "string", help: "column of obs with the labels", required: true },
    queryLabelKey: { kind: "string", help: "that of the query", byDefault: "--label-key" },
    queryLayer: { kind: "string", help: "matrix of the query", byDefault: "--layer" },
    minCoverage: { kind: "number", help: "least part of the model's genes", default: 0.5 },
    labelMap: LABEL_MAP_FLAG,
    ...EVALUATION_FLAGS,
    ...RECIPE_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { output, force = false, seeds, labelKey, queryLabelKey, queryLayer } = flags;
    await refuseExisting(output, force);
    for (const path of [flags.train, flags.query]) await checkInputCells(path);
    const labelMaps = await readLabelMaps(flags.labelMap);
    using train = await openCells(flags.train);
    using query = await openCells(flags.query);
    await using device = await openFromFlags(flags, context);
    using pretrained = await openPretrained(flags.model, device, context);
    const { seed: _, ...start } = startOptions({ ...flags, seed: 0 });
    const events = evaluateAnnotation(train, query, device, {
      train: {
        labelKey,
        labelMap: labelMaps.reference,
        ...start,
        ...geneOptions(flags),
        stratify: flags.stratify,
        validation: flags.validation,
        ...pretrained && { pretrained },
        fit: fitOptions(flags, { signal: context.signal }),
      },
      queryLabelMap: labelMaps.query,
      minCoverage: flags.minCoverage,
      seeds,
      ...queryLabelKey !== undefined && { queryLabelKey },
      ...queryLayer !== undefined && { queryLayer },
    });
    const result = await followEvaluation(events, context);
    const report = await reportLabels(device, result, {
      title: `Annotation: ${dataNames(flags.train, flags.query)}`,
      manifest: evaluationManifest("evaluate annotate", device, flags),
      signal: context.signal,
    });
    const tables = [tableText(report.tables[0]!)];
    return await leaveReport(report, output, { say: context.say, tables });
  },
});

/** Shows trainings and scores as they come, and gives the result. */
export async function followEvaluation(
  events: AsyncIterable<AnnotationEvaluationEvent>,
  context: Pick<Context, "say" | "terminal">,
): Promise<AnnotationEvaluation> {
  const prepared = (event: AnnotatorPrepared) => sayPrepared(event, context);
  return await followTrainings(events, context, { prepared, scores: labelScores });
}
