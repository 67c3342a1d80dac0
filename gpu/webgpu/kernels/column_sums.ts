/** Sums over the rows of a matrix as trees whose shape depends on the number of rows alone. */
import type { View } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, type Program, unroll } from "../program.ts";

/** Columns of a workgroup, and invocations that share the rows of a column. */
const COLUMNS = 32, LANES = 8;
/** Rows of a workgroup: the fan-in of the tree. */
const ROWS = 128;

/** What is summed. */
export interface ColumnSums {
  readonly label: string;
  /** Bindings that the terms read. */
  readonly read: Readonly<Record<string, Element>>;
  /** Parameters besides M and D that the terms use. */
  readonly params?: Readonly<Record<string, "u32" | "f32">>;
  /** Statements before the terms; in scope are `row`, `column` and `i`, the number of the element. */
  readonly before?: string;
  /** WGSL of each sum's term. */
  readonly terms: readonly [string] | readonly [string, string];
}

/** A program that sums up to 128 rows of each column for each term, into the bindings sum0, sum1. */
export function columnSumsProgram(
  { label, read, params, before = "", terms }: ColumnSums,
): Program {
  const type = terms.length === 1 ? "f32" : "vec2f";
  return {
    label: `sums of columns: ${label}`,
    read,
    write: Object.fromEntries(terms.map((_, s) => [`sum${s}`, "f32"])),
    params: { M: "u32", D: "u32", blocks: "u32", ...params },
    threads: COLUMNS * LANES,
    globals: `var<workgroup> totals: array<${type}, ${COLUMNS * LANES}>;`,
    body: `
  let chunk = group / p.blocks;
  let column = group % p.blocks * ${COLUMNS}u + lid % ${COLUMNS}u;
  var total = ${type}();
  if (column < p.D) {
    let end = min(p.M, (chunk + 1u) * ${ROWS}u);
    for (var row = chunk * ${ROWS}u + lid / ${COLUMNS}u; row < end; row += ${LANES}u) {
      let i = row * p.D + column;
      ${before}
      total += ${type}(${terms.join(", ")});
    }
  }
  totals[lid] = total;
  workgroupBarrier();
${unroll(Math.log2(LANES), (step) => halve((COLUMNS * LANES) >> (step + 1)))}
  if (lid < ${COLUMNS}u && column < p.D) {
    let at = chunk * p.D + column;
${
      unroll(terms.length, (s) =>
        `    sum${s}[p.sum${s}_at + at] = totals[lid]${type === "f32" ? "" : `[${s}]`};`)
    }
  }`,
  };
}

function halve(half: number): string {
  return `
  if (lid < ${half}u) { totals[lid] += totals[lid + ${half}u]; }
  workgroupBarrier();`;
}

const PLAIN = columnSumsProgram({ label: "x", read: { x: "f32" }, terms: ["x[p.x_at + i]"] });

/** What a {@linkcode columnSumsProgram} runs on. */
export interface ColumnWork {
  readonly views: Readonly<Record<string, View<WebGpuBuffer>>>;
  readonly params?: Readonly<Record<string, number>>;
  /** Rows and columns of the terms. */
  readonly shape: readonly [M: number, D: number];
}

/** Sums each column of each term into `sums`, which have D elements each. */
export function sumColumns(
  gpu: Dispatcher,
  program: Program,
  { views, params, shape: [M, D] }: ColumnWork,
  sums: readonly View<WebGpuBuffer>[],
): void {
  const blocks = Math.ceil(D / COLUMNS), chunks = Math.max(1, Math.ceil(M / ROWS));
  const sumOnce = (into: readonly View<WebGpuBuffer>[]) =>
    gpu.dispatch(program, {
      views: { ...views, ...Object.fromEntries(into.map((view, s) => [`sum${s}`, view])) },
      params: { M, D, blocks, ...params },
      groups: chunks * blocks,
    });
  if (chunks === 1) return sumOnce(sums);
  gpu.scratch(sums.map(() => [chunks, D]), (...partial) => {
    sumOnce(partial);
    for (const [s, sum] of sums.entries()) sumRows(gpu, partial[s]!, sum);
  });
}

/** Sum of each column of x [M,D]. */
export function sumRows(
  gpu: Dispatcher,
  x: View<WebGpuBuffer>,
  sum: View<WebGpuBuffer>,
): void {
  const [M, D] = x.shape as [number, number];
  sumColumns(gpu, PLAIN, { views: { x }, shape: [M, D] }, [sum]);
}
