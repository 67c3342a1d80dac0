/** Tensors as they lie in a file: name, type and shape at once, bytes when asked for. */

/** Element types of stored tensors, in the words of safetensors. */
export type StoredDtype =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U8"
  | "BOOL";

/** Bytes of one element. */
export const STORED_BYTES: Readonly<Record<StoredDtype, number>> = Object.freeze({
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
});

/** A tensor of a checkpoint. */
export interface StoredTensor {
  /** Name in the state dict. */
  readonly name: string;
  /** Element type. */
  readonly dtype: StoredDtype;
  /** Axes, outermost first; [] is a scalar. */
  readonly shape: readonly number[];
  /** Reads the little-endian row-major bytes. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Number of elements of a shape.
 *
 * @param shape Axes
 * @returns Their product, 1 for a scalar
 */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * Reads a tensor of any float type as float32.
 *
 * @param tensor Tensor of dtype F32, F16, BF16 or F64
 * @returns Its elements, row-major; F64 is rounded
 * @throws {TypeError} When the tensor holds integers or booleans
 */
export async function readFloat32(tensor: StoredTensor): Promise<Float32Array<ArrayBuffer>> {
  const widen = WIDEN[tensor.dtype];
  if (widen === undefined) {
    throw new TypeError(
      `Cannot read ${tensor.name} as float32 as its elements must be floats: got ${tensor.dtype}`,
    );
  }
  return widen(aligned(await tensor.read(), STORED_BYTES[tensor.dtype]));
}

/**
 * A tensor over numbers in memory, to be written or matched like one of a file.
 *
 * @param name Name in the state dict
 * @param shape Axes; their product is the length of `values`
 * @param values Elements, row-major
 * @returns The tensor; it shares the memory of `values`
 * @throws {RangeError} When shape and length differ
 */
export function storedFloat32(
  name: string,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer>,
): StoredTensor {
  if (elementCount(shape) !== values.length) {
    throw new RangeError(
      `Cannot store ${name} as [${shape}] must have ${values.length} elements: got ${
        elementCount(shape)
      }`,
    );
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype: "F32", shape: [...shape], read: () => Promise.resolve(bytes) };
}

const WIDEN: {
  readonly [D in StoredDtype]?: (bytes: Uint8Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
} = {
  F32: ({ buffer, byteOffset, byteLength }) => new Float32Array(buffer, byteOffset, byteLength / 4),
  F64: ({ buffer, byteOffset, byteLength }) =>
    new Float32Array(new Float64Array(buffer, byteOffset, byteLength / 8)),
  F16: ({ buffer, byteOffset, byteLength }) =>
    new Float32Array(new Float16Array(buffer, byteOffset, byteLength / 2)),
  BF16: ({ buffer, byteOffset, byteLength }) => {
    // bfloat16 is the upper half of a float32.
    const words = Uint32Array.from(
      new Uint16Array(buffer, byteOffset, byteLength / 2),
      (half) => half << 16,
    );
    return new Float32Array(words.buffer);
  },
};

/** The same bytes at an offset that a typed array accepts. */
function aligned(bytes: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> {
  return bytes.byteOffset % width === 0 ? bytes : bytes.slice();
}
