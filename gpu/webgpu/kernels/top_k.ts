/** `top_k` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Program, unroll } from "../program.ts";

const THREADS = 128;
/** Column of a candidate that is none. */
const NONE = "0xffffffffu";

/**
 * One workgroup a row. The order (larger value, then lower column) is total, so result i + 1 is the best element after result i:
 * k passes over the row, and nothing to sort.
 */
const PROGRAM: Program = {
  label: "top_k",
  read: { x: "f32" },
  write: { value: "f32", index: "u32" },
  params: { N: "u32", k: "u32" },
  threads: THREADS,
  globals: `
struct Candidate { value: f32, column: u32 }
var<workgroup> best: array<Candidate, ${THREADS}>;
fn before(a: Candidate, b: Candidate) -> bool {
  if (a.column == ${NONE} || b.column == ${NONE}) { return b.column == ${NONE} && a.column != ${NONE}; }
  return a.value > b.value || (a.value == b.value && a.column < b.column);
}`,
  body: `
  let row = p.x_at + group * p.N;
  var last = Candidate(0, ${NONE});
  for (var i = 0u; i < p.k; i++) {
    var mine = Candidate(0, ${NONE});
    for (var column = lid; column < p.N; column += ${THREADS}u) {
      let one = Candidate(x[row + column], column);
      if ((i == 0u || before(last, one)) && before(one, mine)) { mine = one; }
    }
    best[lid] = mine;
    workgroupBarrier();
${
    unroll(Math.log2(THREADS), (step) => {
      const half = THREADS >> (step + 1);
      return `
    if (lid < ${half}u) {
      let other = best[lid + ${half}u];
      if (before(other, best[lid])) { best[lid] = other; }
    }
    workgroupBarrier();`;
    })
  }
    last = best[0];
    workgroupBarrier();
    if (lid == 0u) {
      value[p.value_at + group * p.k + i] = last.value;
      index[p.index_at + group * p.k + i] = last.column;
    }
  }`,
};

/** The k largest of each row. */
export function topK(gpu: Dispatcher): Kernel<"top_k", WebGpuBuffer> {
  return ({ x }, { value, index }, { k }) => {
    const [M, N] = x.shape as [number, number];
    gpu.dispatch(PROGRAM, { views: { x, value, index }, params: { N, k }, groups: M });
  };
}
