/** `attention_pool` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { unroll, variants } from "../program.ts";
import { LOWEST } from "./functions.ts";

const THREADS = 256;
/** Rows of x in one step of the online softmax, and invocations that share the dot product of a row. */
const ROWS = 32, LANES = 8;

/** One workgroup for a query; an invocation keeps the columns lid, lid + 256, ... of the running mean. */
const program = variants(({ columns }: { columns: number }) => ({
  label: `attention_pool ${columns}`,
  read: { query: "f32", x: "f32", offsets: "u32" },
  write: { y: "f32" },
  params: { B: "u32", D: "u32", scale: "f32" },
  threads: THREADS,
  globals: `
var<workgroup> partial: array<f32, ${THREADS}>;
var<workgroup> scores: array<f32, ${ROWS}>;`,
  body: `
  let cell = group % p.B;
  let start = offsets[p.offsets_at + cell];
  let end = offsets[p.offsets_at + cell + 1u];
  let q = p.query_at + group * p.D;
  var top = ${LOWEST};
  var sum = 0.0;
${unroll(columns, (c) => `  var y${c} = 0.0;`)}
  for (var t0 = start; t0 < end; t0 += ${ROWS}u) {
    let rows = min(${ROWS}u, end - t0);
${SCORES}
${weigh(columns)}
  }
${
    unroll(
      columns,
      (c) => `
  if (lid + ${THREADS * c}u < p.D) {
    y[p.y_at + group * p.D + lid + ${THREADS * c}u] = select(0, y${c} / sum, sum > 0);
  }`,
    )
  }`,
}));

/** scores[r] = scale · query · x[t0 + r]; the partial products of a row are added as a tree. */
const SCORES = `
    let t = t0 + lid / ${LANES}u;
    var product = 0.0;
    if (t < end) {
      for (var d = lid % ${LANES}u; d < p.D; d += ${LANES}u) {
        product = fma(query[q + d], x[p.x_at + t * p.D + d], product);
      }
    }
    partial[lid] = product;
    workgroupBarrier();
    if (lid < rows) {
      let at = lid * ${LANES}u;
      let left = (partial[at] + partial[at + 1u]) + (partial[at + 2u] + partial[at + 3u]);
      let right = (partial[at + 4u] + partial[at + 5u]) + (partial[at + 6u] + partial[at + 7u]);
      scores[lid] = (left + right) * p.scale;
    }
    workgroupBarrier();`;

/** Turns scores into weights against the running maximum and adds the weighted rows. */
function weigh(columns: number): string {
  return `
    var next = top;
    for (var r = 0u; r < rows; r++) { next = max(next, scores[r]); }
    workgroupBarrier();
    if (lid < rows) { scores[lid] = exp(max(scores[lid] - next, -87.0)); }
    workgroupBarrier();
    let shrink = exp(max(top - next, -87.0));
    top = next;
    sum *= shrink;
${unroll(columns, (c) => `    y${c} *= shrink;`)}
    var tile_sum = 0.0;
    for (var r = 0u; r < rows; r++) {
      let w = scores[r];
      tile_sum += w;
      let row = p.x_at + (t0 + r) * p.D + lid;
${unroll(columns, (c) => `      y${c} = fma(w, x[row + ${THREADS * c}u], y${c});`)}
    }
    sum += tile_sum;
    workgroupBarrier();`;
}

/** y[h,b] = Σ_t softmax_t(scale · query[h,b]·x[t]) x[t]. */
export function attentionPool(gpu: Dispatcher): Kernel<"attention_pool", WebGpuBuffer> {
  return ({ query, x, offsets }, { y }, { scale }) => {
    const [H, B, D] = query.shape as [number, number, number];
    const variant = program({ columns: Math.ceil(D / THREADS) });
    gpu.dispatch(variant, {
      views: { query, x, offsets, y },
      params: { B, D, scale },
      groups: H * B,
    });
  };
}
