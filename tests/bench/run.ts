/**
 * `deno task bench [ROW …]`: ours beside onnxruntime-web and PyTorch, in one run, interleaved; minimum and median of the runs, the ratio of
 * the medians, and the share of the machine's peak. Writes tests/bench/RESULTS.md with `--write`. PYTHON names a Python with torch 2.13.0,
 * PYTHON_DATA one with anndata, PYTHON_SOMA one with tiledbsoma.
 */
import { GeneVocab, loadModel, openWasmDevice, run, type ScGPT, scope, Tensor } from "../../mod.ts";
import { makeModelFolder } from "../../scripts/commands/init.ts";
import { embeddingOperations, raggedLengths, randomBatch } from "./cells.ts";
import { compareNumbers, embeddingsOf } from "./compare_numbers.ts";
import { dataRows } from "./data.ts";
import { frameRows } from "./frame.ts";
import { largeRows } from "./large.ts";
import { loadingRows } from "./loading.ts";
import { interleave, seconds, speedTable } from "./measure.ts";
import { memoryRows } from "./memory.ts";
import { ortMatMul } from "./onnx_matmul.ts";
import { savePadded } from "./padded_batch.ts";
import { wasmPeak } from "./peak.ts";
import { somaRows } from "./soma.ts";
import { startTorch, type TorchPeer } from "./torch_peer.ts";
import { trainingRows } from "./training.ts";

const FOLDER = new URL("../../out/bench/", import.meta.url).pathname;
const MODEL = `${FOLDER}model`;
const RUNS = 7;
const PEAK = "128-bit peak";
const GEMM = [1200, 512, 1536] as const;

const say = (line: string) => console.error(line);

/** What all parts share. */
interface Bench {
  readonly torch: TorchPeer | undefined;
  readonly peak: number;
  readonly lines: string[];
}

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  gemm: benchGemm,
  embed: benchEmbedding,
  train: async ({ torch, peak, lines }) => void lines.push(...await trainingRows(torch, peak, say)),
  load: async ({ lines }) => void lines.push(...await loadingRows(MODEL)),
  data: async ({ lines }) => void lines.push(...await dataRows(FOLDER, say)),
  memory: async ({ lines }) => void lines.push(...await memoryRows(MODEL, say)),
  frame: async ({ lines }) => void lines.push(...await frameRows(say)),
  large: async ({ lines }) => void lines.push(...await largeRows(FOLDER, say)),
  soma: async ({ lines }) => void lines.push(...await somaRows(FOLDER, say)),
};

/** Parts that read data alone, and need neither a model nor PyTorch. */
const WITHOUT_MODEL = new Set(["data", "frame", "large", "soma"]);

async function main(args: readonly string[]): Promise<void> {
  const wanted = args.filter((arg) => !arg.startsWith("--"));
  const withModel = wanted.length === 0 || wanted.some((name) => !WITHOUT_MODEL.has(name));
  if (withModel) await makeModel();
  const peak = await wasmPeak();
  const torch = withModel ? await startTorch(say) : undefined;
  const measured = new Map([["head", `${await heading(peak)}\n`]]);
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    say(`measuring ${name} …`);
    const lines: string[] = [];
    await part({ torch, peak, lines });
    measured.set(name, `${lines.join("\n")}\n`);
  }
  await torch?.stop();
  console.log([...measured.values()].join("\n"));
  if (args.includes("--write")) await writeResults(measured);
}

const RESULTS = new URL("RESULTS.md", import.meta.url);

/** Writes the parts that were measured over those of earlier runs; each stands behind a comment with its name. */
async function writeResults(measured: ReadonlyMap<string, string>): Promise<void> {
  const text = await Deno.readTextFile(RESULTS).catch(() => "");
  const known = new Map(
    text.split("<!-- ").slice(1).map((section) => {
      const end = section.indexOf(" -->\n");
      return [section.slice(0, end), section.slice(end + 5)] as const;
    }),
  );
  const parts = ["head", ...Object.keys(PARTS)].flatMap((name) => {
    const lines = measured.get(name) ?? known.get(name);
    return lines === undefined ? [] : [`<!-- ${name} -->\n${lines.trim()}\n`];
  });
  await Deno.writeTextFile(RESULTS, parts.join("\n"));
}

