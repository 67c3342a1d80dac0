/** The WebGPU engine on a hardware GPU beside PyTorch on the same card: products, attention, embedding, training steps. */
import { type Device, loadModel, run, scope, Tensor } from "../../mod.ts";
import { embeddingOperations, raggedLengths, randomBatch } from "./cells.ts";
import { compareNumbers } from "./compare_numbers.ts";
import { interleave, speedTable } from "./measure.ts";
import { savePadded } from "./padded_batch.ts";
import type { TorchPeer } from "./torch_peer.ts";
import { stepRows, TRAINING_CASES, type TrainingCase } from "./training.ts";
import { gpuPeak } from "./webgpu_peak.ts";

const RUNS = 7, PEAK = "f32 peak";
/** Tokens of a batch of 64 cells of 1,200 genes: what the products of a layer see. */
const TOKENS = 76_800, WIDTH = 512, HEADS = 8;

/** What the parts share. */
export interface GpuBench {
  readonly device: Device;
  /** PyTorch on the same card. */
  readonly torch: TorchPeer | undefined;
  /** Folder with a model of whole-human size, for batches too. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** One line of a table: who, and how the peer is asked. */
type Contestants = Readonly<Record<string, () => Promise<number>>>;

const PARTS: Readonly<Record<string, (bench: GpuBench, peak: number) => Promise<string[]>>> = {
  product: productRows,
  attention: attentionRows,
  embedding: embeddingRows,
  training: trainingRows,
};

/** All tables, or the parts named. */
export async function gpuRows(
  bench: GpuBench,
  parts: readonly string[] = Object.keys(PARTS),
): Promise<string[]> {
  const peak = await gpuPeak();
  const lines = [
    `# WebGPU on ${bench.device.info.name}`,
    "",
    `Peak of float32 fused multiply-adds in registers through WebGPU: ${
      (peak / 1e12).toFixed(1)
    } TFLOP/s.`,
    "",
  ];
  for (const part of parts) {
    bench.say(`measuring ${part} on the GPU …`);
    await bench.torch?.ask({ do: "forget" });
    lines.push(...await PARTS[part]!(bench, peak));
  }
  return lines;
}

async function productRows({ device, torch }: GpuBench, peak: number): Promise<string[]> {
  const lines: string[] = [];
  for (const columns of [3 * WIDTH, WIDTH]) {
    using x = filled(device, [TOKENS, WIDTH]);
    using weight = filled(device, [columns, WIDTH]);
    const multiply = () => run("linear", { x, weight }, { activation: "none" }).y;
    const shape = [TOKENS, WIDTH, columns];
    const timings = await interleave({
      "ours, WebGPU": () => repeated(device, 40, multiply),
      ...peer(torch, { do: "gemm", shape, repeat: 40 }),
    }, RUNS);
    const amount = 2 * TOKENS * WIDTH * columns / 1e12;
    lines.push(
      `## Matrix product ${shape.join(" x ")}, f32`,
      "",
      ...speedTable(timings, { unit: "TFLOP/s", amount, peak: peak / 1e12, peakName: PEAK }),
    );
  }
  return lines;
}

async function attentionRows({ device, torch }: GpuBench, peak: number): Promise<string[]> {
  const lines: string[] = [];
  for (const [cells, tokens] of [[64, 1200], [16, 3000]] as const) {
    using qkv = filled(device, [cells * tokens, 3 * WIDTH]);
    const starts = Uint32Array.from({ length: cells + 1 }, (_, i) => i * tokens);
    using offsets = Tensor.from(device, "u32", [cells + 1], starts);
    const attend = () => {
      const { context, lse } = run("attention", { qkv, offsets }, { heads: HEADS });
      lse[Symbol.dispose]();
      return context;
    };
    const shape = [cells, HEADS, tokens, WIDTH / HEADS];
    const timings = await interleave({
      "ours, WebGPU": () => repeated(device, 20, attend),
      ...peer(torch, { do: "attention", shape, repeat: 20 }),
    }, RUNS);
    const amount = 4 * cells * tokens * tokens * WIDTH / 1e12;
    lines.push(
      `## Attention, ${cells} cells of ${tokens} tokens, ${HEADS} heads of ${WIDTH / HEADS}, f32`,
      "",
      ...speedTable(timings, { unit: "TFLOP/s", amount, peak: peak / 1e12, peakName: PEAK }),
    );
  }
  return lines;
}

async function embeddingRows(
  { device, torch, folder }: GpuBench,
  peak: number,
): Promise<string[]> {
  using model = await loadModel(`${folder}model`, device);
  await torch?.ask({
    do: "load",
    weights: `${folder}model/model.safetensors`,
    args: `${folder}model/args.json`,
  });
  const lines: string[] = [];
  const sets = {
    "64 cells of 1,200 tokens": Array.from({ length: 64 }, () => 1200),
    "64 ragged cells, mean fill 60 % of 1,200": raggedLengths(64, 1200),
  };
  for (const [title, lengths] of Object.entries(sets)) {
    const batch = randomBatch(model.vocab, lengths, 3);
    const path = `${folder}batch_gpu.safetensors`;
    await savePadded(path, batch, lengths, model.vocab.require("<pad>"));
    await torch?.ask({ do: "forget_batches" });
    const ask = { do: "embed", batch: path, mask: true, repeat: 3 };
    const timings = await interleave({
      "ours, WebGPU": () => repeated(device, 3, () => model.embedCells(batch)),
      ...peer(torch, ask, "PyTorch, f32, padded and masked as published"),
      ...peer(torch, { ...ask, autocast: true }, "PyTorch, bf16 autocast (other numbers)"),
    }, RUNS);
    const work = lengths.reduce((sum, n) => sum + embeddingOperations(n), 0);
    const one = work / lengths.length;
    lines.push(
      `## Cell embedding, whole-human size (12 layers, width 512), ${title}`,
      "",
      ...speedTable(timings, {
        unit: "cells/s",
        amount: lengths.length,
        peak: peak / one,
        peakName: PEAK,
      }),
    );
    if (torch) lines.push(await compareNumbers(torch, model, { batch, path }), "");
  }
  return lines;
}

async function trainingRows({ device, torch, say }: GpuBench, peak: number): Promise<string[]> {
  const lines: string[] = [];
  const cases: TrainingCase[] = [
    {
      ...TRAINING_CASES[0]!,
      title: "whole-human size, 16 cells x 1,201 tokens, dropout 0.2",
      lengths: Array.from({ length: 16 }, () => 1201),
    },
    {
      ...TRAINING_CASES[1]!,
      title: "whole-human size, 16 cells x 1,201 tokens, no dropout",
      lengths: Array.from({ length: 16 }, () => 1201),
    },
    TRAINING_CASES[2]!,
  ];
  for (const one of cases.map((one) => ({ ...one, runs: RUNS }))) {
    say(`training: ${one.title} …`);
    await torch?.ask({ do: "forget" });
    const names = { ours: "ours, WebGPU", theirs: "PyTorch, f32" };
    lines.push(...await stepRows(one, { device, torch, ...names, peak, peakName: PEAK }));
  }
  return lines;
}

/** Seconds of one of `times` runs that are enqueued together and waited for once. */
async function repeated(device: Device, times: number, work: () => Tensor): Promise<number> {
  const start = performance.now();
  for (let i = 1; i < times; i++) scope(device, () => void work());
  using last = work();
  using corner = scope(device, () => run("column_sum", { x: last.rows(0, 1) }, {}).y);
  await corner.data();
  return (performance.now() - start) / 1000 / times;
}

function filled(device: Device, shape: readonly [number, number]): Tensor {
  const values = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i));
  return Tensor.from(device, "f32", [...shape], values);
}

function peer(
  torch: TorchPeer | undefined,
  ask: Readonly<Record<string, unknown>>,
  name = "PyTorch, f32",
): Contestants {
  if (torch === undefined) return {};
  return { [name]: async () => (await torch.ask<{ seconds: number }>(ask)).seconds };
}
