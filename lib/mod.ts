/**
 * Cells to tokens to embeddings: configuration, input pipeline, the scGPT model and its checkpoints.
 *
 * @module
 */
export {
  type CellEmbStyle,
  type ConfigOverrides,
  type DomainSpecBatchnorm,
  type InputEmbStyle,
  type MvcDecoderStyle,
  parseArgs,
  parseConfig,
  type Preset,
  type ScgptConfig,
  toArgs,
} from "./config.ts";
export { eventTurn } from "./event_turn.ts";
export { nearest, refuseUnknownKeys } from "./options.ts";

export { binEdges, BINNING_MODES, type BinningMode, binRow, MIDDLE } from "./input/binning.ts";
export {
  inspectValues,
  type MatrixNames,
  type ValueKind,
  type ValueSummary,
} from "./input/counts.ts";
export {
  type CellDraws,
  type CellKey,
  cellKey,
  type GeneColumns,
  keyedDraws,
} from "./input/draws.ts";
export { type Expression, expressionOf } from "./input/expression.ts";
export {
  type GeneMapping,
  type GeneNames,
  geneNames,
  type GeneReport,
  mapGenes,
  type MapGenesOptions,
} from "./input/genes.ts";
export { loadBatches, type LoadOptions } from "./input/loader.ts";
export {
  keyedMaskChoice,
  type MaskChoice,
  type MaskSettings,
  maskValues,
} from "./input/masking.ts";
export type { PackedBatch } from "./input/packed_batch.ts";
export { type CountFilter, filterCells, filterGenes } from "./input/preprocess/filter.ts";
export {
  type HighlyVariableGenes,
  highlyVariableGenes,
  type HighlyVariableOptions,
  type HvgFlavor,
  type HvgTable,
} from "./input/preprocess/highly_variable.ts";
export {
  log1p,
  medianTotal,
  normalizeTotal,
  type ValueRows,
} from "./input/preprocess/normalize.ts";
export {
  preprocess,
  type Preprocessed,
  type PreprocessOptions,
} from "./input/preprocess/preprocess.ts";
export type { ExpressionRows, RowSource } from "./input/preprocess/row_source.ts";
export {
  type CellTokens,
  type SparseRow,
  Tokenizer,
  type TokenizerSettings,
} from "./input/tokenizer.ts";
export { GeneVocab, SPECIAL_TOKENS } from "./input/vocab.ts";

export type { TokenBatch } from "./model/batch.ts";
export { initialWeights } from "./model/init.ts";
export {
  type HeadName,
  type InitKind,
  parameterCount,
  type ParameterGroup,
  parameterGroups,
  type ParameterLayout,
  parameterShapes,
  type Shapes,
} from "./model/layout.ts";
export type { Parameters } from "./model/nn.ts";
export {
  type ModelOutputs,
  type ModelParts,
  OUTPUT_NAMES,
  type OutputName,
  ScGPT,
} from "./model/scgpt.ts";

export {
  type Checkpoint,
  type MatchOptions,
  matchStateDict,
  type MisshapenTensor,
  type NamePatterns,
  openCheckpoint,
  type RenamedKey,
  type StateDict,
  type StateDictReport,
} from "./io/checkpoint.ts";
export { CheckpointError, type CheckpointErrorKind } from "./io/errors.ts";
export { type ModelFingerprint, modelFingerprint } from "./io/fingerprint.ts";
export {
  followWeights,
  type LoadedModel,
  loadModel,
  type LoadModelOptions,
  loadModelWithReport,
  type LoadReport,
} from "./io/load_model.ts";
export {
  type ModelFiles,
  type ModelFolder,
  openModelFolder,
  readModelFile,
  WEIGHT_FILES,
} from "./io/model_folder.ts";
export { canonicalName } from "./io/names.ts";
export {
  type ByteSink,
  readSafetensors,
  type SafetensorsFile,
  writeSafetensors,
  type WriteSafetensorsOptions,
} from "./io/safetensors.ts";
export {
  readFloat32,
  type StoredDtype,
  storedFloat32,
  type StoredTensor,
} from "./io/stored_tensor.ts";

export { saveSafetensors, type SaveSafetensorsOptions } from "./io/write_deno.ts";

export { VERSION } from "./version.ts";

export { type AdapterOptions, Adapters } from "./model/adapters.ts";
export { type TrainingPass } from "./model/batch.ts";
export { freshModel, type FreshModelOptions } from "./model/fresh_model.ts";
export {
  joinCells,
  tokenizeCells,
  type TokenizeCellsOptions,
  type TrainingCells,
} from "./train/cells.ts";
export { TrainingError } from "./train/errors.ts";
export { fit } from "./train/fit.ts";
export type {
  FitCheckpoint,
  FitEnd,
  FitEpoch,
  FitEvent,
  FitOptions,
  FitStart,
  FitStep,
} from "./train/fit_options.ts";
export {
  type BatchGradients,
  batchGradients,
  batchLosses,
  type GradientOptions,
  type LossOptions,
} from "./train/gradients.ts";
export type { Objective, ObjectiveContext, StepTotals, TrainingBatch } from "./train/objective.ts";
export { cce, type CceOptions, cls, dar, ecs, type EcsOptions } from "./train/objectives/cells.ts";
export {
  cellPrompt,
  type CellPromptOptions,
  gep,
  gepc,
  type WeightOptions,
  zeroLogProb,
  type ZeroLogProbOptions,
} from "./train/objectives/expression.ts";
export { Adam, type AdamOptions, type AdamSlot } from "./train/optimizer.ts";
export { type CellSplit, splitCells, type SplitOptions } from "./train/order.ts";
export { type Prompt, promptBatch, type PromptDraw, unknownGenes } from "./train/prompt.ts";
export { learningRate, type Place, type Schedule } from "./train/schedule.ts";
export {
  type CheckpointSlot,
  type CheckpointStore,
  type FitState,
  MemoryStore,
  type Snapshot,
} from "./train/snapshot.ts";
export { type Trainable, trainableParameters } from "./train/trainable.ts";
export {
  type CellPrompt,
  type GeneratedCell,
  generateExpression,
  type GenerateOptions,
} from "./model/generate.ts";
export { FolderStore } from "./train/folder_store_deno.ts";
export { RunLog } from "./train/run_log_deno.ts";
export { type TensorboardEvent, tensorboardRecord } from "./train/tensorboard.ts";
export {
  type ModelContents,
  type ReadableWeight,
  saveModelFolder,
  type SaveModelOptions,
} from "./io/save_model_deno.ts";
