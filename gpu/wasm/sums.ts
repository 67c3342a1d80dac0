/** Launches of sums over many elements or rows: a partial sum for each run of rows, added in order whatever the number of threads. */
import type { KernelTable } from "../device.ts";
import { sizeOf } from "../dtype.ts";
import { addressOf, bitsOf, matrix, type WasmBuffer, type WasmEngine } from "./engine.ts";

const RUN_ELEMENTS = 32768; // of a partial sum: 64 rows of the model's width

/** Rows of `width` elements that give one partial sum; depends on the shape alone, for the same bits with any number of threads. */
export function rowsPerRun(width: number): number {
  return Math.max(1, Math.floor(RUN_ELEMENTS / Math.max(1, width)));
}

/** Partial sums: `runs` rows of doubles, `stride` bytes apart. */
export interface Partials {
  /** Where they lie. */
  readonly address: number;
  /** Bytes from row to row. */
  readonly stride: number;
  /** Number of rows. */
  readonly runs: number;
}

/** Lends memory for partial sums of `rows` rows, one sum for each of `columns`, which are padded to a multiple of 8. */
export function withPartials(
  engine: WasmEngine,
  { rows, run, columns }: { rows: number; run: number; columns: number },
  body: (partials: Partials) => void,
): void {
  const runs = Math.ceil(rows / run);
  const stride = columns * 8;
  engine.withMemory(Math.max(8, runs * stride), (address) => body({ address, stride, runs }));
}

/** y = Σ partials / divisor (1 by default), after y's own value where `add` is set. */
export function addPartials(
  engine: WasmEngine,
  { address, stride, runs }: Partials,
  { y, columns, divisor = 1, add = false }: {
    y: number;
    columns: number;
    divisor?: number;
    add?: boolean;
  },
): void {
  const words = [address, stride, runs, y, bitsOf(divisor), add ? 1 : 0];
  engine.launch("addPartials", [columns, 64, ...words], Math.ceil(columns / 64));
}

/** What is summed by column, each row times its weight: x, (x - center)² or (x - center) · by; addresses, 0 for none. */
export interface ColumnSums {
  /** Kind of sum. */
  readonly what: "x" | "square" | "product";
  readonly x: number;
  readonly M: number;
  readonly D: number;
  readonly weight?: number;
  readonly center?: number;
  readonly by?: number;
  /** What the sums are divided by. */
  readonly divisor?: number;
  /** Where the D sums go. */
  readonly y: number;
}

const SUM_CODES = { x: 0, square: 1, product: 2 } as const;

/** Sums of columns. */
export function sumColumns(engine: WasmEngine, sums: ColumnSums): void {
  const { what, x, M, D, weight = 0, center = 0, by = 0, divisor = 1, y } = sums;
  const run = rowsPerRun(D);
  withPartials(engine, { rows: M, run, columns: Math.ceil(D / 8) * 8 }, (partials) => {
    const words = [x, weight, center, by, D, partials.address, SUM_CODES[what]];
    engine.launch("columnSums", [M, run, ...words], partials.runs);
    addPartials(engine, partials, { y, columns: D, divisor });
  });
}

/** Kernels of the sums. */
export function summingKernels(
  engine: WasmEngine,
): Pick<KernelTable<WasmBuffer>, "column_sum" | "accumulate_squares"> {
  return {
    column_sum: ({ x }, { y }) => {
      const [M, D] = matrix(x);
      sumColumns(engine, { what: "x", x: addressOf(x), M, D, y: addressOf(y) });
    },
    accumulate_squares: ({ x }, { sum }) => {
      const rows = sizeOf(x.shape), run = rowsPerRun(1);
      withPartials(engine, { rows, run, columns: 1 }, (partials) => {
        engine.launch("squares", [rows, run, addressOf(x), partials.address], partials.runs);
        addPartials(engine, partials, { y: addressOf(sum), columns: 1, add: true });
      });
    },
  };
}
