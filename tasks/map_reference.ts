/** Reference mapping: labels for query cells from their nearest reference cells in scGPT's space. */
import { type AnnData, CategoricalColumn, NumericColumn, type UnsDict } from "../data/mod.ts";
import { refuseUnknownKeys, type ScGPT } from "../lib/mod.ts";
import { nearestNeighbors, type Neighbors } from "./analysis/knn.ts";
import type { Prediction } from "./analysis/prediction.ts";
import { distanceQuantile, vote } from "./analysis/vote.ts";
import { attachEmbedding, embed, type EmbedOptions, type EmbedResult } from "./embed.ts";

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

/**
 * Maps query cells onto a labelled reference: both are embedded, the k exact nearest reference cells of each query cell vote. Reference
 * cells without a label are left out. Reference: tutorial "Reference mapping" (faiss `IndexFlatL2`, k = 10, majority).
 *
 * @param reference Labelled cells
 * @param query Cells to label
 * @param model The model
 * @param options `labelKey` and settings
 * @returns Labels, confidences, neighbours and embeddings
 * @throws {RangeError} When the label column does not exist, no reference cell has a label, or k is larger than their number
 */
export async function mapReference(
  reference: AnnData,
  query: AnnData,
  model: ScGPT,
  options: MapReferenceOptions,
): Promise<MapReferenceResult> {
  refuseUnknownKeys(options, OPTIONS, "map onto a reference");
  const { k = 10, weights = "uniform", minConfidence = 0, embedding = {} } = options;
  const { rows, labels } = await labelledRows(reference, options.labelKey, options.labelMap);
  const known = await embed(reference.select({ obs: rows }), model, embedding);
  const asked = await embed(query, model, embedding);
  const search = { nDims: known.width, k };
  const neighbors = await nearestNeighbors(
    model.device,
    known.embeddings,
    asked.embeddings,
    search,
  );
  const maxDistance = options.maxDistanceQuantile === undefined
    ? Infinity
    : await usualDistance(model, known, k, options.maxDistanceQuantile);
  const prediction = vote(neighbors, labels, { weights, minConfidence, maxDistance });
  return {
    ...prediction,
    neighbors,
    referenceRows: rows,
    referenceLabels: labels,
    reference: known,
    query: asked,
  };
}

/**
 * The label of each cell under its common name, null where there is none.
 *
 * @param adata Cells
 * @param labelKey Column of `obs`
 * @param labelMap Common names; `null` takes the label away
 * @throws {RangeError} When the column does not exist
 */
export async function labelsOf(
  adata: AnnData,
  labelKey: string,
  labelMap: Readonly<Record<string, string | null>> = {},
): Promise<(string | null)[]> {
  const labels: (string | null)[] = [];
  for (const value of (await adata.obs.column(labelKey)).values()) {
    const own = value === null ? null : String(value);
    if (own === null || own === "nan") labels.push(null); // pandas writes a missing label of an object column as text
    else labels.push(Object.hasOwn(labelMap, own) ? labelMap[own]! : own);
  }
  return labels;
}

async function labelledRows(
  adata: AnnData,
  labelKey: string,
  labelMap: Readonly<Record<string, string | null>> | undefined,
): Promise<{ rows: Uint32Array<ArrayBuffer>; labels: string[] }> {
  const all = await labelsOf(adata, labelKey, labelMap);
  const rows = all.flatMap((label, row) => label === null ? [] : [row]);
  if (rows.length === 0) {
    throw new RangeError(`Cannot take labels from obs["${labelKey}"] as no cell has one`);
  }
  return { rows: Uint32Array.from(rows), labels: all.filter((label) => label !== null) };
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
