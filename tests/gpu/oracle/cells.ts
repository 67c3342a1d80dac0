/** Oracles of the ops that know where cells begin and end, attention apart. */
import { at, fill, float64, type HostTensor, type Oracle, softmaxOf, sum } from "./host.ts";

/** Softmax weights over the rows of cell b for each query [h,b], in the order of h, then b. */
function poolWeights(query: HostTensor, x: HostTensor, offsets: HostTensor, scale: number) {
  const [H, B, D] = query.shape as [number, number, number];
  return Array.from({ length: H * B }, (_, i) => {
    const h = Math.floor(i / B), b = i % B, start = at(offsets, b);
    const rows = Array.from({ length: at(offsets, b + 1) - start }, (_, r) => start + r);
    return softmaxOf(rows.map((t) => scale * sum(0, D, (d) => at(query, h, b, d) * at(x, t, d))));
  });
}

/** y[h,b] = Σ_t softmax_t(scale · query[h,b]·x[t]) x[t]. */
export const attentionPool: Oracle<"attention_pool"> = ({ query, x, offsets }, { scale }) => {
  const [H, B, D] = query.shape as [number, number, number];
  const weights = poolWeights(query, x, offsets, scale);
  return {
    y: fill([H, B, D], (h, b, d) => {
      const start = at(offsets, b!);
      return weights[h! * B + b!]!.reduce(
        (all, weight, r) => all + weight * at(x, start + r, d!),
        0,
      );
    }),
  };
};

/** Gradients by the queries and the rows; `y` is not read. */
export const attentionPoolGrad: Oracle<"attention_pool_grad"> = (inputs, { scale }) => {
  const { query, x, offsets, y_gradient } = inputs;
  const [H, B, D] = query.shape as [number, number, number];
  const ofQuery = new Float64Array(H * B * D), ofX = new Float64Array(x.data.length);
  for (const [i, weights] of poolWeights(query, x, offsets, scale).entries()) {
    const h = Math.floor(i / B), b = i % B, start = at(offsets, b);
    const slopes = weights.map((_, r) =>
      sum(0, D, (d) => at(y_gradient, h, b, d) * at(x, start + r, d))
    );
    const mean = slopes.reduce((all, slope, r) => all + slope * weights[r]!, 0);
    for (const [r, weight] of weights.entries()) {
      const score = scale * weight * (slopes[r]! - mean);
      for (let d = 0; d < D; d++) {
        ofQuery[i * D + d]! += score * at(x, start + r, d);
        ofX[(start + r) * D + d]! += score * at(query, h, b, d) + weight * at(y_gradient, h, b, d);
      }
    }
  }
  return {
    query_gradient: float64(query.shape, ofQuery),
    x_gradient: float64(x.shape, ofX),
  };
};

/** Mean, or sum, of a cell's rows, each times its weight. */
export const segmentPool: Oracle<"segment_pool"> = ({ x, offsets, weight }, { mode }) => {
  const weightOf = (t: number) => weight ? at(weight, t) : 1;
  return {
    y: fill([offsets.shape[0]! - 1, x.shape[1]!], (b, d) => {
      const start = at(offsets, b!), end = at(offsets, b! + 1);
      const total = sum(start, end, (t) => weightOf(t) * at(x, t, d!));
      return mode === "sum" ? total : total / Math.max(end - start, 1);
    }),
  };
};

/** Each cell's row for all its tokens. */
export const segmentSpread: Oracle<"segment_spread"> = ({ x, offsets }, { mode, tokens }) => {
  const D = x.shape[1]!, y = new Float64Array(tokens * D);
  for (let b = 0; b < x.shape[0]!; b++) {
    const start = at(offsets, b), end = at(offsets, b + 1);
    for (let t = start; t < end; t++) {
      for (let d = 0; d < D; d++) y[t * D + d] = at(x, b, d) / (mode === "mean" ? end - start : 1);
    }
  }
  return { y: float64([tokens, D], y) };
};
