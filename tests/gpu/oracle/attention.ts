/** Oracles of attention and of its gradient, which do not share the kernels' formulas: no blocks, no log-sum-exp. */
import { attentionDropThreshold } from "../../../gpu/ops/attention.ts";
import type { AttentionParams, OpInputs } from "../../../gpu/ops.ts";
import { philox } from "../../../gpu/random.ts";
import { at, float64, type HostTensor, type Oracle, softmaxOf } from "./host.ts";

/** What one query of one head sees. */
interface Query {
  /** Row of the query. */
  readonly t: number;
  readonly head: number;
  /** Rows of the keys that it sees. */
  readonly keys: readonly number[];
  /** Scores of those keys. */
  readonly scores: readonly number[];
  /** Softmax of the scores. */
  readonly weights: readonly number[];
  /** Factor that dropout gives each weight: 0, or one by the chance to be kept. */
  readonly keep: readonly number[];
}

type Inputs = OpInputs<"attention", HostTensor>;

function* queries(inputs: Inputs, params: AttentionParams): Generator<Query> {
  const { qkv: { data, shape }, offsets, known } = inputs;
  const D = shape[1]! / 3, width = D / params.heads;
  for (let b = 0; b < offsets.shape[0]! - 1; b++) {
    const start = at(offsets, b), end = at(offsets, b + 1);
    const seen = known ? start + at(known, b) : end;
    for (let t = start; t < end; t++) {
      const keys = Array.from({ length: seen - start }, (_, j) => start + j);
      if (t >= seen) keys.push(t);
      for (let head = 0; head < params.heads; head++) {
        const scores = keys.map((key) => {
          let score = 0;
          for (let d = head * width; d < (head + 1) * width; d++) {
            score += data[t * 3 * D + d]! * data[key * 3 * D + D + d]!;
          }
          return score / Math.sqrt(width);
        });
        const keep = keys.map((key) => keepOf(inputs, params, { t, head, place: key - start }));
        yield { t, head, keys, scores, weights: softmaxOf(scores), keep };
      }
    }
  }
}

/** The law of the op, word for word: half j%2 (low first) of word (j%8)>>1 of philox([h<<24 | j>>3, row_key, stream], seed). */
function keepOf(
  { row_key }: Inputs,
  { dropout }: AttentionParams,
  { t, head, place }: { t: number; head: number; place: number },
): number {
  if (dropout === undefined || row_key === undefined) return 1;
  const { p, seed, stream } = dropout;
  const counter = [(head << 24 | place >> 3) >>> 0, at(row_key, t, 0), at(row_key, t, 1), stream];
  const words = philox(counter as [number, number, number, number], [
    seed % 4294967296,
    Math.floor(seed / 4294967296),
  ]);
  const word = words[(place % 8) >> 1]!;
  const half = place % 2 === 0 ? word & 0xffff : word >>> 16;
  const threshold = attentionDropThreshold(p);
  return half >= threshold ? 65536 / (65536 - threshold) : 0;
}

/** softmax(q·kᵀ/√(D/H))·v inside each cell. */
export const attention: Oracle<"attention"> = (inputs, params) => {
  const { data, shape } = inputs.qkv;
  const T = shape[0]!, D = shape[1]! / 3, { heads } = params, width = D / heads;
  const context = new Float64Array(T * D), lse = new Float64Array(T * heads);
  for (const { t, head, keys, scores, weights, keep } of queries(inputs, params)) {
    const top = Math.max(...scores);
    lse[t * heads + head] = top +
      Math.log(scores.reduce((all, score) => all + Math.exp(score - top), 0));
    for (const [i, key] of keys.entries()) {
      for (let d = head * width; d < (head + 1) * width; d++) {
        context[t * D + d]! += weights[i]! * keep[i]! * data[key * 3 * D + 2 * D + d]!;
      }
    }
  }
  return { context: float64([T, D], context), lse: float64([T, heads], lse) };
};

/** Gradient by q, k and v, query by query, from the softmax itself; `context` and `lse` are not read. */
export const attentionGrad: Oracle<"attention_grad"> = (
  { context_gradient, ...inputs },
  params,
) => {
  const { data, shape } = inputs.qkv, dy = context_gradient.data;
  const [T, D3] = shape as [number, number];
  const D = D3 / 3, width = D / params.heads;
  const gradient = new Float64Array(T * D3);
  for (const { t, head, keys, weights, keep } of queries(inputs, params)) {
    const from = head * width, to = from + width;
    const slopes = keys.map((key, i) => { // of the loss by each weight
      let slope = 0;
      for (let d = from; d < to; d++) slope += dy[t * D + d]! * data[key * D3 + 2 * D + d]!;
      return slope * keep[i]!;
    });
    const mean = slopes.reduce((all, slope, i) => all + slope * weights[i]!, 0);
    for (const [i, key] of keys.entries()) {
      const score = weights[i]! * (slopes[i]! - mean) / Math.sqrt(width);
      for (let d = from; d < to; d++) {
        gradient[t * D3 + d]! += score * data[key * D3 + D + d]!;
        gradient[key * D3 + D + d]! += score * data[t * D3 + d]!;
        gradient[key * D3 + 2 * D + d]! += weights[i]! * keep[i]! * dy[t * D + d]!;
      }
    }
  }
  return { qkv_gradient: float64(shape, gradient) };
};
