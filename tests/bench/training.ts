/** Steps of fine-tuning beside PyTorch: whole-human size with and without dropout, the small model from scratch, memory, growth with size. */
import {
  Adam,
  batchGradients,
  cls,
  type Device,
  freshModel,
  GeneVocab,
  gep,
  gepc,
  type Objective,
  openWasmDevice,
  parseConfig,
  type Preset,
  type ScGPT,
  type Tensor,
  trainableParameters,
  type TrainingBatch,
} from "../../mod.ts";
import { randomBatch } from "./cells.ts";
import { interleave, seconds, speedTable } from "./measure.ts";
import type { TorchPeer } from "./torch_peer.ts";

/** What is trained. */
export interface TrainingCase {
  readonly title: string;
  readonly preset: Preset;
  readonly words: number;
  readonly lengths: readonly number[];
  readonly head: "gep" | "cls";
  readonly dropout: number;
  readonly checkpoint?: boolean;
  readonly runs: number;
}

const full = (cells: number, tokens: number) => Array.from({ length: cells }, () => tokens);
/** Lengths spread evenly about the anchor's mean of 124 tokens. */
const anchor = Array.from({ length: 32 }, (_, i) => 60 + 4 * i);

/** The steps that are measured. */
export const TRAINING_CASES: readonly TrainingCase[] = [
  {
    title: "whole-human size, 2 cells x 1,201 tokens, dropout 0.2",
    preset: "whole-human",
    words: 60_694,
    lengths: full(2, 1201),
    head: "gep",
    dropout: 0.2,
    runs: 5,
  },
  {
    title: "whole-human size, 8 cells x 1,201 tokens, no dropout",
    preset: "whole-human",
    words: 60_694,
    lengths: full(8, 1201),
    head: "gep",
    dropout: 0,
    runs: 5,
  },
  {
    title: "small model (width 64, 3 layers), classes, 32 cells of 60 to 184 tokens, dropout 0.2",
    preset: "mini",
    words: 1200,
    lengths: anchor,
    head: "cls",
    dropout: 0.2,
    runs: 15,
  },
];

/** Lengths and numbers of cells of the growth table. */
const GROWTH = [[1, 300], [2, 300], [4, 300], [8, 300], [1, 600], [1, 1200], [1, 2400]] as const;

/** Rows of the report. `peak`: FLOP/s of a thread. */
export async function trainingRows(
  torch: TorchPeer | undefined,
  peak: number,
  say: (line: string) => void,
): Promise<string[]> {
  const threads = navigator.hardwareConcurrency;
  await torch?.ask({ do: "forget" });
  await torch?.ask({ do: "threads", threads });
  const lines: string[] = [];
  for (const one of TRAINING_CASES) {
    say(`training: ${one.title} …`);
    await using device = await openWasmDevice({ threads });
    const [ours, theirs] = [`ours, WASM, ${threads} threads`, `PyTorch, ${threads} threads`];
    const limit = { peak: peak * threads, peakName: "128-bit peak" };
    lines.push(...await stepRows(one, { device, torch, ours, theirs, ...limit }));
  }
  await torch?.ask({ do: "forget" });
  say("training: memory …");
  lines.push(...await memoryOfTraining());
  say("training: growth …");
  lines.push(...await growthRows());
  return lines;
}

/** Where steps are measured, and how the contestants and the limit are called. */
export interface StepSetting {
  readonly device: Device;
  readonly torch: TorchPeer | undefined;
  readonly ours: string;
  readonly theirs: string;
  /** FLOP/s of the device, and what they are. */
  readonly peak: number;
  readonly peakName: string;
}

/** A table of one case beside PyTorch. */
export async function stepRows(one: TrainingCase, setting: StepSetting): Promise<string[]> {
  const { device, torch, ours, theirs, peak, peakName } = setting;
  using learner = await Learner.open(device, one);
  const { embsize, nheads, nlayers, dHid } = learner.model.config;
  const peer = {
    do: "train",
    tokens: one.words + 3,
    args: { embsize, nheads, nlayers, d_hid: dHid },
    lengths: one.lengths,
    head: one.head,
    dropout: one.dropout,
  };
  const timings = await interleave({
    [ours]: () => seconds(() => learner.step()),
    ...torch && {
      [theirs]: async () => (await torch.ask<{ seconds: number }>(peer)).seconds,
    },
  }, one.runs);
  const amount = one.lengths.length;
  const work = one.lengths.reduce((sum, n) => sum + operations(learner.model, n), 0);
  return [
    `## Fine-tuning step, ${one.title}`,
    "",
    ...speedTable(timings, { unit: "cells/s", amount, peak: peak / (work / amount), peakName }),
  ];
}

/** Operations of one cell of N tokens, forward and backward: products three times, attention three and a half times. */
function operations({ config: { embsize: d, dHid, nlayers } }: ScGPT, N: number): number {
  const products = 2 * (4 * d * d + 2 * d * dHid);
  return nlayers * N * (3 * products + 3.5 * 4 * N * d);
}

