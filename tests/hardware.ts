/**
 * `deno task hardware OUT_DIR [suite] [parity] [PART OF THE BENCHMARK …]`: what a machine with a GPU runs. The device suite and the parity
 * cases on its GPU, and the WebGPU benchmark beside PyTorch (TORCH_DEVICE=cuda); writes suite.json, parity.json and webgpu.md.
 *
 * Such machines often reach no registry: `deno task bundle:hardware` makes it one file that needs nothing but Deno and the repository,
 *
 *   deno run -A out/hardware/hardware.js OUT_DIR
 *
 * and `LEDGER=write deno task hardware ledger parity.json` takes the parity rows over into the ledger.
 */
import { GeneVocab, openWasmDevice, openWebGpuDevice, selfTest } from "../mod.ts";
import { makeModelFolder } from "../scripts/commands/init.ts";
import { gpuRows } from "./bench/webgpu.ts";
import { startTorch } from "./bench/torch_peer.ts";
import { deviceSuite } from "./gpu/device_suite.ts";
import type { ParityRow } from "./parity/case.ts";
import { forwardParity } from "./parity/forward.ts";
import { writeLedger } from "./parity/ledger.ts";
import { trainingParity } from "./parity/training.ts";

const FIXTURES = (Deno.env.get("FIXTURES") ?? "tests/fixtures/scgpt").split(":");
const say = (line: string) => console.error(`${(performance.now() / 1000).toFixed(1)} s  ${line}`);

const open = (options = { memoryLimitBytes: 2 ** 30 }) => openWebGpuDevice(options);

async function main([out, ...parts]: readonly string[]): Promise<void> {
  if (out === undefined) throw new TypeError("Cannot run as a folder for the results is missing");
  if (out === "ledger") return await takeLedger(parts[0]!);
  await Deno.mkdir(out, { recursive: true });
  const wants = (part: string) => parts.length === 0 || parts.includes(part);
  if (wants("suite")) await save(`${out}/suite.json`, await suite());
  if (wants("parity")) await save(`${out}/parity.json`, await parity());
  const bench = parts.filter((part) => part !== "suite" && part !== "parity");
  if (parts.length > 0 && bench.length === 0) return;
  const lines = await measure(`${out}/`, bench);
  await Deno.writeTextFile(`${out}/webgpu.md`, `${lines.join("\n")}\n`);
  console.log(lines.join("\n"));
}

async function suite() {
  {
    await using device = await open();
    await using reference = await openWasmDevice({ threads: 1 });
    const { ok, errors } = await selfTest(device, reference);
    const worst = Object.entries(errors).toSorted((a, b) => b[1] - a[1])[0]!;
    say(`self-test ${ok ? "passed" : "FAILED"}: largest error ${worst[1]} of ${worst[0]}`);
  }
  const failures: { name: string; error: string }[] = [];
  let passed = 0;
  for (const { name, run } of deviceSuite(open)) {
    try {
      await run();
      passed++;
    } catch (error) {
      failures.push({ name, error: `${error}` });
    }
  }
  say(`device suite: ${passed} passed, ${failures.length} failed`);
  for (const { name, error } of failures) say(`  ${name}: ${error}`);
  return { passed, failures };
}

async function parity(): Promise<{ device: string; rows: ParityRow[] }> {
  await using device = await open();
  const rows = [
    ...await Array.fromAsync(forwardParity(device, recorded)),
    ...await Array.fromAsync(trainingParity(device, recorded)),
  ];
  const over = rows.filter(({ error, bar }) => !(error <= bar));
  say(`parity: ${rows.length} outputs, ${over.length} over their bar`);
  for (const row of over) say(`  ${row.case}: ${row.output} is off by ${row.error}`);
  return { device: `WebGPU on ${device.info.name}, Deno`, rows };
}

async function recorded(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (const folder of FIXTURES) {
    const bytes = await Deno.readFile(`${folder}/${path}`).catch(() => undefined);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

async function measure(folder: string, parts: readonly string[]): Promise<string[]> {
  const vocab = GeneVocab.fromNames(Array.from({ length: 60_694 }, (_, i) => `GENE${i}`));
  await makeModelFolder(`${folder}model`, vocab, { preset: "whole-human", seed: 1, force: true });
  const torch = await startTorch(say);
  await using device = await open({ memoryLimitBytes: 64 * 2 ** 30 });
  const lines = await gpuRows({ device, torch, folder, say }, parts.length > 0 ? parts : undefined);
  await torch?.stop();
  await Deno.remove(`${folder}model`, { recursive: true });
  return lines;
}

/** Takes the rows of a parity.json over into the ledger. */
async function takeLedger(path: string): Promise<void> {
  const { device, rows } = JSON.parse(await Deno.readTextFile(path)) as Awaited<
    ReturnType<typeof parity>
  >;
  await writeLedger(device, rows);
}

async function save(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value));
}

if (import.meta.main) {
  await main(Deno.args);
  Deno.exit(0);
}
