/** Nearest neighbours in principal components: what a model's embedding must beat. */
import type { Device } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { nearestNeighbors } from "../analysis/knn.ts";
import { pca, pcaTransform } from "../analysis/pca.ts";
import type { Prediction } from "../analysis/prediction.ts";
import { vote } from "../analysis/vote.ts";
import { alignCells, type GeneChoice, type LabelledCells, type QueryCells } from "./cells.ts";

/** Settings of {@linkcode knnPcaBaseline}. */
export interface KnnPcaOptions extends GeneChoice {
  /** Device that finds the neighbours. */
  readonly device: Device;
  /** Principal components; 50 by default. */
  readonly nComponents?: number;
  /** Neighbours; 15 by default. */
  readonly k?: number;
  /** Seed of the components; 0 by default. */
  readonly seed?: number;
  /** Stops the computation. */
  readonly signal?: AbortSignal;
}

/**
 * Names each cell by the majority of its nearest reference cells, in the principal components of the reference's log-normalised values.
 *
 * @param reference Labelled cells
 * @param query Cells to name
 * @param options Device and settings
 * @returns Labels and vote shares
 * @throws {RangeError} When the cells share no genes, or a setting is out of range
 */
export async function knnPcaBaseline(
  reference: LabelledCells,
  query: QueryCells,
  options: KnnPcaOptions,
): Promise<Prediction> {
  refuseUnknownKeys(
    options,
    ["device", "nGenes", "genes", "nComponents", "k", "seed", "signal"],
    "run the kNN baseline",
  );
  const { device, nGenes, genes, nComponents = 50, k = 15, seed = 0, signal } = options;
  const stop = signal === undefined ? {} : { signal };
  const cells = await alignCells(reference, query, { nGenes, genes });
  const most = Math.min(cells.reference.nRows, cells.genes.length);
  const fitted = await pca(cells.reference, {
    ...stop,
    nComponents: Math.min(nComponents, most),
    seed,
  });
  const neighbors = await nearestNeighbors(
    device,
    fitted.scores,
    pcaTransform(fitted, cells.query),
    {
      nDims: fitted.nComponents,
      k: Math.min(k, cells.reference.nRows),
      ...stop,
    },
  );
  return vote(neighbors, reference.labels);
}
