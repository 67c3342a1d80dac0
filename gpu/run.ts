/** `run` and `update`, through which every op goes. */
import type { Device } from "./device.ts";
import { sameShape } from "./dtype.ts";
import type { OpInputs, OpName, OpOutputs, OpParams, UpdateName } from "./ops.ts";
import type { Spec } from "./rule.ts";
import { RULES } from "./rules.ts";
import { assertAlive, recorderOf, Tensor } from "./tensor.ts";

/**
 * Enqueues one operation of the ops table and returns its outputs.
 *
 * @example
 * ```ts
 * import { openWasmDevice, run, Tensor } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * using x = Tensor.from(device, "f32", [1, 3], Float32Array.of(2, 9, 4));
 * const { value, index } = run("top_k", { x }, { k: 2 });
 * assert.deepEqual(await value.data(), Float32Array.of(9, 4));
 * assert.deepEqual(await index.integers(), Uint32Array.of(1, 2));
 * ```
 *
 * @param op Name in the ops table
 * @param inputs Tensors of one device, by input name
 * @param params The op's parameters
 * @returns New tensors by output name; the innermost open {@linkcode scope} will free them
 * @throws {RangeError | TypeError} when shapes, element types or devices do not fit; nothing was allocated then
 */
export function run<K extends Exclude<OpName, UpdateName>>(
  op: K,
  inputs: OpInputs<K, Tensor>,
  params: OpParams<K>,
): OpOutputs<K, Tensor> {
  const device = deviceOf(op, Object.values<Tensor | undefined>(inputs));
  const specs = RULES[op].outputs(inputs, params);
  const outputs = Object.fromEntries(
    (Object.entries(specs) as [string, Spec][]).map((
      [name, spec],
    ) => [name, Tensor.empty(device, spec.shape, spec.dtype)]),
  ) as OpOutputs<K, Tensor>;
  device.run(op, inputs, outputs, params);
  recorderOf(device)?.ran(op, inputs, outputs, params);
  return outputs;
}

/**
 * Enqueues an operation that changes given tensors: sums, and steps of an optimiser. No tape records it.
 *
 * @example
 * ```ts
 * import { openWasmDevice, Tensor, update } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * using x = Tensor.from(device, "f32", [2], Float32Array.of(1, 2));
 * using sum = Tensor.from(device, "f32", [2], Float32Array.of(10, 20));
 * update("accumulate", { x }, { sum }, { keep: 1, scale: 0.5 });
 * assert.deepEqual(await sum.data(), Float32Array.of(10.5, 21));
 * ```
 *
 * @param op Name in the ops table
 * @param inputs Tensors of one device, by input name
 * @param targets Tensors to be changed, by output name; each in memory of its own
 * @param params The op's parameters
 * @throws {RangeError | TypeError} when shapes, element types or devices do not fit; nothing was changed then
 */
export function update<K extends UpdateName>(
  op: K,
  inputs: OpInputs<K, Tensor>,
  targets: OpOutputs<K, Tensor>,
  params: OpParams<K>,
): void {
  const changed = Object.entries<Tensor>(targets);
  const given = Object.values<Tensor | undefined>(inputs).filter((x) => x !== undefined);
  const device = deviceOf(op, [...given, ...changed.map(([, tensor]) => tensor)]);
  const specs = RULES[op].outputs(inputs, params) as { [name: string]: Spec };
  const used = new Set(given.map(({ buffer }) => buffer));
  for (const [name, { shape, dtype, buffer }] of changed) {
    const wanted = specs[name]!.shape;
    if (dtype !== "f32" || !sameShape(shape, wanted)) {
      throw new RangeError(
        `Cannot run ${op} as ${name} must be f32 [${wanted}]: got ${dtype} [${shape}]`,
      );
    }
    if (used.has(buffer)) {
      throw new RangeError(`Cannot run ${op} as ${name} must not share memory with another tensor`);
    }
    used.add(buffer);
  }
  device.run(op, inputs, targets, params);
}

function deviceOf(op: OpName, tensors: readonly (Tensor | undefined)[]): Device {
  const given = tensors.filter((tensor) => tensor !== undefined);
  const { device } = given[0]!;
  for (const tensor of given) {
    if (tensor.device !== device) {
      throw new TypeError(`Cannot run ${op} as its inputs live on different devices`);
    }
    assertAlive(tensor, op);
  }
  return device;
}
