/** Kernels that compute each element of the result alone. */
import type { View } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import type { Element, Program } from "../program.ts";

/** Invocations of a workgroup of an elementwise program. */
const THREADS = 256;

/** Workgroups for a number of elements. */
export function elementGroups(count: number): number {
  return Math.ceil(count / THREADS);
}

/** Views of one shape, element i of one meeting element i of the others: read four at a time where all are aligned. */
export function streamElement(views: readonly View<WebGpuBuffer>[]): Element {
  const aligned = views.every(({ byteOffset, shape }) =>
    byteOffset % 16 === 0 && sizeOf(shape) % 4 === 0
  );
  return aligned ? "vec4f" : "f32";
}

/** Runs an elementwise program over views that were read as {@linkcode streamElement} says. */
export function runStream(
  gpu: Dispatcher,
  program: Program,
  { element, views, params }: {
    readonly element: Element;
    readonly views: Readonly<Record<string, View<WebGpuBuffer>>>;
    readonly params: Readonly<Record<string, number>>;
  },
): void {
  const [first] = Object.values(views);
  const count = sizeOf(first!.shape) / (element === "vec4f" ? 4 : 1);
  gpu.dispatch(program, { views, params: { count, ...params }, groups: elementGroups(count) });
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
