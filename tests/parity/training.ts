/** Losses, gradients and optimiser steps against those of the published code, on any device. */
import type { Device, Tensor } from "../../gpu/mod.ts";
import { Adam } from "../../lib/train/optimizer.ts";
import { batchGradients } from "../../lib/train/gradients.ts";
import type { Objective, TrainingBatch } from "../../lib/train/objective.ts";
import { cce, cls, dar, ecs } from "../../lib/train/objectives/cells.ts";
import { cellPrompt, gep, gepc, zeroLogProb } from "../../lib/train/objectives/expression.ts";
import { trainableParameters } from "../../lib/train/trainable.ts";
import type { ScGPT } from "../../mod.ts";
import { packTokens } from "../../scripts/commands/padded.ts";
import {
  generativeBatch,
  loadCase,
  type ParityRow,
  type ReadFixture,
  type Recorded,
  relativeError,
  tensors,
} from "./case.ts";

/** Largest relative error of gradients and of weights after five steps (design of the library). */
const BAR = 1e-4;

const integration = () => [
  gep(),
  gepc(),
  zeroLogProb(),
  zeroLogProb({ of: "gepc" }),
  ecs({ beta: 0.8, weight: 10 }),
  dar(),
];

/** Objectives of each case, and the names of their recorded losses. */
const CASES: Readonly<Record<string, { objectives(): Objective[] }>> = {
  small_annotation: { objectives: () => [cls()] },
  small_all_objectives: {
    objectives: () => [
      gep(),
      gepc(),
      cls(),
      cce({ weight: 10 }),
      ecs({ beta: 0.3, weight: 10 }),
    ],
  },
  small_integration_dsbn: { objectives: integration },
  small_integration_nobn: { objectives: integration },
  small_multiomic: { objectives: () => [gep(), gepc(), dar()] },
  small_perturb: { objectives: () => [gep()] },
  small_var_mvc_detach: { objectives: () => [gep(), gepc()] },
  small_var_scaling: { objectives: () => [gep(), gepc()] },
  small_generation_pretrain: {
    objectives: () => [gep(), gepc(), cellPrompt({ afterStep: 0 })],
  },
};

const LOSSES: Readonly<Record<string, string>> = {
  gep: "loss_mse",
  gepc: "loss_mvc",
  gep_zero_log_prob: "loss_nzlp",
  gepc_zero_log_prob: "loss_mvc_nzlp",
  cls: "loss_cls",
  cce: "loss_cce",
  ecs: "loss_ecs",
  dar: "loss_dab",
  cell_prompt: "loss_gen",
};

/** The two recorded recipes. */
const RECIPES = {
  adam_ref: { lr: 1e-4, eps: 1e-4, maxNorm: 1 },
  adam_plain: { lr: 1e-3, eps: 1e-8, maxNorm: Infinity },
} as const;

/** Compares every training case that `read` finds. */
export async function* trainingParity(
  device: Device,
  read: ReadFixture,
): AsyncGenerator<ParityRow> {
  for (const name of Object.keys(CASES)) {
    const io = await tensors(await read(`${name}/io.safetensors`));
    const grads = await tensors(await read(`${name}/grads.safetensors`));
    if (io === undefined || grads === undefined) continue;
    const objectives = CASES[name]!.objectives();
    const batch = trainingBatch(name, io);
    yield* gradientRows(name, { objectives, batch, io, grads }, () => loadCase(device, read, name));
    for (const [recipe, options] of Object.entries(RECIPES)) {
      const steps = await tensors(await read(`${name}/${recipe}.safetensors`));
      if (steps === undefined) continue;
      using model = (await loadCase(device, read, name))!;
      const truth = gradientNorm(grads);
      const recipeOf = name === "small_generation_pretrain" ? { ...options, eps: 1e-8 } : options;
      const run = { model, objectives, batch, steps, truth, options: recipeOf };
      yield* stepRows(`${name}, ${recipe}`, run);
    }
  }
}

function trainingBatch(name: string, io: Recorded): TrainingBatch {
  if (name === "small_generation_pretrain") {
    const { batch, asked, targets } = generativeBatch(io);
    return { ...batch, asked, targets, cellKeys: cellKeys(batch.offsets.length - 1) };
  }
  const { batch, positions } = packTokens({
    src: io.need("in.src"),
    values: io.need("in.values"),
    mask: io.need("in.src_key_padding_mask"),
    batchLabels: io.get("in.batch_labels"),
    modTypes: io.get("in.mod_types"),
    pertFlags: io.get("in.input_pert_flags"),
  });
  const target = io.need("in.target_values").values;
  const classes = io.get("in.celltype_labels");
  const everything = name === "small_perturb";
  return {
    ...batch,
    cellKeys: cellKeys(batch.offsets.length - 1),
    targets: Float32Array.from(positions, (at) => target[at]!),
    asked: batch.values!.map((value) => everything || value === -1 ? 1 : 0),
    ...(classes && { classes: Uint32Array.from(classes.values) }),
  };
}

function cellKeys(cells: number): [number, number][] {
  return Array.from({ length: cells }, (_, cell) => [cell, 0]);
}

interface GradientCase {
  readonly objectives: readonly Objective[];
  readonly batch: TrainingBatch;
  readonly io: Recorded;
  readonly grads: Recorded;
}

