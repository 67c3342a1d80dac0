/** Tensors of the oracle: plain arrays with a shape. */
import type { Dtype, Shape } from "../../../gpu/dtype.ts";
import type { OpInputs, OpName, OpOutputs, OpParams, UpdateName } from "../../../gpu/ops.ts";

/** An array with a shape; f32 inputs hold 32-bit floats, results hold 64-bit ones. */
export interface HostTensor {
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly data: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
}

/** Names of the ops that give new tensors. */
export type RunName = Exclude<OpName, UpdateName>;

/** An op in float64, as its line in `gpu/ops.ts` reads. */
export type Oracle<K extends RunName> = (
  inputs: OpInputs<K, HostTensor>,
  params: OpParams<K>,
) => OpOutputs<K, HostTensor>;

/** An op in place, in float64: `targets` as they were, the result as they become. */
export type UpdateOracle<K extends UpdateName> = (
  inputs: OpInputs<K, HostTensor>,
  targets: OpOutputs<K, HostTensor>,
  params: OpParams<K>,
) => OpOutputs<K, HostTensor>;

/** A float64 result whose element at `position` (one number an axis) is computed by `element`. */
export function fill(shape: Shape, element: (...position: number[]) => number): HostTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const data = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const position: number[] = [];
    let rest = i;
    for (const length of [...shape].reverse()) {
      position.unshift(rest % length);
      rest = Math.floor(rest / length);
    }
    data[i] = element(...position);
  }
  return { dtype: "f32", shape, data };
}

/** The element at a position. */
export function at({ shape, data }: HostTensor, ...position: number[]): number {
  let index = 0;
  for (const [axis, length] of shape.entries()) index = index * length + position[axis]!;
  return data[index]!;
}

/** A float64 result without any computation. */
export function float64(shape: Shape, data: Float64Array<ArrayBuffer>): HostTensor {
  return { dtype: "f32", shape, data };
}

/** Σ term(i) for i from `start` to `end` - 1. */
export function sum(start: number, end: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = start; i < end; i++) total += term(i);
  return total;
}

/** Softmax of scores. */
export function softmaxOf(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const all = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / all);
}
