/** Chunks as they are decoded. */
import type { RawArray } from "../storage.ts";

/** Place of a chunk along each axis. */
export type Coordinates = readonly number[];

/** Elements of a chunk and the distance of neighbours along each axis. */
export interface Chunk {
  /** The elements. */
  readonly data: RawArray | string[];
  /** Strides in elements. */
  readonly stride: readonly number[];
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
}