async function* gradientRows(
  name: string,
  { objectives, batch, io, grads }: GradientCase,
  load: () => Promise<ScGPT | undefined>,
): AsyncGenerator<ParityRow> {
  using model = (await load())!;
  const trainable = trainableParameters(model, "full");
  const { losses, total, gradients } = pass(model, batch, { objectives, trainable });
  const row = (output: string, error: number): ParityRow => ({
    case: name,
    output,
    file: "lib/train/gradients.ts",
    error,
    bar: BAR,
    reference: undefined,
  });
  for (const [objective, loss] of losses) {
    const truth = io.need(`train.${LOSSES[objective]!}`).values;
    yield row(`loss ${objective}`, relativeError(await loss.data(), truth));
    loss[Symbol.dispose]();
  }
  total[Symbol.dispose]();
  let worst = 0, compared = 0;
  for (const [parameter, weight] of trainable) {
    const recorded = parameter.replace(".in_proj_", ".Wqkv.");
    const truth = grads.get(`f64.${parameter}`) ?? grads.get(`f64.${recorded}`);
    const gradient = gradients.get(weight);
    const none = truth === undefined || truth.values.every(Number.isNaN);
    if (none !== (gradient === undefined)) {
      const largest = gradient === undefined
        ? truth!.values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
        : (await gradient.data()).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      if (largest > 0) yield row(`gradient of ${parameter}, which one side lacks`, Infinity);
    } else if (gradient !== undefined) {
      const error = gradientError(await gradient.data(), truth!.values);
      worst = Math.max(worst, error);
      compared++;
      if (error > BAR) yield row(`gradient of ${parameter}`, error);
    }
    gradient?.[Symbol.dispose]();
  }
  yield row(`gradients of ${compared} weights`, worst);
  yield* statisticRows(name, model, grads);
}

/** Running statistics after one forward pass in training. */
async function* statisticRows(
  name: string,
  model: ScGPT,
  grads: Recorded,
): AsyncGenerator<ParityRow> {
  let worst = 0, compared = 0;
  for (const [parameter, tensor] of model.parameters) {
    const truth = grads.get(`buffers_after_1_forward.${parameter}`);
    if (truth === undefined) continue;
    worst = Math.max(worst, gradientError(await tensor.data(), truth.values));
    compared++;
  }
  if (compared === 0) return;
  yield {
    case: name,
    output: `${compared} running statistics after a pass`,
    file: "lib/model/domain_norm.ts",
    error: worst,
    bar: BAR,
    reference: undefined,
  };
}

interface StepCase {
  readonly model: ScGPT;
  readonly objectives: readonly Objective[];
  readonly batch: TrainingBatch;
  readonly steps: Recorded;
  /** Gradient norm of the first step, from the float64 gradients. */
  readonly truth: number;
  readonly options: { readonly lr: number; readonly eps: number; readonly maxNorm: number };
}

async function* stepRows(
  name: string,
  { model, objectives, batch, steps, truth, options: { lr, eps, maxNorm } }: StepCase,
): AsyncGenerator<ParityRow> {
  const trainable = trainableParameters(model, "full");
  using adam = new Adam(model.device, { eps, maxNorm });
  const row = (output: string, error: number): ParityRow => ({
    case: name,
    output,
    file: "lib/train/optimizer.ts",
    error,
    bar: BAR,
    reference: undefined,
  });
  let worst = 0;
  for (let step = 1; step <= 5; step++) {
    const { losses, total, gradients } = pass(model, batch, { objectives, trainable });
    const loss = await total.data();
    using squares = adam.step(trainable, gradients, lr);
    const norm = Math.sqrt((await squares.data())[0]!);
    for (const tensor of [...losses.values(), total, ...gradients.values()]) {
      tensor[Symbol.dispose]();
    }
    worst = Math.max(worst, relativeError(loss, steps.need(`step${step}.loss`).values));
    if (step === 1) yield row("gradient norm", relativeError([norm], [truth]));
  }
  yield row("losses of 5 steps", worst);
  let weights = 0, at = "";
  for (const [parameter, tensor] of model.parameters) {
    const truth = steps.get(`step5.${parameter}`) ??
      steps.get(`step5.${parameter.replace(".in_proj_", ".Wqkv.")}`);
    if (truth === undefined) continue;
    const [got, wanted] = withoutKeyBias(parameter, await tensor.data(), truth.values);
    const error = relativeError(got, wanted);
    if (error > weights) [weights, at] = [error, parameter];
  }
  yield row("weights after 5 steps" + (weights > BAR ? ` (${at})` : ""), weights);
}

function pass(
  model: ScGPT,
  batch: TrainingBatch,
  { objectives, trainable }: {
    readonly objectives: readonly Objective[];
    readonly trainable: ReadonlyMap<string, Tensor>;
  },
) {
  const asked = Array.from(batch.asked ?? []).reduce((sum, one) => sum + one, 0);
  return batchGradients(model, batch, {
    objectives,
    trainable,
    totals: { cells: batch.offsets.length - 1, asked },
    step: 1,
    pass: { dropout: 0, seed: 0 },
  });
}

/** Norm of all float64 gradients together. */
function gradientNorm(grads: Recorded): number {
  let squares = 0;
  for (const name of grads.names) {
    if (!name.startsWith("f64.")) continue;
    for (const x of grads.need(name).values) if (!Number.isNaN(x)) squares += x * x;
  }
  return Math.sqrt(squares);
}

/**
 * The bias of the keys shifts all scores of a query alike and so has no gradient; what rounding leaves of it is made a whole step by
 * Adam with a small eps, on both sides by chance.
 */
function withoutKeyBias(
  parameter: string,
  got: Float32Array,
  truth: readonly number[],
): [number[], number[]] {
  const third = truth.length / 3;
  const kept = (_: number, at: number) =>
    !parameter.endsWith("in_proj_bias") || at < third || at >= 2 * third;
  return [[...got].filter(kept), truth.filter(kept)];
}

/** As relativeError; a gradient that is zero in the truth is compared with what rounding leaves of large sums. */
function gradientError(got: Float32Array, truth: readonly number[]): number {
  const largest = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest > 1e-12) return relativeError(got, truth);
  return got.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
