/** Oracles of the ops that change given tensors. */
import { at, fill, sum, type UpdateOracle } from "./host.ts";

/** sum = keep * sum + scale * x. */
export const accumulate: UpdateOracle<"accumulate"> = ({ x }, { sum: before }, params) => ({
  sum: fill(
    x.shape,
    (...position) => params.keep * at(before, ...position) + params.scale * at(x, ...position),
  ),
});

/** sum[0] += Σ x². */
export const accumulateSquares: UpdateOracle<"accumulate_squares"> = ({ x }, { sum: before }) => ({
  sum: fill([1], () => at(before, 0) + sum(0, x.data.length, (i) => x.data[i]! ** 2)),
});

/** One step of torch.optim.Adam, or AdamW where `decoupled`, after torch's clip_grad_norm_. */
export const adam: UpdateOracle<"adam"> = ({ gradient, squares }, { weight, m, v }, params) => {
  const { lr, beta1, beta2, eps, weightDecay, decoupled, step, maxNorm } = params;
  const clip = Math.min(1, maxNorm / (Math.sqrt(at(squares, 0)) + 1e-6));
  const decayed = (i: number) => weight.data[i]! * (decoupled ? 1 - lr * weightDecay : 1);
  const slope = (i: number) =>
    gradient.data[i]! * clip + (decoupled ? 0 : weightDecay * weight.data[i]!);
  const mean = (i: number) => beta1 * m.data[i]! + (1 - beta1) * slope(i);
  const spread = (i: number) => beta2 * v.data[i]! + (1 - beta2) * slope(i) ** 2;
  const moved = (i: number) =>
    decayed(i) - lr / (1 - beta1 ** step) * mean(i) /
      (Math.sqrt(spread(i) / (1 - beta2 ** step)) + eps);
  const each = (element: (i: number) => number) => ({
    ...gradient,
    data: Float64Array.from(gradient.data, (_, i) => element(i)),
  });
  return { weight: each(moved), m: each(mean), v: each(spread) };
};
