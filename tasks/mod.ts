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
export { generate, type GenerateCellsOptions } from "./generate.ts";
export {
  attachGeneration,
  type AttachGenerationOptions,
  generatedCells,
  type Generation,
} from "./generation.ts";
export { type LabelMap, labelsOf } from "./labels.ts";
export { type RunManifest, runManifest } from "./manifest.ts";
export {
  attachMapping,
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
export {
  type Embedding2d,
  umap,
  umapLayout,
  type UmapLayoutOptions,
  type UmapOptions,
} from "./analysis/umap.ts";
export { topVarianceGenes, variableGenes } from "./analysis/variable_genes.ts";
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

export { type Components, connectedComponents } from "./analysis/components.ts";
export { leiden, type LeidenOptions, modularity } from "./analysis/leiden.ts";
export {
  fuzzyGraph,
  type NeighborGraph,
  neighbors,
  type NeighborsOptions,
  type WeightedGraph,
} from "./analysis/neighbors.ts";

export { adjustedRandIndex, normalizedMutualInfo } from "./metrics/agreement.ts";
export {
  bras,
  isolatedLabels,
  type IsolatedLabelsOptions,
  silhouetteBatch,
} from "./metrics/batch_silhouette.ts";
export { chiSquareSurvival } from "./metrics/chi_square.ts";
export type { CellEdges } from "./metrics/components.ts";
export { graphConnectivity } from "./metrics/graph_connectivity.ts";
export type { Labels } from "./metrics/groups.ts";
export {
  type IntegratedCells,
  INTEGRATION_METRICS,
  type IntegrationMetric,
  type Score,
} from "./metrics/integration_metrics.ts";
export {
  type IntegrationReport,
  integrationReport,
  type IntegrationReportOptions,
} from "./metrics/integration_report.ts";
export {
  type Kbet,
  kbet,
  type KbetOptions,
  type KbetPerLabel,
  kbetPerLabel,
  type KbetPerLabelOptions,
} from "./metrics/kbet.ts";
export type { HeldOutScores, StepScores } from "./metrics/held_out.ts";
export { type KMeans, kMeans, type KMeansOptions } from "./metrics/kmeans.ts";
export { clisi, ilisi, lisi, type LisiOptions } from "./metrics/lisi.ts";
export {
  clusterOptimalResolution,
  kMeansAgreement,
  type KMeansAgreementOptions,
  type OptimalClustering,
  type OptimalResolutionOptions,
} from "./metrics/optimal_clustering.ts";
export { pcrComparison, type PcrOptions, principalComponentRegression } from "./metrics/pcr.ts";
export {
  silhouetteLabel,
  type SilhouetteOptions,
  silhouetteSamples,
} from "./metrics/silhouette.ts";
export { UndefinedMetricError } from "./metrics/undefined_metric.ts";

export { type Harmony, harmony, type HarmonyOptions } from "./baselines/harmony.ts";
export {
  type CellEmbedding,
  type Embedders,
  hvgBaseline,
  hvgPcaBaseline,
  type HvgPcaOptions,
  integrationBaselines,
} from "./baselines/integration.ts";

export { lossPlot, type LossPlotOptions, type LossPoint, type LossRun } from "./plots/losses.ts";
export { type MethodScores, scoresPlot, type ScoresPlotOptions } from "./plots/scores.ts";

export { reportHtml } from "./report/html.ts";
export {
  REPORT_SCHEMA,
  type ReportDocument,
  reportJson,
  type ResultDocument,
  type TableDocument,
} from "./report/json.ts";
export type {
  ManifestValue,
  Report,
  ReportCell,
  ReportColumn,
  ReportFigure,
  ReportRow,
  ReportTable,
} from "./report/report.ts";
export { summarize, type Summary } from "./report/summary.ts";

export {
  annotate,
  type AnnotateOptions,
  type Annotation,
  type AnnotatorEvent,
  type AnnotatorPrepared,
  type AnnotatorTrained,
  attachAnnotation,
  trainAnnotator,
  type TrainAnnotatorOptions,
} from "./annotate.ts";
export { meanAnnotation, type MeanAnnotationOptions } from "./mean_annotation.ts";
export { mapPanel, type PanelMapping, type PanelOptions, type PanelReport } from "./gene_panel.ts";
export type { ChosenGenes, StartOptions } from "./learned_cells.ts";
export {
  type CellInput,
  pretrainedInput,
  type TaskDescription,
  type TrainedInput,
  TrainedModel,
} from "./trained.ts";
export {
  integrate,
  type IntegrateOptions,
  type Integration,
  type IntegrationEvent,
  type IntegrationPrepared,
  type IntegrationTrained,
  trainIntegration,
  type TrainIntegrationOptions,
} from "./integrate.ts";
export {
  pretrain,
  type Pretrained,
  type PretrainEvent,
  type PretrainOptions,
  type PretrainPrepared,
} from "./pretrain.ts";

export {
  type AnnotationEvaluation,
  type AnnotationEvaluationEvent,
  type AnnotatorEvaluated,
  evaluateAnnotation,
  type EvaluateAnnotationOptions,
} from "./evaluate/annotation.ts";
export { embedTrained } from "./evaluate/embed_trained.ts";
export {
  evaluateIntegration,
  type EvaluateIntegrationOptions,
  type IntegrationEvaluation,
  type IntegrationEvaluationEvent,
} from "./evaluate/integration.ts";
export {
  evaluateMapping,
  type EvaluateMappingOptions,
  type MappingEvaluation,
  type MappingEvaluationEvent,
} from "./evaluate/mapping.ts";
export { reportIntegration } from "./evaluate/report_integration.ts";
export { type LabelEvaluation, type ReportHead, reportLabels } from "./evaluate/report_labels.ts";
export {
  type EvaluationTraining,
  lossCurves,
  type MethodEvaluated,
  type MethodResults,
} from "./evaluate/method_results.ts";
export { loadTrained, type LoadTrainedOptions } from "./load_trained.ts";
export { saveTrained, type SaveTrainedOptions } from "./trained_deno.ts";
