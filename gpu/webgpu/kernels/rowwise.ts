/** Kernels in which one workgroup handles one row. */
import type { Program } from "../program.ts";
import { reduction } from "./functions.ts";

/** Invocations of a workgroup of a row program. */
export const ROW_THREADS = 128;

/**
 * A program with one workgroup for each row, whose number is `group`. `globals` gets `reduce_sum` and, when asked for, `reduce_max`.
 */
export function rowwise(
  program: Omit<Program, "threads"> & { max?: boolean },
): Program {
  const { max, globals = "", ...rest } = program;
  const reductions = reduction("sum", ROW_THREADS) + (max ? reduction("max", ROW_THREADS) : "");
  return { ...rest, threads: ROW_THREADS, globals: reductions + globals };
}

/** A loop over the columns `d` of a row that belong to an invocation. */
export function eachColumn(statements: string): string {
  return `
  for (var d = lid; d < p.D; d += ${ROW_THREADS}u) {
    ${statements}
  }`;
}
