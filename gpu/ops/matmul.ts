/** Shape rule and gradient of `matmul`. */
import { given, type OpRule, type Run } from "../rule.ts";
import type { Tensor } from "../tensor.ts";
import { bindAxes, f32 } from "./axes.ts";

/** y[g] = a[g] · b[g], either one transposed in memory. */
export const matmul: OpRule<"matmul"> = {
  outputs(inputs, { transposeA, transposeB }) {
    const { G, M, N } = bindAxes("matmul", inputs, {
      a: transposeA ? "G K M" : "G M K",
      b: transposeB ? "G N K" : "G K N",
    });
    return { y: f32(G, M, N) };
  },
  gradient: {
    into: ["a", "b"],
    saves: (_, wanted) => [
      ...(wanted.has("b") ? ["a"] as const : []),
      ...(wanted.has("a") ? ["b"] as const : []),
    ],
    backward({ run, params: { transposeA, transposeB }, saved, gradients, wanted }) {
      const dy = given(gradients.y, "the gradient of y"); // [G,M,N]
      // y = a' b' gives a'_gradient = dy b'ᵀ and b'_gradient = a'ᵀ dy; for a transposed operand, the transpose of that.
      const gradientOfA = (b: Tensor) =>
        transposeA
          ? product(run, b, dy, [transposeB, true])
          : product(run, dy, b, [false, !transposeB]);
      const gradientOfB = (a: Tensor) =>
        transposeB
          ? product(run, dy, a, [true, transposeA])
          : product(run, a, dy, [!transposeA, false]);
      return {
        ...(wanted.has("a") && { a: gradientOfA(given(saved.b, "b")) }),
        ...(wanted.has("b") && { b: gradientOfB(given(saved.a, "a")) }),
      };
    },
  },
};

function product(
  run: Run,
  a: Tensor,
  b: Tensor,
  transpose: readonly [boolean, boolean],
): Tensor {
  return run("matmul", { a, b }, { transposeA: transpose[0], transposeB: transpose[1] }).y;
}
