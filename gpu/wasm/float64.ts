/** Matrices in float64 and the products of some of their rows, for numbers that float32 is too coarse for. */
import {
  compileKernels,
  instantiateKernels,
  type WasmKernelName,
  type WasmKernels,
} from "./module.ts";

/** A matrix in the memory of a {@linkcode Float64Space}. */
export interface Float64Matrix {
  /** Rows of `stride` values; those from `width` on are zeros and stay so. */
  readonly data: Float64Array<ArrayBuffer>;
  /** Rows. */
  readonly rows: number;
  /** Columns. */
  readonly width: number;
  /** Distance of two rows: `width`, rounded up to a multiple of four. */
  readonly stride: number;
}

/** Bytes before the matrices: what the kernels themselves keep, then arguments and listed rows. */
const ARGUMENTS = 65_536, LIST = ARGUMENTS + 64, START = 2 * 65_536;
/** Rows that one call of a kernel may list. */
const MOST_ROWS = (START - LIST) / 4;
const PAGE = 65_536, MAX_PAGES = 65_536;

/**
 * A memory with matrices of given shapes, and the two products that clustering needs, by the CPU engine's SIMD on one thread. An element is
 * one sum in ascending order: it depends on nothing but its row and column, and is the same on every machine.
 */
export class Float64Space<Name extends string> {
  /** The matrices, zero at first. */
  readonly matrices: Readonly<Record<Name, Float64Matrix>>;
  readonly #kernels: WasmKernels;
  readonly #list: Uint32Array<ArrayBuffer>;
  readonly #arguments: Uint32Array<ArrayBuffer>;

  /**
   * Takes memory for matrices.
   *
   * @param shapes Rows and columns by name
   * @throws {RangeError} When they do not fit 4 GiB
   */
  constructor(shapes: Readonly<Record<Name, readonly [number, number]>>) {
    const entries = Object.entries(shapes) as [Name, readonly [number, number]][];
    const strideOf = (width: number) => Math.max(4, Math.ceil(width / 4) * 4);
    let end = START;
    const places = entries.map(([name, [rows, width]]) => {
      const place = { name, rows, width, stride: strideOf(width), at: end };
      end += 8 * place.stride * Math.max(4, Math.ceil(rows / 4) * 4);
      return place;
    });
    const pages = Math.ceil(end / PAGE);
    if (pages > MAX_PAGES) {
      throw new RangeError(`Cannot hold matrices as they must fit 4 GiB: got ${end} bytes`);
    }
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const buffer = memory.buffer as ArrayBuffer;
    this.matrices = Object.fromEntries(
      places.map(({ name, rows, width, stride, at }) => {
        const data = new Float64Array(buffer, at, rows * stride);
        return [name, { data, rows, width, stride }];
      }),
    ) as Record<Name, Float64Matrix>;
    this.#list = new Uint32Array(buffer, LIST, MOST_ROWS);
    this.#arguments = new Uint32Array(buffer, ARGUMENTS, 7);
    this.#kernels = instantiateKernels(compileKernels("plain", false), memory).kernels;
  }

  /**
   * out[row] = left[row] · right for the listed rows.
   *
   * @param out [n, width]
   * @param factors `left` [n, inner] and `right` [inner, width]
   * @param rows Rows of `out` and `left`
   */
  multiplyRows(out: Float64Matrix, factors: Float64Factors, rows: Uint32Array): void {
    this.#eachList(rows, (count) => {
      while (count % 4 !== 0) this.#list[count] = this.#list[count++ - 1]!; // once more the same
      this.#run("multiplyRows64", [out, factors], { chunks: count / 4, count });
    });
  }

  /**
   * sums += Σ left[row]ᵀ right[row] over the listed rows.
   *
   * @param sums [inner, width]
   * @param factors `left` [n, inner] and `right` [n, width]
   * @param rows Rows of both
   */
  addOuterProducts(sums: Float64Matrix, factors: Float64Factors, rows: Uint32Array): void {
    const chunks = factors.left.stride / 4;
    this.#eachList(rows, (count) => {
      this.#run("addOuterProducts64", [sums, factors], { chunks, count });
    });
  }

  #eachList(rows: Uint32Array, run: (count: number) => void): void {
    for (let start = 0; start < rows.length; start += MOST_ROWS - 4) {
      const some = rows.subarray(start, start + MOST_ROWS - 4);
      this.#list.set(some);
      run(some.length);
    }
  }

  #run(
    name: WasmKernelName,
    [out, { left, right }]: readonly [Float64Matrix, Float64Factors],
    { chunks, count }: { readonly chunks: number; readonly count: number },
  ): void {
    const addresses = [out, left, right].map(({ data }) => data.byteOffset);
    this.#arguments.set([...addresses, LIST, left.stride, right.stride, count]);
    for (let chunk = 0; chunk < chunks; chunk++) this.#kernels[name](ARGUMENTS, chunk, 0);
  }
}

/** Factors of a product. */
export interface Float64Factors {
  /** Left factor. */
  readonly left: Float64Matrix;
  /** Right factor. */
  readonly right: Float64Matrix;
}
