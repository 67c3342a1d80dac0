/** Matrix products of the WASM device: packing, blocks of the depth, chunks, and the micro-kernel's launch. */
import type { Kernel } from "../device.ts";
import { FUNCTION_CODES } from "./elements.ts";
import {
  addressOf,
  addressOrZero,
  type WasmBuffer,
  type WasmEngine,
  type WasmView,
} from "./engine.ts";
import { transpose } from "./moving.ts";

const PANEL = 8; // columns
const ROW_GROUP = 5; // rows of the micro-kernel
const MAX_ROWS = 100; // rows a chunk: its part of x stays in the second cache level
const MAX_DEPTH = 512; // a panel of this depth stays in the first cache level
const PACKED_PANELS = 4; // panels a chunk of packing: 128 bytes of a row

/** Part of the depth K of a product. */
interface Block {
  readonly first: number;
  readonly depth: number;
}

/**
 * The depth in even parts. Each goes on from the sums of the one before in y, so that every element is still one chain of sums over
 * ascending k, whatever the parts.
 */
function blocksOf(K: number): Block[] {
  const parts = Math.max(1, Math.ceil(K / MAX_DEPTH));
  const depth = Math.ceil(K / parts / 8) * 8;
  return Array.from({ length: parts }, (_, i) => {
    const first = i * depth;
    return { first, depth: Math.min(depth, K - first) };
  });
}

/** Kernel of `linear`. */
export function linear(engine: WasmEngine): Kernel<"linear", WasmBuffer> {
  return ({ x, weight, bias }, { y }, { activation }) => {
    const [M = 0, K = 0] = x.shape;
    const N = weight.shape[0] ?? 0;
    const code = FUNCTION_CODES[activation];
    const inKernel = code <= FUNCTION_CODES.leaky_relu;
    const packed = packWeight(engine, weight);
    const blocks = blocksOf(K);
    withInit(engine, addressOrZero(bias), N, (init) => {
      for (const { first, depth } of blocks) {
        const last = first + depth === K;
        multiply(engine, {
          x: addressOf(x) + first * 4,
          rowBytes: K * 4,
          packed: packed + packedBytes(first, N),
          init: first === 0 ? init : undefined,
          y: addressOf(y),
          M,
          K: depth,
          N,
          activation: last && inKernel ? code : 0,
        });
      }
    });
    if (!inKernel) engine.launchElements("unary", y, [addressOf(y), addressOf(y), code]);
  };
}

/** Kernel of `matmul`: packs a block of b, and turns one of a where it is transposed, just before they are multiplied. */
export function matmul(engine: WasmEngine): Kernel<"matmul", WasmBuffer> {
  return ({ a, b }, { y }, { transposeA, transposeB }) => {
    const [groups = 0, M = 0, N = 0] = y.shape;
    const K = (transposeA ? a.shape[1] : a.shape[2]) ?? 0;
    const blocks = blocksOf(K), deepest = blocks[0]?.depth ?? 0;
    const lend = (bytes: number, body: (address: number) => void) =>
      engine.withMemory(Math.max(4, bytes), body);
    lend(
      packedBytes(deepest, N),
      (packed) =>
        lend(transposeA ? M * deepest * 4 : 0, (turned) =>
          withInit(engine, 0, N, (init) => {
            for (let g = 0; g < groups; g++) {
              const sizes = { M, K, N, transposeA, transposeB };
              const memory = { packed, turned, init };
              const [left, right] = [addressOf(a) + g * M * K * 4, addressOf(b) + g * K * N * 4];
              const addresses = { a: left, b: right, y: addressOf(y) + g * M * N * 4 };
              for (const block of blocks) {
                multiplyBlock(engine, { ...sizes, ...memory, ...addresses, block });
              }
            }
          })),
    );
  };
}

/** One block of one group's product. */
interface BlockProduct {
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly block: Block;
  /** Memory for the packed block of b. */
  readonly packed: number;
  /** Memory for the turned block of a. */
  readonly turned: number;
  /** A row of zeros. */
  readonly init: number;
}

function multiplyBlock(engine: WasmEngine, product: BlockProduct): void {
  const { a, b, y, M, K, N, transposeA, transposeB, packed, turned, init } = product;
  const { first, depth } = product.block;
  const [source, stride] = transposeB ? [b + first * 4, K * 4] : [b + first * N * 4, N * 4];
  pack(engine, { source, stride, K: depth, N, transposed: transposeB, packed });
  if (transposeA) transpose(engine, { x: a + first * M * 4, y: turned, A: depth, B: M });
  const [x, rowBytes] = transposeA ? [turned, depth * 4] : [a + first * 4, K * 4];
  const sizes = { M, K: depth, N, activation: 0 };
  multiply(engine, { x, rowBytes, packed, init: first === 0 ? init : undefined, y, ...sizes });
}

/** One product y[M,N] = act(init + x[M,K] · w), addresses and bytes. */
interface Product {
  readonly x: number;
  /** From one row of x to the next. */
  readonly rowBytes: number;
  readonly packed: number;
  /** A row to start the sums of all rows from; y itself where left out. */
  readonly init: number | undefined;
  readonly y: number;
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly activation: number;
}

function multiply(engine: WasmEngine, product: Product): void {
  const { x, rowBytes, packed, init, y, M, K, N, activation } = product;
  const panels = Math.ceil(N / PANEL);
  const share = Math.ceil(M / (engine.threads * 4) / ROW_GROUP) * ROW_GROUP;
  const rows = Math.max(ROW_GROUP, Math.min(MAX_ROWS, share));
  const alongM = Math.ceil(M / rows);
  // Few rows: the threads share the columns instead.
  const alongN = alongM >= engine.threads * 2 ? 1 : Math.min(panels, engine.threads * 4);
  const panelsPerChunk = Math.ceil(panels / Math.max(1, alongN));
  const start = init === undefined ? [y, N * 4] : [init, 0];
  const words = [x, rowBytes, M, K, packed, N, ...start, y, N * 4, activation];
  engine.launch("gemm", [...words, rows, panelsPerChunk, alongN], alongM * alongN);
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
  for (const { first, depth } of blocksOf(K)) {
    const source = addressOf(weight) + first * 4;
    const place = { stride: K * 4, packed: packed + packedBytes(first, N) };
    pack(engine, { source, K: depth, N, transposed: true, ...place });
  }
  weight.buffer.packs.set(key, packed);
  return packed;
}

/** Packs w: `transposed` says that w lies as [N,K], else as [K,N]; `stride` is the bytes from row to row. */
function pack(
  engine: WasmEngine,
  { source, stride, K, N, transposed, packed }: {
    source: number;
    stride: number;
    K: number;
    N: number;
    transposed: boolean;
    packed: number;
  },
): void {
  const panels = Math.ceil(N / PANEL);
  const words = [panels, PACKED_PANELS, source, stride, K, N, packed, transposed ? 1 : 0];
  engine.launch("pack", words, Math.ceil(panels / PACKED_PANELS));
}

function packedBytes(K: number, N: number): number {
  return Math.ceil(N / PANEL) * PANEL * K * 4;
}
