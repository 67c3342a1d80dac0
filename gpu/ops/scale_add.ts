/** Shape rule and gradient of `scale_add`. */
import { sameShape } from "../dtype.ts";
import { given, type OpRule, type Run } from "../rule.ts";
import type { Tensor } from "../tensor.ts";
import { assertParam, f32 } from "./axes.ts";

/** y = alpha * x + beta * z; without z, alpha * x. */
export const scaleAdd: OpRule<"scale_add"> = {
  outputs({ x, z }, { alpha, beta }) {
    for (const [name, spec] of Object.entries({ x, z: z ?? x })) {
      if (spec.dtype !== "f32") {
        throw new TypeError(`Cannot run scale_add as ${name} must be f32: got ${spec.dtype}`);
      }
    }
    if (z !== undefined && !sameShape(x.shape, z.shape)) {
      throw new RangeError(
        `Cannot run scale_add as x and z must have one shape: got [${x.shape}] and [${z.shape}]`,
      );
    }
    const finite = Number.isFinite(alpha) && Number.isFinite(beta);
    assertParam(finite, "scale_add", `alpha and beta must be finite: got ${alpha} and ${beta}`);
    return { y: f32(...x.shape) };
  },
  gradient: {
    into: ["x", "z"],
    saves: () => [],
    backward({ run, params: { alpha, beta }, gradients, wanted }) {
      const dy = given(gradients.y, "the gradient of y");
      return {
        ...(wanted.has("x") && { x: times(run, dy, alpha) }),
        ...(wanted.has("z") && { z: times(run, dy, beta) }),
      };
    },
  },
};

function times(run: Run, x: Tensor, alpha: number): Tensor {
  return alpha === 1 ? x : run("scale_add", { x }, { alpha, beta: 0 }).y;
}
