/** Flags of the commands that train, and the options they stand for. */
import type {
  BinningMode,
  CheckpointStore,
  ConfigOverrides,
  FitOptions,
  Preset,
  Schedule,
  StartOptions,
  Trainable,
} from "../../mod.ts";
import type { Flags, FlagValues } from "./command.ts";
import { BINNING_FLAG, GENE_COLUMN_FLAG } from "./read_flags.ts";

/** Where a run's files go. */
export const RUN_FLAGS = {
  output: { kind: "string", help: "folder of the run", required: true },
  resume: { kind: "boolean", help: "take up the run of that folder, with its options" },
  force: { kind: "boolean", help: "replace the run of that folder" },
} as const satisfies Flags;

/** What a model starts from and how cells become tokens. */
export const START_FLAGS = {
  model: { kind: "string", help: "pretrained model folder", byDefault: "fresh weights" },
  preset: {
    kind: "string",
    help: "size of a fresh model",
    choices: ["whole-human", "mini"],
    byDefault: "mini",
  },
  embsize: { kind: "integer", help: "width of a fresh model", byDefault: "the preset's" },
  nheads: { kind: "integer", help: "its attention heads", byDefault: "the preset's" },
  dHid: { kind: "integer", help: "width of its feed-forward layers", byDefault: "the preset's" },
  nlayers: { kind: "integer", help: "its layers", byDefault: "the preset's" },
  layer: { kind: "string", help: "matrix with counts: X, raw or a layer", default: "X" },
  geneColumn: GENE_COLUMN_FLAG,
  binning: { ...BINNING_FLAG, default: "reference" },
  maxLength: { kind: "integer", help: "most tokens a cell", byDefault: "all its genes" },
  seed: { kind: "integer", help: "seed of weights, split, order and dropout", default: 0 },
} as const satisfies Flags;

/** Genes that a fine-tuned model sees. */
export const GENE_FLAGS = {
  nTopGenes: {
    kind: "integer",
    help: "highly variable genes to learn from; 0: all genes",
    default: 1200,
  },
} as const satisfies Flags;

/** The recipe, where tasks do not differ. */
const RECIPE_FLAGS = {
  microBatch: {
    kind: "integer",
    help: "cells at a time, less memory for the same numbers",
    byDefault: "the batch",
  },
  lr: { kind: "number", help: "learning rate", byDefault: "1e-3, with --model 1e-4" },
  gamma: { kind: "number", help: "factor of each epoch in step-decay", default: 0.9 },
  warmup: {
    kind: "number",
    help: "steps of warm-up in cosine; below 1: their share",
    default: 10_000,
  },
  dropout: { kind: "number", help: "probability of dropout", byDefault: "the model's" },
  maxNorm: { kind: "number", help: "largest norm of the gradients", default: 1 },
  weightDecay: { kind: "number", help: "weight decay, decoupled (AdamW)", default: 0 },
  trainable: {
    kind: "string",
    help: "weights that learn",
    choices: ["full", "frozen-trunk", "heads", "lora"],
    default: "full",
  },
  loraRank: { kind: "integer", help: "rank of the adapters of lora", default: 8 },
  patience: {
    kind: "integer",
    help: "epochs without a lower validation loss that end the run",
    byDefault: "never",
  },
  keepBest: {
    kind: "boolean",
    help: "keep the last weights, not those of the lowest validation loss",
    default: true,
  },
  checkpointLayers: { kind: "boolean", help: "a quarter of the memory for a third more time" },
  saveEvery: {
    kind: "integer",
    help: "steps between saved states",
    byDefault: "only at the end of epochs",
  },
} as const satisfies Flags;

/** The recipe's flags with the defaults of a task. */
export function recipeFlags(
  defaults: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly validation: number;
    readonly schedule: Schedule["kind"];
  },
) {
  return {
    epochs: { kind: "integer", help: "passes through the cells", default: defaults.epochs },
    batchSize: { kind: "integer", help: "cells of a step", default: defaults.batchSize },
    validation: {
      kind: "number",
      help: "share of the cells that validate",
      default: defaults.validation,
    },
    schedule: {
      kind: "string",
      help: "learning rate over time",
      choices: ["constant", "step-decay", "cosine"],
      default: defaults.schedule,
    },
    ...RECIPE_FLAGS,
  } as const satisfies Flags;
}

type RecipeValues = FlagValues<ReturnType<typeof recipeFlags>>;

/** The flags as options of the training tasks; the caller adds the pretrained model. */
export function startOptions(
  flags: FlagValues<typeof START_FLAGS>,
): Omit<StartOptions, "pretrained" | "nTopGenes"> {
  const { layer, geneColumn, maxLength, seed, preset, embsize, nheads, dHid, nlayers } = flags;
  const sizes = Object.entries({ embsize, nheads, dHid, nlayers })
    .filter(([, value]) => value !== undefined);
  return {
    layer,
    binning: flags.binning as BinningMode,
    seed,
    config: Object.fromEntries(sizes) as ConfigOverrides,
    ...preset !== undefined && { preset: preset as Preset },
    ...geneColumn !== undefined && { geneColumn },
    ...maxLength !== undefined && { maxLength },
  };
}

/** The flag as an option. */
export function geneOptions(
  { nTopGenes }: FlagValues<typeof GENE_FLAGS>,
): Pick<StartOptions, "nTopGenes"> {
  return { nTopGenes: nTopGenes === 0 ? Infinity : nTopGenes };
}

/** The flags as options of the training loop. */
export function fitOptions(
  flags: RecipeValues,
  run: {
    readonly signal: AbortSignal;
    readonly store?: CheckpointStore;
    readonly resume?: boolean;
  },
): Omit<FitOptions, "objectives" | "prompt" | "split" | "seed"> {
  const { epochs, batchSize, microBatch, lr, dropout, maxNorm, weightDecay, loraRank } = flags;
  const { patience, keepBest, checkpointLayers, saveEvery } = flags;
  const trainable = flags.trainable as Trainable;
  return {
    ...run,
    epochs,
    batchSize,
    schedule: scheduleOf(flags),
    optimizer: { kind: weightDecay === 0 ? "adam" : "adamw", weightDecay, maxNorm },
    trainable,
    keepBest,
    ...trainable === "lora" && { lora: { rank: loraRank } },
    ...microBatch !== undefined && { microBatch },
    ...lr !== undefined && { lr },
    ...dropout !== undefined && { dropout },
    ...patience !== undefined && { patience },
    ...checkpointLayers !== undefined && { checkpointLayers },
    ...saveEvery !== undefined && { saveEvery },
  };
}

function scheduleOf({ schedule, gamma, warmup }: RecipeValues): Schedule {
  if (schedule === "step-decay") return { kind: "step-decay", gamma };
  return schedule === "cosine" ? { kind: "cosine", warmup } : { kind: "constant" };
}
