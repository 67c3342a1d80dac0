/** What the checks of a device share: assertions that also run in a page, and ways to run an op on host tensors. */
import type { Device } from "../../../gpu/device.ts";
import type { OpInputs, OpOutputs, OpParams, UpdateName } from "../../../gpu/ops.ts";
import { run, update } from "../../../gpu/run.ts";
import { scope, Tensor } from "../../../gpu/tensor.ts";
import type { UpdateCase } from "../ops_cases/draw.ts";
import type { HostTensor, RunName } from "../oracle/host.ts";

/** One check. */
export interface Check {
  readonly name: string;
  run(): Promise<void>;
}

/** Largest error of results, relative to the tensor's largest magnitude. */
export const TOLERANCE = 1e-5;

/** Fails with a message. */
export function fail(message: string): never {
  throw new Error(message);
}

/** Fails unless two values are the same. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) fail(`${what}: got ${actual}, not ${expected}`);
}

/** The error of a class that `act` must throw. */
export function throwsSync(act: () => unknown, kind: new (...args: never[]) => Error): Error {
  try {
    act();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  return fail(`expected a ${kind.name}`);
}

/** Fails unless all elements are the same bits. */
export function assertSameBits(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
): void {
  assertEqual(actual.length, expected.length, `${what}, length`);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) {
      fail(`${what}: element ${i} is ${actual[i]}, not ${expected[i]}`);
    }
  }
}

/** Largest difference, relative to the largest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0, error = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    const difference = actual[i] === expected[i] ? 0 : Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= error)) error = difference; // NaN counts
  }
  return error === 0 ? 0 : error / (Number.isFinite(largest) && largest > 0 ? largest : 1);
}

/** Puts a host tensor on a device. */
export function upload(device: Device, { dtype, shape, data }: HostTensor): Tensor {
  return dtype === "u32"
    ? Tensor.from(device, "u32", shape, Uint32Array.from(data))
    : Tensor.from(device, "f32", shape, Float32Array.from(data));
}

/** Puts named host tensors on a device. */
export function uploadAll<Named extends object>(
  device: Device,
  tensors: Named,
): { [Name in keyof Named]: Tensor } {
  const entries = Object.entries(tensors) as [string, HostTensor][];
  return Object.fromEntries(
    entries.map(([name, host]) => [name, upload(device, host)]),
  ) as { [Name in keyof Named]: Tensor };
}

/** Elements of a tensor, which is freed. */
export async function take(tensor: Tensor): Promise<Float32Array | Uint32Array> {
  const data = tensor.dtype === "u32" ? await tensor.integers() : await tensor.data();
  tensor[Symbol.dispose]();
  return data;
}

async function takeAll(tensors: Record<string, Tensor>): Promise<Record<string, HostTensor>> {
  const taken: [string, HostTensor][] = [];
  for (const [name, tensor] of Object.entries(tensors)) {
    const { dtype, shape } = tensor;
    taken.push([name, { dtype, shape, data: await take(tensor) } as HostTensor]);
  }
  return Object.fromEntries(taken);
}

/** Runs an op and reads its outputs. */
export async function compute<K extends RunName>(
  device: Device,
  op: K,
  given: { inputs: OpInputs<K, HostTensor>; params: OpParams<K> },
): Promise<OpOutputs<K, HostTensor>> {
  const outputs = scope(
    device,
    () => run(op, uploadAll(device, given.inputs) as OpInputs<K, Tensor>, given.params),
  );
  return await takeAll(outputs) as OpOutputs<K, HostTensor>;
}

/** Runs an op in place and reads what it changed. */
export async function computeUpdate<K extends UpdateName>(
  device: Device,
  op: K,
  { inputs, targets, params }: UpdateCase<K>,
): Promise<OpOutputs<K, HostTensor>> {
  const changed = scope(device, () => {
    const tensors = uploadAll(device, targets) as OpOutputs<K, Tensor>;
    update(op, uploadAll(device, inputs) as OpInputs<K, Tensor>, tensors, params);
    return tensors;
  });
  return await takeAll(changed) as OpOutputs<K, HostTensor>;
}
