/** Host tensors for cases, drawn from the library's generator: the same in Deno and in a page. */
import { type Shape, sizeOf } from "../../../gpu/dtype.ts";
import type { OpInputs, OpOutputs, OpParams, UpdateName } from "../../../gpu/ops.ts";
import { RandomStream } from "../../../gpu/random.ts";
import type { HostTensor, RunName } from "../oracle/host.ts";

/** Inputs and parameters of one run of an op. */
export interface OpCase<K extends RunName> {
  /** What is special about it. */
  readonly name: string;
  readonly inputs: OpInputs<K, HostTensor>;
  readonly params: OpParams<K>;
}

/** Inputs, targets and parameters of one run of an op in place. */
export interface UpdateCase<K extends UpdateName> {
  /** What is special about it. */
  readonly name: string;
  readonly inputs: OpInputs<K, HostTensor>;
  /** What the op changes, as it is before. */
  readonly targets: OpOutputs<K, HostTensor>;
  readonly params: OpParams<K>;
}

/** Cases of some ops. */
export type Cases<K extends RunName> = { readonly [Name in K]: readonly OpCase<Name>[] };

/** Floats of a case. */
export type HostFloats = HostTensor & { readonly data: Float32Array<ArrayBuffer> };

let entity = 0;

/** Normal numbers times `scale`, others at each call. */
export function normal(shape: Shape, scale = 1): HostFloats {
  const draws = new RandomStream(7, 3, [entity++, 0]);
  const data = Float32Array.from({ length: sizeOf(shape) }, () => draws.normal() * scale);
  return { dtype: "f32", shape, data };
}

/** Numbers in [low, high). */
export function uniform(shape: Shape, low: number, high: number): HostFloats {
  const draws = new RandomStream(7, 3, [entity++, 0]);
  const next = () => low + (high - low) * draws.next();
  return { dtype: "f32", shape, data: Float32Array.from({ length: sizeOf(shape) }, next) };
}

/** Integers from 0 to below - 1. */
export function indices(length: number, below: number): HostTensor {
  const draws = new RandomStream(7, 3, [entity++, 0]);
  return words([length], Array.from({ length }, () => draws.below(below)));
}

/** Keys of rows: any two words. */
export function rowKeys(rows: number): HostTensor {
  return { ...indices(2 * rows, 2 ** 32), shape: [rows, 2] };
}

/** Given floats. */
export function floats(shape: Shape, values: readonly number[]): HostFloats {
  return { dtype: "f32", shape, data: Float32Array.from(values) };
}

/** Given unsigned integers. */
export function words(shape: Shape, values: readonly number[]): HostTensor {
  return { dtype: "u32", shape, data: Uint32Array.from(values) };
}

/** A result of the oracle as the 32-bit floats that a device would have. */
export function rounded({ shape, data }: HostTensor): HostFloats {
  return { dtype: "f32", shape, data: Float32Array.from(data) };
}

/** Offsets of cells with these numbers of tokens. */
export function offsetsOf(lengths: readonly number[]): HostTensor {
  let end = 0;
  return words([lengths.length + 1], [0, ...lengths.map((length) => end += length)]);
}

/** Number of tokens of these cells. */
export function tokensOf(lengths: readonly number[]): number {
  return lengths.reduce((all, length) => all + length, 0);
}
