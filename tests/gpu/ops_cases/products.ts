/** Cases of the products: tiles and their edges, deep sums, all transposes. */
import type { Activation, OpParams } from "../../../gpu/ops.ts";
import { type Cases, normal, type OpCase } from "./draw.ts";

function linearCase(name: string, [M, N, K]: [number, number, number], more: {
  activation?: OpParams<"linear">["activation"];
  bias?: boolean;
} = {}): OpCase<"linear"> {
  const { activation = "none", bias = true } = more;
  const inputs = {
    x: normal([M, K]),
    weight: normal([N, K], K ** -0.5),
    ...(bias && { bias: normal([N]) }),
  };
  return { name, inputs, params: { activation } };
}

function matmulCase(
  transposeA: boolean,
  transposeB: boolean,
  sizes: readonly number[],
): OpCase<"matmul"> {
  const [G, M, N, K] = sizes as [number, number, number, number];
  return {
    name: `${transposeA ? "aᵀ" : "a"} ${transposeB ? "bᵀ" : "b"} [${sizes}]`,
    inputs: {
      a: normal(transposeA ? [G, K, M] : [G, M, K]),
      b: normal(transposeB ? [G, N, K] : [G, K, N]),
    },
    params: { transposeA, transposeB },
  };
}

const ACTIVATIONS: readonly Activation[] = [
  "none",
  "relu",
  "leaky_relu",
  "sigmoid",
  "tanh",
  "gelu",
];

/** Cases of `linear` and `matmul`. */
export const PRODUCT_CASES: Cases<"linear" | "matmul"> = {
  linear: [
    linearCase("one row", [1, 5, 3]),
    linearCase("quads", [64, 64, 32]),
    linearCase("odd sizes", [67, 131, 45]),
    linearCase("edge of a tile", [65, 68, 36], { activation: "relu" }),
    linearCase("deep", [9, 12, 1536], { activation: "gelu" }),
    linearCase("no bias", [33, 20, 64], { bias: false }),
    linearCase("gelu without bias", [7, 9, 12], { bias: false, activation: "gelu" }),
    linearCase("one column", [130, 1, 64]),
    ...ACTIVATIONS.map((activation) => linearCase(activation, [17, 12, 12], { activation })),
    linearCase("no row", [0, 4, 4]),
  ],
  matmul: [
    matmulCase(false, false, [2, 33, 70, 17]),
    matmulCase(false, false, [1, 64, 64, 64]),
    matmulCase(false, false, [1, 70, 36, 130]),
    matmulCase(false, true, [3, 8, 12, 16]),
    matmulCase(true, false, [2, 36, 20, 44]),
    matmulCase(true, false, [1, 13, 7, 5]),
    matmulCase(true, false, [1, 33, 70, 1201]),
    matmulCase(true, true, [2, 66, 65, 40]),
    matmulCase(true, true, [1, 1, 1, 1]),
    matmulCase(false, false, [1, 0, 4, 5]),
    matmulCase(true, false, [1, 3, 4, 0]),
  ],
};
