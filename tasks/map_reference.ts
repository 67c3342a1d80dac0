/** Reference mapping: labels for query cells from their nearest reference cells in scGPT's space. */
import { type AnnData, CategoricalColumn, NumericColumn, type UnsDict } from "../data/mod.ts";
import { refuseUnknownKeys, type ScGPT } from "../lib/mod.ts";
import { nearestNeighbors, type Neighbors } from "./analysis/knn.ts";
import type { Prediction } from "./analysis/prediction.ts";
import { distanceQuantile, vote } from "./analysis/vote.ts";
import {
  attachEmbedding,
  EmbeddingCollector,
  type EmbedEvent,
  embedEvents,
  type EmbedOptions,
  type EmbedResult,
} from "./embed.ts";
import { knownLabels, type LabelledRows, type LabelMap } from "./labels.ts";

/** Settings of {@linkcode mapReference}. */
export interface MapReferenceOptions {
  /** Column of the reference's `obs` with the labels. */
  readonly labelKey: string;
  /** Common names of labels; `null` leaves the reference's cells of that label out. Labels that are not named stay. */
  readonly labelMap?: Readonly<Record<string, string | null>>;
  /** Neighbours that vote; 10 by default, as in the paper. */
  readonly k?: number;
  /** "uniform" (default): majority; "distance": votes weigh 1/distance. */
  readonly weights?: "uniform" | "distance";
  /** Cells whose best label has a smaller share of the votes become "unknown"; 0 by default. */
  readonly minConfidence?: number;
  /**
   * Cells that lie farther from their neighbours than this share of the reference's cells do from theirs become "unknown": 0.99 rejects
   * what is stranger than the strangest 1 % of the reference. By default none.
   */
  readonly maxDistanceQuantile?: number;
  /** How both sets of cells are embedded. */
  readonly embedding?: EmbedOptions;
}

const OPTIONS = [
  "labelKey",
  "labelMap",
  "k",
  "weights",
  "minConfidence",
  "maxDistanceQuantile",
  "embedding",
];

/** Labels of the query cells and what they were made from. */
export interface MapReferenceResult extends Prediction {
  /** The nearest reference cells of each query cell; indices into `referenceRows`. */
  readonly neighbors: Neighbors;
  /** Rows of the reference that have a label and could be neighbours. */
  readonly referenceRows: Uint32Array<ArrayBuffer>;
  /** Labels of those rows. */
  readonly referenceLabels: readonly string[];
  /** Embeddings of the reference's labelled cells. */
  readonly reference: EmbedResult;
  /** Embeddings of the query. */
  readonly query: EmbedResult;
}

/** Some cells of one side were embedded. */
export interface MapEmbedding {
  /** Tag. */
  readonly type: "embedding";
  /** Side. */
  readonly part: "reference" | "query";
  /** What happened. */
  readonly event: EmbedEvent;
}

/** All is done. */
export interface MapResult {
  /** Tag. */
  readonly type: "result";
  /** Labels and what they were made from. */
  readonly result: MapReferenceResult;
}

/** What {@linkcode mapEvents} tells. */
export type MapEvent = MapEmbedding | MapResult;

/**
 * Maps query cells onto a labelled reference: both are embedded, the k exact nearest reference cells of each query cell vote. Reference
 * cells without a label are left out. Reference: tutorial "Reference mapping" (faiss `IndexFlatL2`, k = 10, majority).
 *
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openDevice } from "@scgpt/sdk/gpu";
 * import { loadModel } from "@scgpt/sdk/lib";
 * import { mapReference } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const obs = new DataFrame({ index: ["cell1", "cell2"] });
 * const reference = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.of(9, 1, 0, 0, 0, 5), [2, 3]),
 *   obs: obs.with("cell_type", ["B", "T"]),
 *   var: new DataFrame({ index: ["G0000", "G0001", "G0002"] }),
 * });
 * await using device = await openDevice({ kind: "wasm" });
 * using model = await loadModel("tests/fixtures/scgpt/small_checkpoint", device);
 * const query = reference.select({ obs: [1, 0] });
 * const { labels } = await mapReference(reference, query, model, { labelKey: "cell_type", k: 1 });
 * assert.deepEqual(labels, ["T", "B"]);
 * ```
 *
 * @param reference Labelled cells
 * @param query Cells to label
 * @param model The model
 * @param options `labelKey` and settings
 * @returns Labels, confidences, neighbours and embeddings
 * @throws {RangeError} When the label column does not exist, no reference cell has a label, k is larger than their number, or a setting is
 *   out of range; all before a cell is embedded
 */
export async function mapReference(
  reference: AnnData,
  query: AnnData,
  model: ScGPT,
  options: MapReferenceOptions,
): Promise<MapReferenceResult> {
  for await (const event of mapEvents(reference, query, model, options)) {
    if (event.type === "result") return event.result;
  }
  throw new Error("Cannot map as the stream gave no result");
}

