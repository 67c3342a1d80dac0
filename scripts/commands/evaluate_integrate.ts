/** `scgpt evaluate integrate`: integrations of several seeds beside the baselines, by scib's and scib-metrics' numbers. */
import {
  evaluateIntegration,
  type IntegrationPrepared,
  type IntegrationReport,
  reportIntegration,
} from "../../mod.ts";
import { command } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { dataNames, EVALUATION_FLAGS, evaluationManifest, tableText } from "./evaluation_files.ts";
import { followTrainings, leaveReport } from "./evaluation_run.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { LABEL_MAP_FLAG, readLabelMaps } from "./label_map.ts";
import { refuseExisting } from "./outputs.ts";
import { fitOptions } from "./train_flags.ts";
import { INTEGRATION_FLAGS, integrationOptions, sayBatches } from "./train_integrate.ts";
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
    input: { kind: "string", help: "h5ad file with cells of all batches", required: true },
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
    await checkInputCells(input);
    const { reference: labelMap } = await readLabelMaps(flags.labelMap);
    using cells = await openCells(input);
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
    const prepared = (event: IntegrationPrepared) => sayBatches(event, context);
    const result = await followTrainings(events, context, { prepared, scores: overall });
    const report = await reportIntegration(device, result, {
      title: `Integration: ${dataNames(input)}`,
      manifest: evaluationManifest("evaluate integrate", device, flags),
      signal: context.signal,
    });
    const tables = report.tables.map((table) => `${table.title}\n${tableText(table, SHOWN)}`);
    return await leaveReport(report, output, { say: context.say, tables });
  },
});

/** The figure that scib sums the others up in. */
function overall({ scores }: IntegrationReport): string {
  return `overall (scib) ${scores["scib.overall"].value?.toFixed(3) ?? "not defined"}`;
}
