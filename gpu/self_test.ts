/** The start-up self-test: one small model block on two devices, which must agree. */
import type { Device } from "./device.ts";
import type { Shape } from "./dtype.ts";
import type { OpName } from "./ops.ts";
import { RandomStream } from "./random.ts";
import { run, scope, Tensor } from "./tensor.ts";

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
    (Object.keys(expected) as OpName[]).map((op) => [op, relativeError(tested[op], expected[op])]),
  ) as { [K in OpName]: number };
  return { ok: Object.values(errors).every((error) => error <= TOLERANCE), errors, ms };
}

async function results(device: Device): Promise<{ [K in OpName]: Float32Array }> {
  const outputs = scope(device, () => block(device));
  const names = Object.keys(outputs) as OpName[];
  const data = await Promise.all(names.map((op) => outputs[op].data()));
  for (const op of names) outputs[op][Symbol.dispose]();
  return Object.fromEntries(names.map((op, i) => [op, data[i]!])) as {
    [K in OpName]: Float32Array;
  };
}

/** Three cells of 2,048 tokens in all, two heads of 64, large enough for the large tiles of a GPU. */
function block(device: Device): { [K in OpName]: Tensor } {
  const T = 2048, D = 128, heads = 2;
  let drawn = 0;
  const normal = (shape: Shape, scale = 1) => {
    const draws = new RandomStream(1, 0, [drawn++, 0]);
    const size = shape.reduce((product, length) => product * length, 1);
    return Tensor.from(
      device,
      "f32",
      shape,
      Float32Array.from({ length: size }, () => (draws.next() - 0.5) * scale),
    );
  };
  const words = (values: number[]) =>
    Tensor.from(device, "u32", [values.length], Uint32Array.from(values));
  const dense = (x: Tensor, width: number, activation: "none" | "gelu") =>
    run("linear", { x, weight: normal([width, x.shape[1]!], 0.3), bias: normal([width]) }, {
      activation,
    }).y;

  const offsets = words([0, 200, 201, T]), known = words([77, 0, 1000]);
  const index = words(Array.from({ length: T }, (_, t) => t * 7 % 50));
  const tokens =
    run("gather_rows", { table: normal([50, D], 4), index, base: normal([T, D]) }, {}).y;
  const { context } = run("attention", { qkv: dense(tokens, 3 * D, "none"), offsets, known }, {
    heads,
  });
  const norm = { residual: tokens, weight: normal([D]), bias: normal([D]) };
  const hidden = run("layer_norm", { x: dense(context, D, "none"), ...norm }, { eps: 1e-5 }).y;
  const wide = dense(hidden, 8 * D, "gelu");
  const cells = run("segment_pool", { x: hidden, offsets }, { mode: "mean" }).y;
  const unit = run("l2_normalize", { x: cells }, { eps: 1e-12 }).y;
  const three = { transposeA: false, transposeB: true };
  const cosines =
    run("matmul", { a: unit.reshape([1, 3, D]), b: unit.reshape([1, 3, D]) }, three).y;
  const query = cells.reshape([1, 3, D]);
  return {
    gather_rows: tokens,
    linear: wide,
    matmul: cosines,
    layer_norm: hidden,
    attention: context,
    attention_pool: run("attention_pool", { query, x: hidden, offsets }, { scale: 1 }).y,
    binary: run("binary", { a: hidden, b: norm.weight }, { fn: "mul" }).y,
    unary: run("unary", { x: hidden }, { fn: "tanh" }).y,
    concat: run("concat", { a: hidden, b: context }, {}).y,
    swap_axes: run("swap_axes", { x: wide.reshape([T, 8, D]) }, {}).y,
    row_dot: run("row_dot", { a: hidden, b: context }, {}).y,
    segment_pool: cells,
    l2_normalize: unit,
    softmax: run("softmax", { x: hidden }, {}).y,
    top_k: run("top_k", { x: cells }, { k: 10 }).value,
    dropout: run("dropout", { x: hidden }, { p: 0.2, seed: 1, stream: 5 }).y,
  };
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