async function heading(peak: number): Promise<string> {
  const cpu =
    /model name\s*: (.*)/.exec(await Deno.readTextFile("/proc/cpuinfo").catch(() => ""))?.[1] ??
      Deno.build.arch;
  return `# Measurements
${
    new Date().toISOString().slice(0, 10)
  }, ${cpu}, ${navigator.hardwareConcurrency} processors, Deno ${Deno.version.deno}, V8 ${Deno.version.v8}.
Made by \`deno task bench --write\`; runs are interleaved, minimum and median of ${RUNS} after a warm-up, ratios of the medians.
Peak of 128-bit WebAssembly here: ${
    (peak / 1e9).toFixed(1)
  } GFLOP/s a thread (fused multiply-add in registers).
`;
}

/** Whole-human size with fresh weights: what is measured does not depend on what was learnt. */
async function makeModel(): Promise<void> {
  if (await Deno.stat(`${MODEL}/model.safetensors`).then(() => true, () => false)) return;
  say("making a model of whole-human size …");
  await Deno.mkdir(FOLDER, { recursive: true });
  const vocab = GeneVocab.fromNames(Array.from({ length: 60_694 }, (_, i) => `GENE${i}`));
  await makeModelFolder(MODEL, vocab, { preset: "whole-human", seed: 1, force: true });
}

async function benchGemm({ torch, peak, lines }: Bench): Promise<void> {
  const [M, K, N] = GEMM;
  const operations = 2 * M * K * N;
  await using device = await openWasmDevice({ threads: 1 });
  const fill = (shape: number[]) =>
    Tensor.from(
      device,
      "f32",
      shape,
      Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => Math.sin(i)),
    );
  const x = fill([M, K]), weight = fill([N, K]);
  const contestants = {
    "ours, WASM, 1 thread": () =>
      seconds(() => scope(device, () => void run("linear", { x, weight }, { activation: "none" }))),
    "onnxruntime-web, WASM, 1 thread": await ortMatMul(M, K, N),
    ...torch && { "PyTorch, 1 thread": torchGemm(torch) },
  };
  const timings = await interleave(contestants, 15);
  lines.push(
    `## Matrix product ${M} x ${K} x ${N}, f32`,
    "",
    ...speedTable(timings, {
      unit: "GFLOP/s",
      amount: operations / 1e9,
      peak: peak / 1e9,
      peakName: PEAK,
    }),
  );
}

function torchGemm(torch: TorchPeer): () => Promise<number> {
  return async () => {
    await torch.ask({ do: "threads", threads: 1 });
    return (await torch.ask<{ seconds: number }>({ do: "gemm", shape: GEMM })).seconds;
  };
}

async function benchEmbedding({ torch, peak, lines }: Bench): Promise<void> {
  const threads = navigator.hardwareConcurrency;
  await using device = await openWasmDevice({ threads });
  using model = await loadModel(MODEL, device);
  await torch?.ask({
    do: "load",
    weights: `${MODEL}/model.safetensors`,
    args: `${MODEL}/args.json`,
  });
  await torch?.ask({ do: "threads", threads });
  const full = Array.from({ length: 8 }, () => 1200);
  await embeddingRows({ torch, peak, lines }, model, "8 cells of 1,200 tokens", full);
  await embeddingRows(
    { torch, peak, lines },
    model,
    "8 ragged cells, mean fill 60 % of 1,200",
    raggedLengths(8, 1200),
  );
}

async function embeddingRows(
  { torch, peak, lines }: Bench,
  model: ScGPT,
  title: string,
  lengths: readonly number[],
): Promise<void> {
  const batch = randomBatch(model.vocab, lengths, 3);
  const path = `${FOLDER}batch${lengths.at(-1)}.safetensors`;
  await savePadded(path, batch, lengths, model.vocab.require("<pad>"));
  const threads = model.device.info.threads;
  const peer = (mask: boolean) => async () =>
    (await torch!.ask<{ seconds: number }>({ do: "embed", batch: path, mask })).seconds;
  const ragged = lengths.some((length) => length !== lengths[0]);
  const timings = await interleave({
    [`ours, WASM, ${threads} threads`]: () =>
      seconds(async () => void await embeddingsOf(model, batch)),
    ...torch && { [`PyTorch, ${threads} threads, padded and masked as published`]: peer(true) },
    ...torch && !ragged &&
      { [`PyTorch, ${threads} threads, without mask (not as published)`]: peer(false) },
  }, RUNS);
  const work = lengths.reduce((sum, n) => sum + embeddingOperations(n), 0);
  lines.push(
    `## Cell embedding, whole-human size (12 layers, width 512), ${title}`,
    "",
    ...speedTable(timings, {
      unit: "cells/s",
      amount: lengths.length,
      peak: peak * threads / (work / lengths.length),
      peakName: PEAK,
    }),
  );
  if (torch) lines.push(await compareNumbers(torch, model, { batch, path }));
}

if (import.meta.main) {
  await main(Deno.args);
  Deno.exit(0);
}
