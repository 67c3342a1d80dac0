/** `attention_pool_grad` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { unroll, variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { CELL_OF_TOKEN, LOWEST, reduction } from "./functions.ts";

const THREADS = 256;
/** Rows of x in one step, and invocations that share the products of a row. */
const ROWS = 32, LANES = 8;

/**
 * One workgroup for a query. With the weight w of a row and the gradient g of its score, the query's gradient is Σ g x, summed like
 * the forward pass by an online softmax; w and g are left for the gradient of x. Invocation r alone handles the rows r, r + 32, ...
 * of `shares`, so that it may read again what it wrote.
 */
const queries = variants(({ columns }: { columns: number }) => ({
  label: `attention_pool_grad queries ${columns}`,
  read: { query: "f32", x: "f32", offsets: "u32", y: "f32", y_gradient: "f32" },
  write: { query_gradient: "f32", shares: "f32" },
  params: { B: "u32", T: "u32", D: "u32", scale: "f32" },
  threads: THREADS,
  globals: `${reduction("sum", THREADS)}
var<workgroup> partial: array<vec2f, ${THREADS}>;
var<workgroup> scores: array<vec2f, ${ROWS}>; // score, and slope of the loss by the weight`,
  body: `
  let cell = group % p.B;
  let start = offsets[p.offsets_at + cell];
  let end = offsets[p.offsets_at + cell + 1u];
  let q = group * p.D;
  let own = p.shares_at + (group / p.B * p.T + lid) * 2u;
  var product = 0.0;
  for (var d = lid; d < p.D; d += ${THREADS}u) {
    product = fma(y[p.y_at + q + d], y_gradient[p.y_gradient_at + q + d], product);
  }
  let mean = reduce_sum(lid, product); // of the slopes
  var top = ${LOWEST};
  var sum = 0.0;
${unroll(columns, (c) => `  var g${c} = 0.0;`)}
  for (var t0 = start; t0 < end; t0 += ${ROWS}u) {
    let rows = min(${ROWS}u, end - t0);
${PRODUCTS}
${weigh(columns)}
  }
  if (lid < ${ROWS}u) {
    for (var t = start; t + lid < end; t += ${ROWS}u) {
      let w = exp(max(shares[own + 2u * t] - top, -87.0)) / sum;
      shares[own + 2u * t] = w;
      shares[own + 2u * t + 1u] = p.scale * w * (shares[own + 2u * t + 1u] - mean);
    }
  }
${
    unroll(columns, (c) => `
  if (lid + ${THREADS * c}u < p.D) {
    query_gradient[p.query_gradient_at + q + lid + ${THREADS * c}u] =
      select(0, p.scale * g${c} / sum, sum > 0);
  }`)
  }`,
}));

/** scores[r] = (scale · query · x[t0 + r], y_gradient · x[t0 + r]); the partial products of a row are added as a tree. */
const PRODUCTS = `
    let t = t0 + lid / ${LANES}u;
    var both = vec2f();
    if (t < end) {
      for (var d = lid % ${LANES}u; d < p.D; d += ${LANES}u) {
        let pair = vec2f(query[p.query_at + q + d], y_gradient[p.y_gradient_at + q + d]);
        both = fma(pair, vec2f(x[p.x_at + t * p.D + d]), both);
      }
    }
    partial[lid] = both;
    workgroupBarrier();
    if (lid < rows) {
      let at = lid * ${LANES}u;
      let left = (partial[at] + partial[at + 1u]) + (partial[at + 2u] + partial[at + 3u]);
      let right = (partial[at + 4u] + partial[at + 5u]) + (partial[at + 6u] + partial[at + 7u]);
      let row = (left + right) * vec2f(p.scale, 1);
      scores[lid] = row;
      shares[own + 2u * t0] = row.x;
      shares[own + 2u * t0 + 1u] = row.y;
    }
    workgroupBarrier();`;

/** Adds the rows of a step, by weight and slope, against the running maximum. */
function weigh(columns: number): string {
  return `
    var next = top;
    for (var r = 0u; r < rows; r++) { next = max(next, scores[r].x); }
    let shrink = exp(max(top - next, -87.0));
    top = next;
    sum *= shrink;
${unroll(columns, (c) => `    g${c} *= shrink;`)}
    var step_sum = 0.0;
    for (var r = 0u; r < rows; r++) {
      let w = exp(max(scores[r].x - top, -87.0));
      let slope = w * (scores[r].y - mean);
      step_sum += w;
      let row = p.x_at + (t0 + r) * p.D + lid;
${unroll(columns, (c) => `      g${c} = fma(slope, x[row + ${THREADS * c}u], g${c});`)}
    }
    sum += step_sum;
    workgroupBarrier();`;
}

/** Each head adds w · y_gradient + g · query to a row's gradient. */
const TOKENS = elementwise({
  label: "attention_pool_grad tokens",
  read: { query: "f32", y_gradient: "f32", offsets: "u32", shares: "f32" },
  write: { x_gradient: "f32" },
  params: { H: "u32", B: "u32", T: "u32", D: "u32" },
  globals: CELL_OF_TOKEN,
  body: `
  let t = i / p.D;
  let cell = cell_of_token(t);
  var sum = 0.0;
  for (var head = 0u; head < p.H; head++) {
    let at = (head * p.B + cell) * p.D + i % p.D;
    let share = p.shares_at + (head * p.T + t) * 2u;
    sum += shares[share] * y_gradient[p.y_gradient_at + at] + shares[share + 1u] * query[p.query_at + at];
  }
  x_gradient[p.x_gradient_at + i] = sum;`,
});

/** Gradients of `attention_pool` by the queries and the rows. */
export function attentionPoolGrad(gpu: Dispatcher): Kernel<"attention_pool_grad", WebGpuBuffer> {
  return ({ query, x, offsets, y, y_gradient }, outputs, { scale }) => {
    const [H, B, D] = query.shape as [number, number, number];
    const T = x.shape[0]!, count = sizeOf(x.shape);
    const { query_gradient, x_gradient } = outputs;
    gpu.scratch([[H, T, 2]], (shares) => {
      gpu.dispatch(queries({ columns: Math.ceil(D / THREADS) }), {
        views: { query, x, offsets, y, y_gradient, query_gradient, shares },
        params: { B, T, D, scale },
        groups: H * B,
      });
      gpu.dispatch(TOKENS, {
        views: { query, y_gradient, offsets, shares, x_gradient },
        params: { count, H, B, T, D },
        groups: elementGroups(count),
      });
    });
  };
}
