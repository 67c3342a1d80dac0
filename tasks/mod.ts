/**
 * The questions of the paper: embeddings, reference mapping, and what an honest answer stands beside: metrics, baselines, figures.
 *
 * @module
 */
export {
  attachEmbedding,
  embed,
  type EmbedBatch,
  EMBEDDING_KEY,
  EmbeddingCollector,
  type EmbedEvent,
  embedEvents,
  type EmbedOptions,
  type EmbedResult,
  type EmbedStart,
} from "./embed.ts";
export { type RunManifest, runManifest } from "./manifest.ts";
export {
  attachMapping,
  labelsOf,
  type MapEmbedding,
  type MapEvent,
  mapEvents,
  mapReference,
  type MapReferenceOptions,
  type MapReferenceResult,
  type MapResult,
} from "./map_reference.ts";

export { nearestNeighbors, type NearestNeighborsOptions, type Neighbors } from "./analysis/knn.ts";
export { isCounts, logNormalize, type LogNormalizeOptions } from "./analysis/log_normalize.ts";
export { type Pca, pca, type PcaOptions, pcaTransform } from "./analysis/pca.ts";
export { type Prediction, UNKNOWN } from "./analysis/prediction.ts";
export type { DenseRows, Rows, SparseRows } from "./analysis/rows.ts";
export { type Embedding2d, umap, type UmapOptions } from "./analysis/umap.ts";
export { topVarianceGenes } from "./analysis/variable_genes.ts";
export { distanceQuantile, vote, type VoteOptions } from "./analysis/vote.ts";

export type { GeneChoice, LabelledCells, QueryCells } from "./baselines/cells.ts";
export {
  annotationBaselines,
  compareMethods,
  type CompareOptions,
  type Comparison,
  type Methods,
} from "./baselines/compare.ts";
export { knnPcaBaseline, type KnnPcaOptions } from "./baselines/knn_pca.ts";
export {
  classProbabilities,
  fitLogisticRegression,
  type LogisticRegression,
  logisticRegressionBaseline,
  type LogisticRegressionOptions,
} from "./baselines/logistic_regression.ts";
export { majorityBaseline } from "./baselines/majority.ts";
export { readCells } from "./baselines/read_cells.ts";

export {
  type ClassificationOptions,
  type ClassificationReport,
  classificationReport,
  type ClassScores,
  type ConfusionMatrix,
  confusionMatrix,
} from "./metrics/classification.ts";

export { confusionPlot, type ConfusionPlotOptions } from "./plots/confusion.ts";
export {
  embeddingPlot,
  type EmbeddingPlotData,
  type EmbeddingPlotOptions,
} from "./plots/embedding.ts";
export { type PngAssets, type PngOptions, svgToPng } from "./plots/png.ts";
