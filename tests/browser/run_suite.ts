/** Runs the device suite where the page or the worker stands, and makes its results plain data. */
import type { Device } from "../../gpu/device.ts";
import { openWasmDevice } from "../../gpu/wasm/device.ts";
import { openWebGpuDevice } from "../../gpu/webgpu/device.ts";
import { deviceSuite } from "../gpu/device_suite.ts";
import type { ParityRow } from "../parity/case.ts";
import { forwardParity } from "../parity/forward.ts";
import { trainingParity } from "../parity/training.ts";

/** What to open. */
export type DeviceChoice =
  | { readonly kind: "wasm"; readonly threads?: number }
  | { readonly kind: "webgpu" };

/** What one case of the suite did. */
export interface CaseResult {
  readonly name: string;
  /** Stack of the error where the case failed. */
  readonly error?: string;
}

/** What a run of the suite did. */
export interface SuiteResult {
  readonly crossOriginIsolated: boolean;
  readonly threads: number;
  readonly cases: readonly CaseResult[];
  /** Outputs of the model beside the reference's. */
  readonly parity: readonly ParityRow[];
}

/** Runs all cases, one after the other, and the parity with the reference on the same device. */
export async function runSuite(choice: DeviceChoice): Promise<SuiteResult> {
  let threads = 0;
  const parity: ParityRow[] = [];
  const compare = async (device: Device) => {
    threads = device.info.threads;
    for await (const row of forwardParity(device, fetchRecorded)) parity.push(row);
    for await (const row of trainingParity(device, fetchRecorded)) parity.push(row);
  };
  const open = (options = { memoryLimitBytes: 2 ** 30 }) => openChoice(choice, options);
  const cases: CaseResult[] = [];
  for (const { name, run } of deviceSuite(open, [["the model runs", compare]])) {
    try {
      await run();
      cases.push({ name });
    } catch (error) {
      cases.push({ name, error: error instanceof Error && error.stack ? error.stack : `${error}` });
    }
  }
  return { crossOriginIsolated, threads, cases, parity };
}

async function fetchRecorded(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const response = await fetch(`/fixtures/${path}`);
  return response.ok ? await response.bytes() : undefined;
}

function openChoice(
  choice: DeviceChoice,
  options: { readonly memoryLimitBytes: number },
): Promise<Device> {
  if (choice.kind === "webgpu") return openWebGpuDevice({ software: true, ...options });
  return openWasmDevice({ threads: choice.threads, ...options });
}
