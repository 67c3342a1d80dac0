/** What {@linkcode fit} is told, and what it tells. */
import type { AdapterOptions } from "../model/adapters.ts";
import type { ScGPT } from "../model/scgpt.ts";
import { refuseUnknownKeys } from "../options.ts";
import type { TrainingCells } from "./cells.ts";
import type { Objective } from "./objective.ts";
import type { AdamOptions } from "./optimizer.ts";
import { type CellSplit, splitCells } from "./order.ts";
import { checkPrompt, type Prompt } from "./prompt.ts";
import { checkSchedule, type Schedule } from "./schedule.ts";
import type { CheckpointStore } from "./snapshot.ts";
import type { Trainable } from "./trainable.ts";

/** Settings of {@linkcode fit}. Defaults are the published fine-tuning's. */
export interface FitOptions {
  /** What is learned: the loss is their weighted sum. */
  readonly objectives: readonly Objective[];
  /** What a cell shows of itself; { kind: "whole" } by default. */
  readonly prompt?: Prompt;
  /** Passes through the cells; 10 by default. */
  readonly epochs?: number;
  /** Cells of a step; 32 by default. */
  readonly batchSize?: number;
  /** Cells that go through the model at a time, their gradients added up; `batchSize` by default. */
  readonly microBatch?: number;
  /** Learning rate; 1e-4 by default. */
  readonly lr?: number;
  /** Optimiser. */
  readonly optimizer?: AdamOptions;
  /** Change of the learning rate; { kind: "step-decay", gamma: 0.9 } by default. */
  readonly schedule?: Schedule;
  /** Dropout probability; the model's by default. */
  readonly dropout?: number;
  /** Which weights learn; "full" by default. */
  readonly trainable?: Trainable;
  /** Adapters, for `trainable: "lora"`. */
  readonly lora?: AdapterOptions;
  /** Seed of split, order, prompts and dropout; 0 by default. */
  readonly seed?: number;
  /** Which cells learn and which validate; default: 9 to 1, by the seed. */
  readonly split?: CellSplit;
  /** Epochs without a lower validation loss after which the run ends; never by default. */
  readonly patience?: number;
  /** Whether the weights of the epoch with the lowest validation loss are put back at the end; true by default. */
  readonly keepBest?: boolean;
  /** Rows that batch norm takes its statistics from: "tokens" (default), or "padded" as the reference. */
  readonly batchNorm?: "tokens" | "padded";
  /** Whether layers are computed again in the backward pass: a quarter of the memory for a third more time. False by default. */
  readonly checkpointLayers?: boolean;
  /** Where states are saved; by default only the best weights are kept, in memory. */
  readonly store?: CheckpointStore;
  /** Steps between two saved states besides those at the end of epochs; none by default. */
  readonly saveEvery?: number;
  /** Whether the store's last state is taken up, if it has one; false by default. */
  readonly resume?: boolean;
  /** More figures after each epoch, such as an accuracy. The model is in evaluation then. */
  readonly measure?: (model: ScGPT, epoch: number) => Promise<Readonly<Record<string, number>>>;
  /** Saves the state and ends the run by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options with all defaults. */
export type FitSettings =
  & Required<Omit<FitOptions, "measure" | "signal" | "store" | "lora" | "patience" | "saveEvery">>
  & Pick<FitOptions, "measure" | "signal" | "store" | "lora" | "patience" | "saveEvery">;

/** What happened, in order. */
export type FitEvent = FitStart | FitStep | FitEpoch | FitCheckpoint | FitEnd;

/** A run begins, or goes on. */
export interface FitStart {
  /** Tells events apart. */
  readonly kind: "start";
  /** Cells that learn. */
  readonly trainCells: number;
  /** Cells that validate. */
  readonly validationCells: number;
  /** Weights that learn: numbers in all. */
  readonly trainableNumbers: number;
  /** Steps of the whole run, unless it ends early. */
  readonly totalSteps: number;
  /** Steps that an earlier run has done. */
  readonly doneSteps: number;
}

/** A step was made. */
export interface FitStep {
  /** Tells events apart. */
  readonly kind: "step";
  /** Number of the step, from 1. */
  readonly step: number;
  /** Epoch, from 0. */
  readonly epoch: number;
  /** Cells of the step. */
  readonly cells: number;
  /** Tokens of the step. */
  readonly tokens: number;
  /** Weighted sum of the losses. */
  readonly loss: number;
  /** Losses by objective, before their weights. */
  readonly losses: Readonly<Record<string, number>>;
  /** Learning rate. */
  readonly lr: number;
  /** Norm of all gradients, before clipping. */
  readonly gradientNorm: number;
  /** Seconds that the step took. */
  readonly seconds: number;
}

/** An epoch was passed and validated. */
export interface FitEpoch {
  /** Tells events apart. */
  readonly kind: "epoch";
  /** Epoch, from 0. */
  readonly epoch: number;
  /** Steps done. */
  readonly step: number;
  /** Mean training losses by objective; "loss" is their weighted sum. */
  readonly train: Readonly<Record<string, number>>;
  /** The same of the cells that validate, in evaluation; undefined where there are none. */
  readonly validation: Readonly<Record<string, number>> | undefined;
  /** What `measure` gave. */
  readonly measured: Readonly<Record<string, number>>;
  /** Whether no epoch before had a lower validation loss. */
  readonly best: boolean;
}

/** A state was saved. */
export interface FitCheckpoint {
  /** Tells events apart. */
  readonly kind: "checkpoint";
  /** Steps done. */
  readonly step: number;
  /** Where it lies. */
  readonly place: string;
}

/** A run is over; the model has its final weights and is in evaluation. */
export interface FitEnd {
  /** Tells events apart. */
  readonly kind: "end";
  /** Steps done. */
  readonly step: number;
  /** Epoch whose weights the model has; the last one where nothing validates. */
  readonly epoch: number;
  /** Its validation loss. */
  readonly loss: number | undefined;
  /** Whether `patience` ended the run. */
  readonly early: boolean;
}

const OPTIONS = [
  "objectives",
  "prompt",
  "epochs",
  "batchSize",
  "microBatch",
  "lr",
  "optimizer",
  "schedule",
  "dropout",
  "trainable",
  "lora",
  "seed",
  "split",
  "patience",
  "keepBest",
  "batchNorm",
  "checkpointLayers",
  "store",
  "saveEvery",
  "resume",
  "measure",
  "signal",
];

/**
 * Checks options against model and cells and fills in the defaults.
 *
 * @throws {TypeError} For an unknown option
 * @throws {RangeError} For a value out of range, or an objective that these cells cannot serve
 */
export function fitSettings(model: ScGPT, cells: TrainingCells, options: FitOptions): FitSettings {
  refuseUnknownKeys(options, OPTIONS, "train");
  const { batchSize = 32, seed = 0 } = options;
  const settings: FitSettings = {
    prompt: { kind: "whole" },
    epochs: 10,
    microBatch: batchSize,
    lr: 1e-4,
    optimizer: {},
    schedule: { kind: "step-decay", gamma: 0.9 },
    dropout: model.config.dropout,
    trainable: "full",
    split: options.split ?? splitCells(cells.keys, { seed }),
    keepBest: true,
    batchNorm: "tokens",
    checkpointLayers: false,
    resume: false,
    ...options,
    batchSize,
    seed,
  };
  checkNumbers(settings);
  checkPrompt(settings.prompt);
  checkSchedule(settings.schedule);
  checkSplit(settings.split, cells.nCells);
  checkObjectives(model, cells, settings);
  return settings;
}

function fail(rule: string, got: unknown): never {
  throw new RangeError(`Cannot train as ${rule}: got ${got}`);
}

function checkNumbers(settings: FitSettings): void {
  for (const name of ["epochs", "batchSize", "microBatch", "patience", "saveEvery"] as const) {
    const value = settings[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      fail(`${name} must be an integer >= 1`, value);
    }
  }
  if (!(settings.lr > 0 && settings.lr < Infinity)) fail("lr must be > 0", settings.lr);
  if (!(settings.dropout >= 0 && settings.dropout < 1)) {
    fail("dropout must be in [0, 1)", settings.dropout);
  }
}

function checkSplit({ train, validation }: CellSplit, nCells: number): void {
  if (train.length === 0) fail("there must be cells to learn from", "none");
  for (const cell of [...train, ...validation]) {
    if (cell >= nCells) fail(`the split must be of rows below ${nCells}`, cell);
  }
}

function checkObjectives(
  { config, outputs }: ScGPT,
  cells: TrainingCells,
  { objectives, batchSize, microBatch, prompt }: FitSettings,
): void {
  if (objectives.length === 0) fail("there must be an objective", "none");
  const names = objectives.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail("an objective may stand once", `"${twice}" twice`);
  const pairs = objectives.find(({ additive }) => !additive);
  if (pairs !== undefined && microBatch < batchSize) {
    fail(
      `${pairs.name} is a loss over pairs of cells, so microBatch must be batchSize`,
      `${microBatch} of ${batchSize}`,
    );
  }
  const asks = objectives.find(({ needs }) => needs.includes("asked"));
  if (asks !== undefined && prompt.kind === "whole") {
    fail(`${asks.name} predicts values, so the prompt must hide some`, "prompt whole");
  }
  for (const one of objectives) {
    const absent = one.outputs.find((name) => !outputs.has(name));
    if (absent !== undefined) fail(`the model must have "${absent}" for ${one.name}`, [...outputs]);
  }
  const classified = objectives.find(({ needs }) => needs.includes("classes"));
  if (classified !== undefined) {
    checkLabels(`${classified.name} needs the class of each cell`, cells.classes, {
      cells: cells.nCells,
      known: config.nCls,
    });
  }
  const byBatch = objectives.find(({ needs }) => needs.includes("batchLabels"))?.name ??
    (config.domainSpecBatchnorm === "dsbn" ? "a norm for each batch (dsbn)" : undefined);
  if (byBatch === undefined) return;
  const { batchLabels, nCells } = cells;
  const sizes = { cells: nCells, known: config.nBatch };
  checkLabels(`${byBatch} needs the batch of each cell`, batchLabels, sizes);
  const batches = new Set(batchLabels);
  if (batches.size < 2) {
    fail(`${byBatch} tells batches apart, so the cells must be of at least two`, batches.size);
  }
}

function checkLabels(
  need: string,
  labels: Uint32Array | undefined,
  { cells, known }: { readonly cells: number; readonly known: number },
): void {
  if (labels === undefined) return fail(need, "none");
  if (labels.length !== cells) fail(`${need} of ${cells}`, labels.length);
  const bad = labels.find((label) => label >= known);
  if (bad !== undefined) fail(`${need}, below the model's ${known}`, bad);
}
