/** Reference mapping judged honestly: a model beside random weights and the baselines, on the same cells. */
import type { AnnData } from "../../data/mod.ts";
import { freshModel, refuseUnknownKeys, type ScGPT } from "../../lib/mod.ts";
import type { CellEmbedding } from "../baselines/integration.ts";
import {
  type MapEvent,
  mapEvents,
  type MapReferenceOptions,
  type MapReferenceResult,
} from "../map_reference.ts";
import { type ClassificationReport, classificationReport } from "../metrics/classification.ts";
import {
  checkSeeds,
  type EvaluationTraining,
  type MethodEvaluated,
  type MethodResults,
  RANDOM_METHOD,
  ResultTable,
} from "./method_results.ts";
import { knownCells, scoredBaselines } from "./scored_cells.ts";

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

const OPTIONS = ["map", "queryLabelKey", "queryLabelMap", "seeds"];
const MAPPED_METHOD = "scGPT, mapped";

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
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { loadModel } from "@scgpt/sdk/lib";
 * import { evaluateMapping } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const index = Array.from({ length: 40 }, (_, cell) => `cell${cell}`);
 * const counts = index.flatMap((_, cell) => cell % 2 ? [9, 7, 0] : [0, 1 + cell % 5, 8]);
 * const cells = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.from(counts), [40, 3]),
 *   obs: new DataFrame({ index }).with("kind", index.map((_, cell) => cell % 2 ? "B" : "T")),
 *   var: new DataFrame({ index: ["G0000", "G0001", "G0002"] }),
 * });
 * await using device = await openWasmDevice({ threads: 1 });
 * using model = await loadModel("tests/fixtures/scgpt/small_checkpoint", device);
 * const options = { map: { labelKey: "kind" }, seeds: [1] };
 * for await (const event of evaluateMapping(cells, cells.select({ obs: [0, 1] }), model, options)) {
 *   if (event.kind === "result") assert.deepEqual(event.result.predicted, ["T", "B"]);
 * }
 * ```
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
  refuseUnknownKeys(options, OPTIONS, "evaluate a mapping");
  const { map, seeds = [1, 2, 3], queryLabelKey = map.labelKey } = options;
  checkSeeds(seeds);
  const asked = await knownCells(query, {
    labelKey: queryLabelKey,
    labelMap: options.queryLabelMap,
  });
  const known = await knownCells(reference, map);
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
      for await (const event of mapEvents(known.cells, asked.cells, one, { ...map, embedding })) {
        yield { kind: "training", seed, method, event };
        if (event.type !== "result") continue;
        first ??= event.result;
        const result = classificationReport(asked.labels, event.result.labels);
        const seconds = (performance.now() - began) / 1000;
        yield table.add({ kind: "method", method, seed, result, seconds });
      }
    }
  }
  const { layer, signal } = map.embedding ?? {};
  const sides = { known, asked, knownLayer: layer, askedLayer: layer };
  for await (const event of scoredBaselines(model.device, sides, signal)) yield table.add(event);
  const { labels, query: { embeddings, width } } = first!;
  const leftOut = query.nObs - asked.rows.length;
  yield {
    kind: "result",
    result: {
      methods: table.rows(),
      seeds,
      classes: countsOf(known.labels),
      truth: asked.labels,
      predicted: labels,
      embedding: { embeddings, nDims: width },
      notes: leftOut > 0 ? [`${leftOut} query cells have no label and are not scored`] : [],
    },
  };
}

function countsOf(labels: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const label of [...labels].sort()) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
