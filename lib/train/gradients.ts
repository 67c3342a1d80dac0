/** Loss and gradients of one batch. */
import { detach, run, scope, Tape, type Tensor } from "../../gpu/mod.ts";
import type { TrainingPass } from "../model/batch.ts";
import type { ModelOutputs, ScGPT } from "../model/scgpt.ts";
import {
  type Objective,
  type ObjectiveContext,
  type StepTotals,
  type TrainingBatch,
  weightAt,
} from "./objective.ts";

/** How a batch is passed. */
export interface GradientOptions {
  /** What is learned. */
  readonly objectives: readonly Objective[];
  /** Weights that learn, by state-dict name. */
  readonly trainable: ReadonlyMap<string, Tensor>;
  /** Counts of the whole step. */
  readonly totals: StepTotals;
  /** Number of the step, from 1. */
  readonly step: number;
  /** Dropout and its draws. */
  readonly pass: Omit<TrainingPass, "step" | "cellKeys">;
  /** Gradients of earlier parts of the step, which the new ones are added to. */
  readonly into?: Map<Tensor, Tensor>;
}

/** What one batch gives. */
export interface BatchGradients {
  /** Loss of each objective before its weight, [1]; the caller's. */
  readonly losses: ReadonlyMap<string, Tensor>;
  /** Weighted sum of the losses, [1]; the caller's. */
  readonly total: Tensor;
  /** Gradients of the total by weight; the caller's. */
  readonly gradients: Map<Tensor, Tensor>;
}

/**
 * Runs the model in training mode, sums the objectives and differentiates by the trainable weights.
 *
 * @throws {RangeError} When the batch lacks what an objective needs, or the model has no head for it
 */
export function batchGradients(
  model: ScGPT,
  batch: TrainingBatch,
  options: GradientOptions,
): BatchGradients {
  const { trainable, into, step } = options;
  const objectives = options.objectives.filter((one) => weightAt(one, step) !== 0);
  checkNeeds(objectives, batch);
  using tape = new Tape(model.device, trainable.values());
  const { losses, total } = tape.record(() =>
    weightedLosses(model, batch, { ...options, objectives })
  );
  const gradients = tape.backward(total, into === undefined ? {} : { into });
  return { losses, total, gradients };
}

/** How losses are taken without gradients. */
export type LossOptions =
  & Pick<GradientOptions, "objectives" | "totals" | "step">
  & Partial<Pick<GradientOptions, "pass">>;

/** Losses alone: in evaluation, or in training mode where `pass` is given. The tensors are the caller's. */
export function batchLosses(
  model: ScGPT,
  batch: TrainingBatch,
  options: LossOptions,
): Omit<BatchGradients, "gradients"> {
  checkNeeds(options.objectives, batch);
  return scope(model.device, () => weightedLosses(model, batch, options));
}

function weightedLosses(
  model: ScGPT,
  batch: TrainingBatch,
  { objectives, totals, step, pass }: LossOptions,
): Omit<BatchGradients, "gradients"> {
  const training = pass && { ...pass, step, cellKeys: batch.cellKeys };
  const names = [...new Set(objectives.flatMap(({ outputs }) => outputs))];
  const outputs: Partial<ModelOutputs> = model.forward(batch, names, training);
  const context: ObjectiveContext = {
    device: model.device,
    batch,
    totals,
    step,
    output: (name) => outputs[name]!,
    again: (names, { repeat, cellPrompt }) => {
      const prompted = cellPrompt && { cellPrompt: detach(cellPrompt) };
      const repeated = training && repeat !== undefined ? { ...training, repeat } : training;
      return model.forward({ ...batch, ...prompted }, names, repeated);
    },
  };
  const losses = new Map(objectives.map((one) => [one.name, one.loss(context)]));
  const total = objectives
    .map((one) => scaled(losses.get(one.name)!, weightAt(one, step)))
    .reduce((x, z) => run("scale_add", { x, z }, { alpha: 1, beta: 1 }).y);
  return { losses, total };
}

function scaled(x: Tensor, alpha: number): Tensor {
  return run("scale_add", { x }, { alpha, beta: 0 }).y;
}

function checkNeeds(objectives: readonly Objective[], batch: TrainingBatch): void {
  if (objectives.length === 0) {
    throw new RangeError("Cannot train as at least one objective must have a weight: got none");
  }
  for (const { name, needs } of objectives) {
    const missing = needs.find((need) => batch[need] === undefined);
    if (missing === undefined) continue;
    throw new RangeError(
      `Cannot train with the objective ${name} as the batch must have ${missing}: got none`,
    );
  }
}
