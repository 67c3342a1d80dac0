/** Reference mapping judged honestly: a model beside random weights and the baselines, on the same cells. */
import type { AnnData } from "../../data/mod.ts";
import { freshModel, refuseUnknownKeys, type ScGPT } from "../../lib/mod.ts";
import { annotationBaselines, compareMethods } from "../baselines/compare.ts";
import type { CellEmbedding } from "../baselines/integration.ts";
import { readCells } from "../baselines/read_cells.ts";
import {
  labelsOf,
  type MapEvent,
  mapEvents,
  type MapReferenceOptions,
  type MapReferenceResult,
} from "../map_reference.ts";
import { type ClassificationReport, classificationReport } from "../metrics/classification.ts";
import type { EvaluationTraining, MethodEvaluated } from "./annotation.ts";
import { checkSeeds, type MethodResults, ResultTable } from "./method_results.ts";

/** Settings of {@linkcode evaluateMapping}. */
export interface EvaluateMappingOptions {
  /** How cells are mapped. */
  readonly map: MapReferenceOptions;
  /** Column of the query's `obs` with the true labels; that of the reference by default. */
  readonly queryLabelKey?: string;
  /** Common names of the query's labels; `null` leaves cells out. */
  readonly queryLabelMap?: Readonly<Record<string, string | null>>;
  /** Seeds of sampled genes and tied bins, and of the random weights; 1, 2, 3 by default. */
  readonly seeds?: readonly number[];
}

/** Name of the model in tables. */
export const MAPPED_METHOD = "scGPT, mapped";
const RANDOM_METHOD = "scGPT, random weights";

/** Scores of all methods, and what the figures are drawn from. */
export interface MappingEvaluation {
  /** The model first, then random weights and the baselines. */
  readonly methods: readonly MethodResults<ClassificationReport>[];
  /** Seeds. */
  readonly seeds: readonly number[];
  /** Reference cells of each class. */
  readonly classes: Readonly<Record<string, number>>;
  /** True labels of the scored query cells. */
  readonly truth: readonly string[];
  /** Their labels by the model, first seed. */
  readonly predicted: readonly string[];
  /** Their embeddings. */
  readonly embedding: CellEmbedding;
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/** What {@linkcode evaluateMapping} tells. */
export type MappingEvaluationEvent =
  | (EvaluationTraining<MapEvent> & {
    /** Model that embeds. */
    readonly method: string;
  })
  | MethodEvaluated<ClassificationReport>
  | { readonly kind: "result"; readonly result: MappingEvaluation };

/**
 * Maps the query's labelled cells by the model and by one with random weights for each seed, and names them by the baselines that learn from
 * the reference.
 *
 * @param reference Labelled cells
 * @param query Cells with known labels that are to be found
 * @param model Model
 * @param options Mapping and seeds
 * @returns Events; the last one has the result
 * @throws {RangeError} When labels are missing or a setting is out of range
 */
export async function* evaluateMapping(
  reference: AnnData,
  query: AnnData,
  model: ScGPT,
  options: EvaluateMappingOptions,
): AsyncGenerator<MappingEvaluationEvent, void, undefined> {
  const known = ["map", "queryLabelKey", "queryLabelMap", "seeds"];
  refuseUnknownKeys(options, known, "evaluate a mapping");
  const { map, seeds = [1, 2, 3], queryLabelKey = map.labelKey } = options;
  checkSeeds(seeds);
  const all = await labelsOf(query, queryLabelKey, options.queryLabelMap);
  const rows = all.flatMap((label, row) => label === null ? [] : [row]);
  const truth = rows.map((row) => all[row]!);
  const cells = query.select({ obs: rows });
  const table = new ResultTable<ClassificationReport>();
  let first: MapReferenceResult | undefined;
  for (const seed of seeds) {
    using random = await freshModel(model.device, {
      config: model.config,
      vocab: model.vocab,
      seed,
    });
    for (const [method, one] of [[MAPPED_METHOD, model], [RANDOM_METHOD, random]] as const) {
      const began = performance.now();
      const embedding = { ...map.embedding, seed };
      for await (const event of mapEvents(reference, cells, one, { ...map, embedding })) {
        yield { kind: "training", seed, method, event };
        if (event.type !== "result") continue;
        first ??= event.result;
        const result = classificationReport(truth, event.result.labels);
        const seconds = (performance.now() - began) / 1000;
        table.add(method, result, seconds);
        yield { kind: "method", method, seed, result, seconds };
      }
    }
  }
  const { referenceRows, referenceLabels } = first!;
  const layer = map.embedding?.layer;
  const sides = {
    reference: await readCells(reference.select({ obs: referenceRows }), layer),
    query: await readCells(cells, layer),
  };
  const signal = map.embedding?.signal;
  const stop = signal === undefined ? {} : { signal };
  const labelled = { ...sides.reference, labels: referenceLabels };
  const methods = annotationBaselines(model.device, labelled, sides.query, stop);
  for await (const { method, report, seconds } of compareMethods(truth, methods, stop)) {
    table.add(method, report, seconds);
    yield { kind: "method", method, seed: null, result: report, seconds };
  }
  yield {
    kind: "result",
    result: {
      methods: table.rows(),
      seeds,
      classes: countsOf(referenceLabels),
      truth,
      predicted: first!.labels,
      embedding: { embeddings: first!.query.embeddings, nDims: first!.query.width },
      notes: query.nObs > rows.length
        ? [`${query.nObs - rows.length} query cells have no label and are not scored`]
        : [],
    },
  };
}

function countsOf(labels: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const label of [...labels].sort()) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
