/** `scgpt evaluate map`: reference mapping beside random weights and the baselines. */
import {
  evaluateMapping,
  loadModelWithReport,
  type MappingEvaluation,
  type MappingEvaluationEvent,
  reportLabels,
} from "../../mod.ts";
import { command, type Context } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { EMBED_FLAGS, embedOptions } from "./embed_flags.ts";
import { dataNames, EVALUATION_FLAGS, evaluationManifest, tableText } from "./evaluation_files.ts";
import { failWithoutResult, labelScores, leaveReport, methodText } from "./evaluation_run.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { LABEL_MAP_FLAG, readLabelMaps } from "./label_map.ts";
import { refuseExisting } from "./outputs.ts";

const { seed: _, ...READ_FLAGS } = EMBED_FLAGS;

/** The command. */
export const evaluateMap = command({
  name: "map",
  help: "map query cells onto a reference and report beside the baselines",
  flags: {
    model: { kind: "string", help: "model folder", required: true },
    reference: { kind: "string", help: "labelled h5ad file", required: true },
    query: { kind: "string", help: "labelled h5ad file to name", required: true },
    labelKey: { kind: "string", help: "column of obs with the labels", required: true },
    queryLabelKey: { kind: "string", help: "that of the query", byDefault: "--label-key" },
    labelMap: LABEL_MAP_FLAG,
    k: { kind: "integer", help: "neighbours that vote", default: 10 },
    ...EVALUATION_FLAGS,
    ...READ_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { output, force = false, labelKey, queryLabelKey, k, seeds } = flags;
    await refuseExisting(output, force);
    for (const path of [flags.reference, flags.query]) await checkInputCells(path);
    const labelMaps = await readLabelMaps(flags.labelMap);
    using reference = await openCells(flags.reference);
    using query = await openCells(flags.query);
    await using device = await openFromFlags(flags, context);
    const { signal } = context;
    const { model, report: loaded } = await loadModelWithReport(flags.model, device, { signal });
    using _model = model;
    for (const note of loaded.notes) context.say(`note: ${note}`);
    const { seed: _, ...embedding } = embedOptions({ ...flags, seed: 0 }, signal);
    const events = evaluateMapping(reference, query, model, {
      map: { labelKey, labelMap: labelMaps.reference, k, embedding },
      queryLabelMap: labelMaps.query,
      seeds,
      ...queryLabelKey !== undefined && { queryLabelKey },
    });
    const result = await follow(events, context);
    const report = await reportLabels(device, result, {
      title: `Reference mapping: ${dataNames(flags.reference, flags.query)}`,
      manifest: evaluationManifest("evaluate map", device, flags),
      signal,
    });
    const tables = [tableText(report.tables[0]!)];
    return await leaveReport(report, output, { say: context.say, tables });
  },
});

async function follow(
  events: AsyncIterable<MappingEvaluationEvent>,
  { say }: Pick<Context, "say">,
): Promise<MappingEvaluation> {
  for await (const event of events) {
    if (event.kind === "result") return event.result;
    if (event.kind !== "method") continue;
    const { method, seed, result } = event;
    const named = { ...event, method: seed === null ? method : `${method}, seed ${seed}` };
    say(methodText(named, labelScores(result)));
  }
  return failWithoutResult();
}
