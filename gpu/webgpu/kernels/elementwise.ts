/** Kernels that compute each element of the result alone. */
import type { Program } from "../program.ts";

/** Invocations of a workgroup of an elementwise program. */
const THREADS = 256;

/** Workgroups for a number of elements. */
export function elementGroups(count: number): number {
  return Math.ceil(count / THREADS);
}

/** A program with one invocation for each `i` below the parameter `count`. */
export function elementwise(
  program: Pick<Program, "label" | "read" | "write" | "params" | "globals" | "body">,
): Program {
  return {
    ...program,
    params: { count: "u32", ...program.params },
    threads: THREADS,
    body: `
  let i = group * ${THREADS}u + lid;
  if (i >= p.count) { return; }
${program.body}`,
  };
}
