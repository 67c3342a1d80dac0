/** `scgpt evaluate integrate`: integrations of several seeds beside the baselines, by scib's and scib-metrics' numbers. */
import {
  evaluateIntegration,
  type IntegrationEvaluation,
  type IntegrationEvaluationEvent,
  reportIntegration,
} from "../../mod.ts";
import { command, type Context } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import {
  dataNames,
  EVALUATION_FLAGS,
  evaluationManifest,
  tableText,
  writeReport,
} from "./evaluation_files.ts";
import { checkCells, openCells } from "./cells_file.ts";
import { LABEL_MAP_FLAG, readLabelMaps } from "./label_map.ts";
import { refuseExisting } from "./outputs.ts";
import { fitOptions } from "./train_flags.ts";
import { INTEGRATION_FLAGS, integrationOptions, sayBatches } from "./train_integrate.ts";
import { TrainProgress } from "./train_progress.ts";
import { openPretrained } from "./train_run.ts";

const { seed: _, ...RECIPE_FLAGS } = INTEGRATION_FLAGS;

/** Columns that fit a terminal: the means of both families of metrics, and what scib's are means of. */
const SHOWN = [
  ...["nmi", "ari", "asw_label", "asw_batch", "avg_bio", "avg_batch", "overall"],
  ...["bio_conservation", "batch_correction", "total"],
];

/** The command. */
export const evaluateIntegrate = command({
  name: "integrate",
  help: "train on cells of several batches and report beside HVG + PCA, Harmony, random weights",
  flags: {
    input: { kind: "string", help: "cells of all batches", required: true },
    batchKey: { kind: "string", help: "column of obs with the batches", required: true },
    labelKey: {
      kind: "string",
      help: "column of obs with cell types, which no method sees",
      required: true,
    },
    labelMap: LABEL_MAP_FLAG,
    ...EVALUATION_FLAGS,
    ...RECIPE_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { output, force = false, input, batchKey, labelKey, seeds } = flags;
    await refuseExisting(output, force);
    await checkCells(input);
    const { reference: labelMap } = await readLabelMaps(flags.labelMap);
    using cells = await openCells(input, context.signal);
    await using device = await openFromFlags(flags, context);
    using pretrained = await openPretrained(flags.model, device, context);
    const { seed: _, ...recipe } = integrationOptions({ ...flags, seed: 0 });
    const events = evaluateIntegration(cells, device, {
      train: {
        batchKey,
        ...recipe,
        ...pretrained && { pretrained },
        fit: fitOptions(flags, { signal: context.signal }),
      },
      labelKey,
      labelMap,
      seeds,
    });
    const result = await follow(events, context);
    const report = await reportIntegration(device, result, {
      title: `Integration: ${dataNames(input)}`,
      manifest: evaluationManifest("evaluate integrate", device, flags),
      signal: context.signal,
    });
    for (const table of report.tables) context.say(`${table.title}\n${tableText(table, SHOWN)}`);
    const files = await writeReport(output, report);
    context.say(`wrote ${files.join(", ")}`);
    return { output, summary: report.summary, methods: report.tables[0]!.rows };
  },
});

async function follow(
  events: AsyncIterable<IntegrationEvaluationEvent>,
  context: Pick<Context, "say" | "terminal">,
): Promise<IntegrationEvaluation> {
  let progress: TrainProgress | undefined;
  try {
    for await (const event of events) {
      if (event.kind === "result") return event.result;
      if (event.kind === "training") {
        const { seed, event: step } = event;
        if (step.kind === "prepared") {
          context.say(`seed ${seed}`);
          sayBatches(step, context);
          progress = new TrainProgress(context);
        } else progress!.show(step);
      }
      if (event.kind === "method") {
        const { method, result: { scores }, seconds } = event;
        const overall = scores["scib.overall"].value?.toFixed(3) ?? "not defined";
        context.say(`${method}: overall (scib) ${overall} (${seconds.toFixed(1)} s)`);
      }
    }
  } finally {
    progress?.stop();
  }
  throw new Error("Cannot evaluate as the stream gave no result");
}
