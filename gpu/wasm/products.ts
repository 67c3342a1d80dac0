/** Matrix products of the WASM device: packing, chunking and the micro-kernel's launch. */
import type { Kernel } from "../device.ts";
import type { Activation } from "../ops.ts";
import {
  addressOf,
  addressOrZero,
  type WasmBuffer,
  type WasmEngine,
  type WasmView,
} from "./engine.ts";

/** Codes of functions in `elementwise.ts`; the micro-kernel knows the first three itself. */
export const FUNCTION_CODES = {
  none: 0,
  relu: 1,
  leaky_relu: 2,
  sigmoid: 3,
  tanh: 4,
  gelu: 5,
  log1p: 6,
} as const satisfies Record<Activation | "log1p", number>;

const PANEL = 8; // columns
const ROW_GROUP = 6; // rows of the micro-kernel
const MAX_ROWS = 96; // rows a chunk: its part of x stays in the second cache level

/** One product y[M,N] = act(init + x[M,K] · w), addresses and bytes. */
interface Product {
  readonly x: number;
  readonly packed: number;
  readonly init: number;
  readonly y: number;
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly activation: number;
}

/** Kernel of `linear`. */
export function linear(engine: WasmEngine): Kernel<"linear", WasmBuffer> {
  return ({ x, weight, bias }, { y }, { activation }) => {
    const [M = 0, K = 0] = x.shape;
    const N = weight.shape[0] ?? 0;
    const code = FUNCTION_CODES[activation];
    const product = {
      x: addressOf(x),
      packed: packWeight(engine, weight),
      y: addressOf(y),
      M,
      K,
      N,
    };
    const inKernel = code <= FUNCTION_CODES.leaky_relu;
    withInit(
      engine,
      addressOrZero(bias),
      N,
      (init) => multiply(engine, { ...product, init, activation: inKernel ? code : 0 }),
    );
    if (!inKernel) engine.launchRows("unary", M, [addressOf(y), addressOf(y), N, code]);
  };
}

/** Kernel of `matmul`. */
export function matmul(engine: WasmEngine): Kernel<"matmul", WasmBuffer> {
  return ({ a, b }, { y }, { transposeA, transposeB }) => {
    const [groups = 0, M = 0, N = 0] = y.shape;
    const K = (transposeA ? a.shape[1] : a.shape[2]) ?? 0;
    const at = (view: WasmView, g: number, size: number) => addressOf(view) + g * size * 4;
    engine.withMemory(packedBytes(K, N), (packed) =>
      withInit(engine, 0, N, (init) => {
        for (let g = 0; g < groups; g++) {
          pack(engine, { source: at(b, g, K * N), K, N, columnMajor: transposeB, packed });
          const product = {
            packed,
            init,
            y: at(y, g, M * N),
            M,
            K,
            N,
            activation: 0,
          };
          const rows = at(a, g, M * K);
          if (!transposeA) multiply(engine, { ...product, x: rows });
          else {
            engine.withMemory(M * K * 4, (x) => {
              engine.launchRows("swapAxes", K * M, [rows, x, K, M, 1]);
              multiply(engine, { ...product, x });
            });
          }
        }
      }));
  };
}

function multiply(engine: WasmEngine, product: Product): void {
  const { x, packed, init, y, M, K, N, activation } = product;
  const panels = Math.ceil(N / PANEL);
  const share = Math.ceil(M / (engine.threads * 4) / ROW_GROUP) * ROW_GROUP;
  const rows = Math.max(ROW_GROUP, Math.min(MAX_ROWS, share));
  const alongM = Math.ceil(M / rows);
  // Few rows: the threads share the columns instead.
  const alongN = alongM >= engine.threads * 2 ? 1 : Math.min(panels, engine.threads * 4);
  const panelsPerChunk = Math.ceil(panels / alongN);
  const words = [
    x,
    K * 4,
    M,
    K,
    packed,
    N,
    init,
    0, // stride of init: one row for all
    y,
    N * 4,
    activation,
    rows,
    panelsPerChunk,
    alongN,
  ];
  engine.launch("gemm", words, alongM * alongN);
}

/** A row of N floats to start the sums from: the bias, or zeros. */
function withInit(engine: WasmEngine, bias: number, N: number, body: (init: number) => void): void {
  if (bias !== 0) return body(bias);
  engine.withWords(new Uint32Array(Math.ceil(N / PANEL) * PANEL), body);
}

/** The packed copy of a weight [N,K], made at its first use and kept until the weight changes. */
function packWeight(engine: WasmEngine, weight: WasmView): number {
  const [N = 0, K = 0] = weight.shape;
  const key = `${weight.byteOffset}:${N}x${K}`;
  const known = weight.buffer.packs.get(key);
  if (known !== undefined) return known;
  const packed = engine.arena.alloc(packedBytes(K, N));
  pack(engine, { source: addressOf(weight), K, N, columnMajor: true, packed });
  weight.buffer.packs.set(key, packed);
  return packed;
}

/** Packs w: `columnMajor` says that w lies as [N,K], else as [K,N]. */
function pack(
  engine: WasmEngine,
  { source, K, N, columnMajor, packed }: {
    source: number;
    K: number;
    N: number;
    columnMajor: boolean;
    packed: number;
  },
): void {
  const [rowStride, columnStride] = columnMajor ? [4, K * 4] : [N * 4, 4];
  engine.launch("pack", [source, rowStride, columnStride, K, N, packed], Math.ceil(N / PANEL));
}

function packedBytes(K: number, N: number): number {
  return Math.ceil(N / PANEL) * PANEL * K * 4;
}
