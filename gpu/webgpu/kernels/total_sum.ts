/** The sum of all terms of an op in one number, as a tree whose shape depends on their number alone. */
import type { View } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import type { Program } from "../program.ts";
import { reduction } from "./functions.ts";

const THREADS = 256;
/** Terms of a workgroup: the fan-in of the tree. */
const TERMS = 4096;

/** A program that sums up to 4,096 terms a workgroup. */
export interface TotalProgram {
  /** Sums of groups of terms. */
  readonly partial: Program;
  /** The last sum. */
  readonly last: Program;
  /** Whether it is added to what `sum` has. */
  readonly add: boolean;
}

/** Programs for the terms that the WGSL `term` gives for `i`; `add`: the total is added to what is there. */
export function totalProgram(
  { label, read, globals = "", term, add = false }:
    & Pick<Program, "label" | "read" | "globals">
    & { readonly term: string; readonly add?: boolean },
): TotalProgram {
  const make = (assign: "=" | "+="): Program => ({
    label: `total: ${label} ${assign}`,
    read,
    write: { sum: "f32" },
    params: { count: "u32" },
    threads: THREADS,
    globals: reduction("sum", THREADS) + globals,
    body: `
  let end = min(p.count, (group + 1u) * ${TERMS}u);
  var mine = 0.0;
  for (var i = group * ${TERMS}u + lid; i < end; i += ${THREADS}u) { mine += ${term}; }
  let all = reduce_sum(lid, mine);
  if (lid == 0u) { sum[p.sum_at + group] ${assign} all; }`,
  });
  return { partial: make("="), last: make(add ? "+=" : "="), add };
}

const plain = (add: boolean) =>
  totalProgram({ label: "x", read: { x: "f32" }, term: "x[p.x_at + i]", add });
const SET = plain(false), ADD = plain(true);

/** Sums `count` terms into `sum` [1]; no terms give 0. */
export function sumTerms(
  gpu: Dispatcher,
  program: TotalProgram,
  { views, count, sum }: {
    readonly views: Readonly<Record<string, View<WebGpuBuffer>>>;
    readonly count: number;
    readonly sum: View<WebGpuBuffer>;
  },
): void {
  const groups = Math.max(1, Math.ceil(count / TERMS));
  const params = { count };
  if (groups === 1) {
    return gpu.dispatch(program.last, { views: { ...views, sum }, params, groups });
  }
  gpu.scratch([[groups]], (partial) => {
    gpu.dispatch(program.partial, { views: { ...views, sum: partial }, params, groups });
    sumTerms(gpu, program.add ? ADD : SET, { views: { x: partial }, count: groups, sum });
  });
}

/** Sum of all elements of x into `sum` [1]. */
export function sumValues(
  gpu: Dispatcher,
  x: View<WebGpuBuffer>,
  sum: View<WebGpuBuffer>,
): void {
  sumTerms(gpu, SET, { views: { x }, count: sizeOf(x.shape), sum });
}
