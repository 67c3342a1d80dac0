/** Shape rule and gradient of `linear`. */
import type { Activation } from "../ops.ts";
import { given, type OpRule, type Run } from "../rule.ts";
import type { Tensor } from "../tensor.ts";
import { bindAxes, f32 } from "./axes.ts";
import { slopeNeedsInput } from "./unary.ts";

/** y = act(x · weightᵀ + bias) with PyTorch's weight layout [N,K]. */
export const linear: OpRule<"linear"> = {
  outputs(inputs) {
    const { M, N } = bindAxes("linear", inputs, { x: "M K", weight: "N K", bias: "N" });
    return { y: f32(M, N) };
  },
  gradient: {
    into: ["x", "weight", "bias"],
    saves({ activation }, wanted) {
      if (slopeNeedsInput(activation)) return ["x", "weight", "bias"];
      const products = [
        ...(wanted.has("weight") ? ["x"] as const : []),
        ...(wanted.has("x") ? ["weight"] as const : []),
      ];
      return activation === "none" ? products : [...products, "y"];
    },
    backward({ run, params: { activation }, specs, saved, gradients, wanted }) {
      const [M = 0, K = 0] = specs.x.shape;
      const [N = 0] = specs.weight.shape;
      const slope = activated(run, activation, saved, given(gradients.y, "the gradient of y")); // [M,N]
      const a = slope.reshape([1, M, N]);
      const product = (b: Tensor, transposeA: boolean) =>
        run("matmul", { a, b }, { transposeA, transposeB: false }).y;
      return {
        ...(wanted.has("x") && {
          x: product(given(saved.weight, "weight").reshape([1, N, K]), false).reshape([M, K]),
        }),
        ...(wanted.has("weight") && {
          weight: product(given(saved.x, "x").reshape([1, M, K]), true).reshape([N, K]),
        }),
        ...(wanted.has("bias") && { bias: run("column_sum", { x: slope }, {}).y }),
      };
    },
  },
};

/** The gradient before the activation; where its slope is no function of y, the product is made again. */
function activated(
  run: Run,
  fn: Activation,
  saved: {
    readonly x?: Tensor;
    readonly weight?: Tensor;
    readonly bias?: Tensor;
    readonly y?: Tensor;
  },
  gradient: Tensor,
): Tensor {
  if (fn === "none") return gradient;
  if (!slopeNeedsInput(fn)) {
    const value = given(saved.y, "y");
    return run("unary_grad", { value, y_gradient: gradient }, { fn }).x_gradient;
  }
  const x = given(saved.x, "x"), weight = given(saved.weight, "weight");
  const inputs = saved.bias === undefined ? { x, weight } : { x, weight, bias: saved.bias };
  const value = run("linear", inputs, { activation: "none" }).y;
  return run("unary_grad", { value, y_gradient: gradient }, { fn }).x_gradient;
}
