/** The start-up self-test: every op on two devices, which must agree. */
import type { Device } from "./device.ts";
import type { OpName } from "./ops.ts";
import { type ByOp, everyOp } from "./self_test_ops.ts";
import { scope } from "./tensor.ts";

/** Result of {@linkcode selfTest}. */
export interface SelfTestReport {
  /** Whether every op agrees within 1e-4. */
  readonly ok: boolean;
  /** Largest difference of an op's result, relative to the largest magnitude of the reference. */
  readonly errors: { readonly [K in OpName]: number };
  /** Milliseconds on the tested device, with the compilation of its kernels. */
  readonly ms: number;
}

/** Largest relative difference that passes: f32 sums in another order differ by far less, a wrong driver by far more. */
const TOLERANCE = 1e-4;

/**
 * Runs every op, with the sizes and variants of a real model, on both devices and compares the results.
 *
 * @example
 * ```ts
 * import { openWasmDevice, selfTest } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using plain = await openWasmDevice({ threads: 1, simd: "plain" });
 * await using best = await openWasmDevice({ threads: 1 });
 * const { ok, errors } = await selfTest(plain, best);
 * assert(ok && errors.gather_rows === 0);
 * ```
 *
 * @param device Device under test
 * @param reference Device that is trusted
 * @returns Errors by op, and whether all are small enough
 */
export async function selfTest(device: Device, reference: Device): Promise<SelfTestReport> {
  const started = performance.now();
  const tested = await results(device);
  const ms = performance.now() - started;
  const expected = await results(reference);
  const errors = Object.fromEntries(
    (Object.keys(expected) as OpName[]).map((op) => {
      const of = expected[op].map((values, i) => relativeError(tested[op][i]!, values));
      return [op, Math.max(...of)];
    }),
  ) as { [K in OpName]: number };
  return { ok: Object.values(errors).every((error) => error <= TOLERANCE), errors, ms };
}

async function results(device: Device): Promise<ByOp<Float32Array>> {
  const outputs = scope(device, () => everyOp(device));
  const names = Object.keys(outputs) as OpName[];
  const read = (op: OpName) => Promise.all(outputs[op].map((output) => output.data()));
  const data = await Promise.all(names.map(async (op) => [op, await read(op)] as const));
  for (const op of names) for (const output of outputs[op]) output[Symbol.dispose]();
  return Object.fromEntries(data) as { [K in OpName]: Float32Array[] };
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let largest = 0, error = 0;
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value));
    const difference = Math.abs(actual[i]! - value);
    if (!(difference <= error)) error = difference; // NaN counts
  }
  return error / largest;
}
