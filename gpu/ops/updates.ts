/** Shape rules of the ops that change given tensors. */
import type { OpName } from "../ops.ts";
import type { OpRule, Spec } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** sum = keep * sum + scale * x. */
export const accumulate: OpRule<"accumulate"> = {
  outputs({ x }, { keep, scale }) {
    const finite = Number.isFinite(keep) && Number.isFinite(scale);
    assertParam(finite, "accumulate", `keep and scale must be finite: got ${keep} and ${scale}`);
    return { sum: floats("accumulate", x) };
  },
  gradient: "none",
};

/** sum[0] += Σ x². */
export const accumulateSquares: OpRule<"accumulate_squares"> = {
  outputs({ x }) {
    floats("accumulate_squares", x);
    return { sum: f32(1) };
  },
  gradient: "none",
};

/** One step of Adam or AdamW. */
export const adam: OpRule<"adam"> = {
  outputs({ gradient, squares }, params) {
    const { lr, beta1, beta2, eps, weightDecay, step, maxNorm } = params;
    bindAxes("adam", { gradient, squares }, { squares: "1" });
    const decay = (beta: number) => beta >= 0 && beta < 1;
    assertParam(lr >= 0 && lr < Infinity, "adam", `lr must be >= 0: got ${lr}`);
    assertParam(
      decay(beta1) && decay(beta2),
      "adam",
      `beta1 and beta2 must be in [0, 1): got ${beta1} and ${beta2}`,
    );
    assertParam(eps > 0, "adam", `eps must be > 0: got ${eps}`);
    assertParam(
      weightDecay >= 0 && weightDecay < Infinity,
      "adam",
      `weightDecay must be >= 0: got ${weightDecay}`,
    );
    assertParam(
      Number.isInteger(step) && step >= 1,
      "adam",
      `step must be an integer >= 1: got ${step}`,
    );
    assertParam(maxNorm > 0, "adam", `maxNorm must be > 0: got ${maxNorm}`);
    const spec = floats("adam", gradient);
    return { weight: spec, m: spec, v: spec };
  },
  gradient: "none",
};

function floats(op: OpName, { dtype, shape }: Spec): Spec {
  if (dtype !== "f32") {
    throw new TypeError(`Cannot run ${op} as its input must be f32: got ${dtype}`);
  }
  return f32(...shape);
}
