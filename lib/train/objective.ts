/** What is learned: a training step's loss is a weighted sum of objectives, each an object. */
import { type Device, Tensor } from "../../gpu/mod.ts";
import type { CellKey } from "../input/draws.ts";
import type { TokenBatch } from "../model/batch.ts";
import type { ModelOutputs, OutputName } from "../model/scgpt.ts";

/** Cells of a step with what is to be learned from them. */
export interface TrainingBatch extends TokenBatch {
  /** Key of each cell for its draws. [B] */
  readonly cellKeys: readonly CellKey[];
  /** Values before masking, [T]. */
  readonly targets?: Float32Array<ArrayBuffer>;
  /** 1 for each token whose value is to be predicted (masked, or to be generated), else 0. [T] */
  readonly asked?: Float32Array<ArrayBuffer>;
  /** Class of each cell, [B]. */
  readonly classes?: Uint32Array<ArrayBuffer>;
}

/** What the mean of a loss divides by: counts of the whole step, of which a batch may be a part (gradient accumulation). */
export interface StepTotals {
  /** Cells. */
  readonly cells: number;
  /** Tokens with `asked` = 1. */
  readonly asked: number;
}

/** What an objective is given. */
export interface ObjectiveContext {
  /** Device of the model. */
  readonly device: Device;
  /** The batch. */
  readonly batch: TrainingBatch;
  /** Counts of the whole step. */
  readonly totals: StepTotals;
  /** Number of the step, from 1. */
  readonly step: number;
  /** An output that {@linkcode Objective.outputs} names. */
  output<Name extends OutputName>(name: Name): ModelOutputs[Name];
  /** Outputs of another pass through the same cells: with other dropout, or with cell embeddings as prompts. */
  again<Name extends OutputName>(
    outputs: readonly Name[],
    change: { readonly repeat?: number; readonly cellPrompt?: Tensor },
  ): Pick<ModelOutputs, Name>;
}

/** One term of the loss. */
export interface Objective {
  /** Name in metrics, such as "gep". */
  readonly name: string;
  /** Factor in the sum: a number, or a function of the step (from 1). */
  readonly weight: number | ((step: number) => number);
  /** Its other settings, which decide the numbers of a run. */
  readonly settings: Readonly<Record<string, number | string>>;
  /** Outputs of the model that it reads. */
  readonly outputs: readonly OutputName[];
  /** What a batch must have for it. */
  readonly needs: readonly ("targets" | "asked" | "classes" | "batchLabels")[];
  /** Whether the loss of a step is the sum of the losses of its parts; false for losses over pairs of cells. */
  readonly additive: boolean;
  /** The loss, [1], before its weight. */
  loss(context: ObjectiveContext): Tensor;
}

/** Factor of an objective at a step. */
export function weightAt({ weight }: Pick<Objective, "weight">, step: number): number {
  return typeof weight === "number" ? weight : weight(step);
}

/** The share of each asked token in a mean over them, [T]. */
export function askedWeights({ device, batch, totals }: ObjectiveContext): Tensor {
  const asked = batch.asked!;
  const share = totals.asked === 0 ? 0 : 1 / totals.asked;
  return Tensor.from(device, "f32", [asked.length], asked.map((one) => one * share));
}

/** The share of each cell in a mean over them, [B]. */
export function cellWeights({ device, batch, totals }: ObjectiveContext): Tensor {
  const cells = batch.offsets.length - 1;
  return Tensor.from(device, "f32", [cells], new Float32Array(cells).fill(1 / totals.cells));
}
