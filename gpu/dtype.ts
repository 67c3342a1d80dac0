/** Element types a device stores. Both are four bytes wide. */
export type Dtype = "f32" | "u32";

/** The typed array that holds elements of a {@linkcode Dtype} on the host. */
export interface HostArrays {
  /** 32-bit IEEE floats. */
  f32: Float32Array<ArrayBuffer>;
  /** 32-bit unsigned integers: ids, offsets. */
  u32: Uint32Array<ArrayBuffer>;
}

/** Bytes of one element of any {@linkcode Dtype}. */
export const ELEMENT_BYTES = 4;

/** Lengths of the axes, outermost first; elements lie in row-major order without gaps. */
export type Shape = readonly number[];

/** Number of elements of a shape; the empty shape is a scalar with one element. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether two shapes agree axis by axis. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