/**
 * As {@linkcode mapReference}, as a stream: the events of embedding the reference, then the query, then the result.
 *
 * @param reference Labelled cells
 * @param query Cells to label
 * @param model The model
 * @param options `labelKey` and settings
 * @returns Events; the last one is the result
 */
export async function* mapEvents(
  reference: AnnData,
  query: AnnData,
  model: ScGPT,
  options: MapReferenceOptions,
): AsyncGenerator<MapEvent, void, undefined> {
  refuseUnknownKeys(options, OPTIONS, "map onto a reference");
  const { k = 10, weights = "uniform", minConfidence = 0, embedding = {} } = options;
  const { rows, labels } = await labelledRows(reference, options.labelKey, options.labelMap);
  checkSettings(options, rows.length);
  const width = model.config.embsize;
  const known = new EmbeddingCollector(rows.length, width);
  for await (const event of embedEvents(reference.select({ obs: rows }), model, embedding)) {
    known.add(event);
    yield { type: "embedding", part: "reference", event };
  }
  const asked = new EmbeddingCollector(query.nObs, width);
  for await (const event of embedEvents(query, model, embedding)) {
    asked.add(event);
    yield { type: "embedding", part: "query", event };
  }
  const parts = { reference: known.result(), query: asked.result() };
  const { embeddings } = parts.reference;
  const search = { nDims: width, k };
  const neighbors = await nearestNeighbors(
    model.device,
    embeddings,
    parts.query.embeddings,
    search,
  );
  const maxDistance = options.maxDistanceQuantile === undefined
    ? Infinity
    : await usualDistance(model, parts.reference, k, options.maxDistanceQuantile);
  const prediction = vote(neighbors, labels, { weights, minConfidence, maxDistance });
  const result = {
    ...prediction,
    ...parts,
    neighbors,
    referenceRows: rows,
    referenceLabels: labels,
  };
  yield { type: "result", result };
}

/** Refuses what would fail only after all cells are embedded. */
function checkSettings(options: MapReferenceOptions, rows: number): void {
  const { k = 10, weights = "uniform", minConfidence = 0, maxDistanceQuantile = 0 } = options;
  const fail = (rule: string, got: number | string): never => {
    throw new RangeError(`Cannot map onto a reference as ${rule}: got ${got}`);
  };
  if (weights !== "uniform" && weights !== "distance") {
    fail('weights must be "uniform" or "distance"', `"${weights}"`);
  }
  if (!(Number.isInteger(k) && k >= 1 && k <= rows)) {
    fail(`k must be in 1..${rows}, the labelled reference cells`, k);
  }
  for (const [name, share] of Object.entries({ minConfidence, maxDistanceQuantile })) {
    if (!(share >= 0 && share <= 1)) fail(`${name} must be in 0..1`, share);
  }
  if (options.maxDistanceQuantile !== undefined && rows < 2) {
    fail("maxDistanceQuantile needs at least 2 labelled reference cells", rows);
  }
}

async function labelledRows(
  adata: AnnData,
  labelKey: string,
  labelMap: LabelMap | undefined,
): Promise<LabelledRows> {
  const known = await knownLabels(adata, labelKey, labelMap);
  if (known.rows.length > 0) return known;
  throw new RangeError(`Cannot take labels from obs["${labelKey}"] as no cell has one`);
}

/** The distance to its neighbours that a share `q` of the reference's cells does not exceed, each cell's own row left out. */
async function usualDistance(
  model: ScGPT,
  { embeddings, width }: EmbedResult,
  k: number,
  q: number,
): Promise<number> {
  const rows = embeddings.length / width;
  const search = { nDims: width, k: Math.min(k + 1, rows) };
  const within = await nearestNeighbors(model.device, embeddings, embeddings, search);
  const others = search.k - 1;
  const distances = new Float32Array(rows * others), indices = new Uint32Array(rows * others);
  for (let row = 0; row < rows; row++) {
    // A cell is its own nearest neighbour, or has a twin at distance 0: leaving the first out leaves the same distances.
    distances.set(
      within.distances.subarray(row * search.k + 1, (row + 1) * search.k),
      row * others,
    );
    indices.set(within.indices.subarray(row * search.k + 1, (row + 1) * search.k), row * others);
  }
  return distanceQuantile({ k: others, indices, distances }, q);
}

/**
 * The query with predicted labels and confidences in `obs`, embeddings in `obsm`, and a manifest in `uns["scgpt"]`.
 *
 * @param query The cells that were mapped
 * @param result What was found
 * @param options Name of the label column (default "scgpt_label"; confidences go to `<name>_confidence`) and the manifest
 */
export function attachMapping(
  query: AnnData,
  result: MapReferenceResult,
  options: { readonly key?: string; readonly manifest?: UnsDict } = {},
): AnnData {
  refuseUnknownKeys(options, ["key", "manifest"], "attach a mapping");
  const { key = "scgpt_label", manifest } = options;
  const obs = query.obs
    .with(key, CategoricalColumn.from(result.labels))
    .with(`${key}_confidence`, new NumericColumn(result.confidence));
  return attachEmbedding(query, result.query, manifest).with({ obs });
}