async function memoryOfTraining(): Promise<string[]> {
  const rows: string[] = [];
  for (const checkpoint of [false, true]) {
    for (const cells of [1, 3]) {
      const lengths = full(cells, 1201);
      const peak = await peakOver({ ...TRAINING_CASES[0]!, lengths, dropout: 0.2, checkpoint });
      rows.push(
        `| ${checkpoint ? "layers recomputed (checkpoint)" : "activations kept"}, ${cells} cell${
          cells > 1 ? "s" : ""
        } | ${(peak / 1e6).toFixed(0)} MB | ${(peak / 1e6 / cells).toFixed(0)} MB |`,
      );
    }
  }
  return [
    "## Memory of a fine-tuning step, whole-human size, cells of 1,201 tokens, dropout 0.2",
    "",
    "Peak of the device's memory over weights, their packed copies, gradients and optimiser.",
    "",
    "| | peak over weights and optimiser | a cell |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ];
}

async function peakOver(one: TrainingCase): Promise<number> {
  await using device = await openWasmDevice({ threads: navigator.hardwareConcurrency });
  using run = await Learner.open(device, { ...one, lengths: [8] });
  await run.step(); // makes slots of the optimiser and packs
  const resting = device.memory.liveBytes + run.gradientBytes;
  run.batch = learned(run.model, one);
  await run.step();
  return device.memory.peakBytes - resting;
}

async function growthRows(): Promise<string[]> {
  const rows: string[] = [];
  let unit: number | undefined;
  for (const [cells, tokens] of GROWTH) {
    await using device = await openWasmDevice({ threads: navigator.hardwareConcurrency });
    const one = { ...TRAINING_CASES[1]!, words: 2000, lengths: full(cells, tokens) };
    using run = await Learner.open(device, one);
    const { step } = await interleave({ step: () => seconds(() => run.step()) }, 3);
    const work = cells * operations(run.model, tokens);
    unit ??= step!.min / work;
    rows.push(
      `| ${cells} | ${tokens} | ${step!.min.toFixed(2)} | ${(unit * work).toFixed(2)} | ${
        (step!.min / (unit * work)).toFixed(2)
      } |`,
    );
  }
  return [
    "## Growth of a fine-tuning step with cells and length (width 512, 12 layers, no dropout)",
    "",
    "Formula: layers x N x (6 x products + 14 x N x width), scaled to the first row.",
    "",
    "| cells | tokens each | best s | formula s | measured / formula |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ];
}

/** A model with its optimiser and a batch. */
class Learner {
  readonly model: ScGPT;
  batch: TrainingBatch;
  gradientBytes = 0;
  readonly #adam: Adam;
  readonly #trainable: ReadonlyMap<string, Tensor>;
  readonly #one: TrainingCase;
  #step = 0;

  private constructor(model: ScGPT, one: TrainingCase) {
    this.model = model;
    this.#one = one;
    this.batch = learned(model, one);
    this.#adam = new Adam(model.device);
    this.#trainable = trainableParameters(model, "full");
  }

  static async open(
    device: Device,
    one: TrainingCase,
  ): Promise<Learner> {
    const names = Array.from({ length: one.words }, (_, i) => `GENE${i}`);
    const knobs = { nCls: one.head === "cls" ? 8 : 0, mvc: one.head === "gep", generative: false };
    const config = parseConfig(one.preset, knobs);
    const vocab = GeneVocab.fromNames(names);
    return new Learner(await freshModel(device, { config, vocab, seed: 1 }), one);
  }

  async step(): Promise<void> {
    const { dropout, head, checkpoint = false } = this.#one;
    const objectives: Objective[] = head === "cls" ? [cls()] : [gep(), gepc()];
    const { batch } = this;
    const cells = batch.offsets.length - 1;
    const asked = Array.from(batch.asked ?? []).reduce((sum, one) => sum + one, 0);
    const { losses, total, gradients } = batchGradients(this.model, batch, {
      objectives,
      trainable: this.#trainable,
      totals: { cells, asked },
      step: ++this.#step,
      pass: { dropout, seed: 1, checkpoint },
    });
    using squares = this.#adam.step(this.#trainable, gradients, 1e-4);
    this.gradientBytes = [...gradients.values()].reduce((sum, { size }) => sum + 4 * size, 0);
    for (const tensor of [...losses.values(), ...gradients.values()]) tensor[Symbol.dispose]();
    using loss = total;
    await Promise.all([loss.data(), squares.data()]);
  }

  [Symbol.dispose](): void {
    this.#adam[Symbol.dispose]();
    this.model[Symbol.dispose]();
  }
}

function learned({ vocab }: ScGPT, { lengths, words, head }: TrainingCase): TrainingBatch {
  const { ids, values, offsets } = randomBatch(vocab, lengths, 3);
  const batch = {
    ids: ids.map((id) => id >= words && id < vocab.size ? id : id % words),
    offsets,
    cellKeys: lengths.map((_, i): [number, number] => [i, 0]),
  };
  if (head === "cls") {
    return { ...batch, values, classes: Uint32Array.from(lengths, (_, i) => i % 8) };
  }
  const asked = values.map((_, t) => t % 5 < 2 ? 1 : 0);
  return {
    ...batch,
    targets: values,
    asked,
    values: values.map((value, t) => asked[t] ? -1 : value),
  };
}
