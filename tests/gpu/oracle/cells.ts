/** Oracles of the ops that know where cells begin and end. */
import { at, fill, type HostTensor, type Oracle, softmaxOf, sum } from "./host.ts";

function cellOf(offsets: HostTensor, token: number): { b: number; start: number; end: number } {
  let b = 0;
  while (at(offsets, b + 1) <= token) b++;
  return { b, start: at(offsets, b), end: at(offsets, b + 1) };
}

/** softmax(q·kᵀ/√(D/H))·v inside each cell. */
export const attention: Oracle<"attention"> = ({ qkv, offsets, known }, { heads }) => {
  const T = qkv.shape[0]!, D = qkv.shape[1]! / 3, width = D / heads;
  const context = new Float64Array(T * D), lse = new Float64Array(T * heads);
  for (let t = 0; t < T; t++) {
    const { b, start, end } = cellOf(offsets, t);
    const seen = start + (known ? at(known, b) : end - start);
    const keys = Array.from({ length: seen - start }, (_, i) => start + i);
    if (t >= seen) keys.push(t);
    for (let h = 0; h < heads; h++) {
      const scores = keys.map((key) =>
        sum(h * width, (h + 1) * width, (d) => at(qkv, t, d) * at(qkv, key, D + d)) /
        Math.sqrt(width)
      );
      const weights = softmaxOf(scores);
      const top = Math.max(...scores);
      lse[t * heads + h] = top +
        Math.log(scores.reduce((all, score) => all + Math.exp(score - top), 0));
      for (let d = h * width; d < (h + 1) * width; d++) {
        context[t * D + d] = sum(0, keys.length, (i) => weights[i]! * at(qkv, keys[i]!, 2 * D + d));
      }
    }
  }
  return {
    context: { dtype: "f32", shape: [T, D], data: context },
    lse: { dtype: "f32", shape: [T, heads], data: lse },
  };
};

/** y[h,b] = Σ_t softmax_t(scale · query[h,b]·x[t]) x[t]. */
export const attentionPool: Oracle<"attention_pool"> = ({ query, x, offsets }, { scale }) => {
  const [H, B, D] = query.shape as [number, number, number];
  const weights = Array.from({ length: H * B }, (_, i) => {
    const h = Math.floor(i / B), b = i % B;
    const rows = Array.from(
      { length: at(offsets, b + 1) - at(offsets, b) },
      (_, r) => at(offsets, b) + r,
    );
    return softmaxOf(rows.map((t) => scale * sum(0, D, (d) => at(query, h, b, d) * at(x, t, d))));
  });
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
