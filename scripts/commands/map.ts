/** `scgpt map`: labels for query cells from a labelled reference, with scores beside the baselines where the truth is known. */
import {
  attachMapping,
  labelsOf,
  loadModelWithReport,
  type MapEvent,
  mapEvents,
  type MapReferenceOptions,
  type MapReferenceResult,
  runManifest,
} from "../../mod.ts";
import { command, type Context, type Flags, type FlagValues } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { EMBED_FLAGS, embedOptions, EmbedProgress } from "./embed_flags.ts";
import {
  compareWithBaselines,
  drawMapping,
  type MappedCells,
  metricsRows,
  metricsTable,
} from "./evaluate_mapping.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { LABEL_MAP_FLAG, type LabelMap, readLabelMaps } from "./label_map.ts";
import { checkOutputCells, writeCells, writeWhole } from "./outputs.ts";
import { FORCE_FLAG } from "./read_flags.ts";

const MAP_FLAGS = {
  labelKey: {
    kind: "string",
    help: "column of the reference's obs with the labels",
    required: true,
  },
  k: { kind: "integer", help: "neighbours that vote", byDefault: "10" },
  weights: {
    kind: "string",
    help: "votes",
    choices: ["uniform", "distance"],
    byDefault: "uniform: majority",
  },
  minConfidence: {
    kind: "number",
    help: "smallest share of votes; below: unknown",
    byDefault: "0",
  },
  maxDistanceQuantile: {
    kind: "number",
    help: "cells stranger than this share of the reference: unknown",
    byDefault: "none",
  },
} as const satisfies Flags;

/** The command. */
export const map = command({
  name: "map",
  help: "label query cells by their nearest reference cells in scGPT's space",
  flags: {
    model: { kind: "string", help: "model folder", required: true },
    reference: { kind: "string", help: "labelled h5ad file", required: true },
    query: { kind: "string", help: "h5ad file to label", required: true },
    output: {
      kind: "string",
      help: "h5ad file to write: the query with labels and embeddings",
      required: true,
    },
    force: FORCE_FLAG,
    labelMap: LABEL_MAP_FLAG,
    truthKey: {
      kind: "string",
      help: "column of the query's obs with true labels, to score against",
    },
    figures: { kind: "string", help: "folder for figures and metrics.json" },
    ...MAP_FLAGS,
    ...EMBED_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { output, force = false, figures, truthKey, layer = "X" } = flags;
    const { say, signal } = context;
    await checkOutputCells(output, force);
    for (const path of [flags.reference, flags.query]) await checkInputCells(path);
    const labelMaps = await readLabelMaps(flags.labelMap);
    using reference = await openCells(flags.reference);
    using query = await openCells(flags.query);
    const truth = truthKey === undefined
      ? undefined
      : await labelsOf(query, truthKey, labelMaps.query);
    await using device = await openFromFlags(flags, context);
    const { model, report } = await loadModelWithReport(flags.model, device, { signal });
    using _model = model;
    for (const note of report.notes) say(`note: ${note}`);
    const began = performance.now();
    const options = mapOptions(flags, labelMaps.reference);
    const embedding = embedOptions(flags, signal);
    const result = await mapWithProgress(
      mapEvents(reference, query, model, { ...options, embedding }),
      context,
    );
    const seconds = (performance.now() - began) / 1000;
    say(
      `mapped ${query.nObs} cells onto ${result.referenceRows.length} labelled ones in ${
        seconds.toFixed(1)
      } s`,
    );
    const mapped: MappedCells = { reference, query, layer, result, truth: truth ?? [] };
    const comparisons = truth === undefined ? [] : await compareWithBaselines(mapped, model, {
      name: "scGPT, kNN in its space",
      seconds,
      signal,
    });
    const metrics = metricsRows(comparisons);
    if (metrics.length > 0) say(metricsTable(metrics));
    const manifest = await runManifest("map", model, { ...options, ...embedding });
    await writeCells(attachMapping(query, result, { manifest }), { output, force }, context);
    if (figures !== undefined) {
      const drawn = await drawMapping(mapped, model, {
        folder: figures,
        title: "Reference mapping",
        weights: report.notes.find((note) => note.startsWith("weights: ")) ??
          `weights of ${report.weightFile}`,
        comparison: comparisons[0],
        signal,
      });
      await writeWhole(
        `${figures}/metrics.json`,
        `${JSON.stringify({ metrics, manifest }, null, 2)}\n`,
      );
      say(`drew ${drawn.join(", ")}`);
    }
    return { cells: query.nObs, output, metrics, manifest };
  },
});

/** Shows both embeddings and returns the result. */
async function mapWithProgress(
  events: AsyncIterable<MapEvent>,
  context: Context,
): Promise<MapReferenceResult> {
  const progress = {
    reference: new EmbedProgress(context, "reference"),
    query: new EmbedProgress(context, "query"),
  };
  for await (const event of events) {
    if (event.type === "result") return event.result;
    progress[event.part].show(event.event);
  }
  throw new Error("Cannot map as the stream gave no result");
}

/** The flags that were given, as options of `mapReference`. */
function mapOptions(flags: FlagValues<typeof MAP_FLAGS>, labelMap: LabelMap): MapReferenceOptions {
  const { k, weights, minConfidence, maxDistanceQuantile } = flags;
  return {
    labelKey: flags.labelKey,
    labelMap,
    ...k !== undefined && { k },
    ...weights !== undefined && { weights: weights as "uniform" | "distance" },
    ...minConfidence !== undefined && { minConfidence },
    ...maxDistanceQuantile !== undefined && { maxDistanceQuantile },
  };
}
