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

export { binEdges, type BinningMode, binRow } from "./input/binning.ts";
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
