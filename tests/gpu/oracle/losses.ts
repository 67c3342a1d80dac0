/** Oracles of the losses and of their gradients. */
import type { PointwiseLoss } from "../../../gpu/ops.ts";
import { at, fill, type HostTensor, type Oracle, softmaxOf, sum } from "./host.ts";

function probabilities(logits: HostTensor): number[][] {
  const [M, C] = logits.shape as [number, number];
  return Array.from(
    { length: M },
    (_, m) => softmaxOf(Array.from({ length: C }, (_, c) => at(logits, m, c))),
  );
}

/** Σ_m weight[m] · -log softmax(logits[m])[target[m]]. */
export const crossEntropy: Oracle<"cross_entropy"> = ({ logits, target, weight }) => {
  const [M, C] = logits.shape as [number, number];
  const term = (m: number) => {
    const row = Array.from({ length: C }, (_, c) => at(logits, m, c));
    const top = Math.max(...row);
    const all = row.reduce((total, logit) => total + Math.exp(logit - top), 0);
    return Math.log(all) - (row[at(target, m)]! - top);
  };
  return { loss: fill([1], () => sum(0, M, (m) => at(weight, m) * term(m))) };
};

/** weight[m] (softmax(logits[m]) - one at target[m]) times the loss's gradient. */
export const crossEntropyGrad: Oracle<"cross_entropy_grad"> = (inputs) => {
  const { logits, target, weight, loss_gradient } = inputs;
  const rows = probabilities(logits);
  return {
    logits_gradient: fill(
      logits.shape,
      (m, c) =>
        at(loss_gradient, 0) * at(weight, m!) * (rows[m!]![c!]! - (c === at(target, m!) ? 1 : 0)),
    ),
  };
};

const EPSILON = 2 ** -23;
const clamped = (pred: number) => Math.min(Math.max(pred, EPSILON), 1 - EPSILON);

/** e(pred, target) and its slope by pred. */
const TERMS: {
  readonly [F in PointwiseLoss]: {
    value(pred: number, target: number): number;
    slope(pred: number, target: number): number;
  };
} = {
  squared_error: {
    value: (pred, target) => (pred - target) ** 2,
    slope: (pred, target) => 2 * (pred - target),
  },
  bernoulli: {
    value: (pred, target) => target > 0 ? -Math.log(clamped(pred)) : -Math.log1p(-clamped(pred)),
    slope(pred, target) {
      if (clamped(pred) !== pred) return 0;
      return target > 0 ? -1 / pred : 1 / (1 - pred);
    },
  },
};

/** Σ_m weight[m] · e(pred[m], target[m]). */
export const pointwiseLoss: Oracle<"pointwise_loss"> = ({ pred, target, weight }, { fn }) => ({
  loss: fill([1], () =>
    sum(
      0,
      pred.shape[0]!,
      (m) => at(weight, m) * TERMS[fn].value(at(pred, m), at(target, m)),
    )),
});

/** weight[m] · e'(pred[m]) times the loss's gradient. */
export const pointwiseLossGrad: Oracle<"pointwise_loss_grad"> = (inputs, { fn }) => {
  const { pred, target, weight, loss_gradient } = inputs;
  return {
    pred_gradient: fill(
      pred.shape,
      (m) => at(loss_gradient, 0) * at(weight, m!) * TERMS[fn].slope(at(pred, m!), at(target, m!)),
    ),
  };
};
