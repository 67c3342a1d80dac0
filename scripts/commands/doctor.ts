/** `scgpt doctor`: devices found, their features, the self-test's result, and what to do about each problem. */
import { type Device, openWasmDevice, openWebGpuDevice, selfTest } from "../../mod.ts";
import { command, type Context } from "./command.ts";
import { settleWebGpu } from "./webgpu_env.ts";

/** What is known of one engine. */
interface Finding {
  readonly engine: string;
  readonly ok: boolean;
  readonly name?: string;
  readonly features?: readonly string[];
  readonly threads?: number;
  readonly worstError?: number;
  readonly milliseconds?: number;
  readonly problem?: string;
  readonly advice?: string;
}

/** The command. */
export const doctor = command({
  name: "doctor",
  help: "list compute devices, test them, and say what to do about problems",
  flags: {},
  run: async (_flags, context) => {
    const { signal, say } = context;
    signal.throwIfAborted();
    settleWebGpu();
    await using cpu = await openWasmDevice();
    const findings = [
      describe("wasm", cpu),
      await checkGpu("webgpu", () => openWebGpuDevice(), cpu),
      await checkGpu("webgpu, software", () => openWebGpuDevice({ software: true }), cpu),
    ];
    say(
      `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} processors`,
    );
    for (const finding of findings) sayFinding(finding, context);
    const best = findings[1]!.ok ? "webgpu" : "wasm";
    say(`--device auto takes: ${best}`);
    return { auto: best, findings };
  },
});

function describe(engine: string, { info }: Device): Finding {
  return { engine, ok: true, name: info.name, features: info.features, threads: info.threads };
}

async function checkGpu(
  engine: string,
  open: () => Promise<Device>,
  cpu: Device,
): Promise<Finding> {
  try {
    await using gpu = await open();
    const began = performance.now();
    const { ok, errors } = await selfTest(gpu, cpu);
    const worstError = Math.max(...Object.values(errors));
    const milliseconds = Math.round(performance.now() - began);
    const tested = { ...describe(engine, gpu), ok, worstError, milliseconds };
    if (ok) return tested;
    return {
      ...tested,
      problem: "its numbers differ from the CPU's",
      advice: "update the GPU driver; --device auto does not use it",
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { engine, ok: false, problem, advice: adviceFor(engine, problem) };
  }
}

function adviceFor(engine: string, problem: string): string {
  if (engine.endsWith("software")) {
    return "only for checking numbers: apt-get install mesa-vulkan-drivers libvulkan1";
  }
  if (/software|emulat|fallback|CPU/i.test(problem)) {
    return "this machine has no GPU that Deno can reach: the CPU engine works";
  }
  if (Deno.build.os !== "linux") return "update the GPU driver; the CPU engine works meanwhile";
  return "install the GPU's Vulkan driver and loader (apt-get install libvulkan1); the CPU engine works meanwhile";
}

function sayFinding(finding: Finding, { say }: Context): void {
  const { engine, ok, name, features, worstError, milliseconds, problem, advice } = finding;
  say(
    `${ok ? "ok     " : "absent "} ${engine}${name === undefined ? "" : `: ${name}`}${
      features?.length ? ` [${features.join(", ")}]` : ""
    }`,
  );
  if (worstError !== undefined) {
    say(
      `        self-test: largest relative error ${
        worstError.toExponential(1)
      } in ${milliseconds} ms`,
    );
  }
  if (problem !== undefined) say(`        problem: ${problem}`);
  if (advice !== undefined) say(`        what to do: ${advice}`);
}
