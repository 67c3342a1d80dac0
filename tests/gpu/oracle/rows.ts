/** Oracles of products and of the ops that work on whole rows. */
import { FUNCTIONS } from "./elementwise.ts";
import { at, fill, type Oracle, softmaxOf, sum } from "./host.ts";

/** y = act(x · weightᵀ + bias). */
export const linear: Oracle<"linear"> = ({ x, weight, bias }, { activation }) => {
  const [M, K] = x.shape as [number, number];
  return {
    y: fill([M, weight.shape[0]!], (m, n) => {
      const product = sum(0, K, (k) => at(x, m!, k) * at(weight, n!, k));
      return FUNCTIONS[activation](product + (bias ? at(bias, n!) : 0));
    }),
  };
};

/** y[g] = a[g] · b[g]. */
export const matmul: Oracle<"matmul"> = ({ a, b }, { transposeA, transposeB }) => {
  const [G, M, K] = transposeA
    ? [a.shape[0]!, a.shape[2]!, a.shape[1]!]
    : a.shape as [number, number, number];
  const N = b.shape[transposeB ? 1 : 2]!;
  const left = (g: number, m: number, k: number) => transposeA ? at(a, g, k, m) : at(a, g, m, k);
  const right = (g: number, k: number, n: number) => transposeB ? at(b, g, n, k) : at(b, g, k, n);
  return { y: fill([G, M, N], (g, m, n) => sum(0, K, (k) => left(g!, m!, k) * right(g!, k, n!))) };
};

/** y = norm(x + residual) * weight + bias. */
export const layerNorm: Oracle<"layer_norm"> = ({ x, residual, weight, bias }, { eps }) => {
  const [M, D] = x.shape as [number, number];
  const value = (m: number, d: number) => at(x, m, d) + (residual ? at(residual, m, d) : 0);
  const moments = Array.from({ length: M }, (_, m) => {
    const mean = sum(0, D, (d) => value(m, d)) / D;
    return { mean, variance: sum(0, D, (d) => (value(m, d) - mean) ** 2) / D };
  });
  return {
    y: fill([M, D], (m, d) => {
      const { mean, variance } = moments[m!]!;
      return (value(m!, d!) - mean) / Math.sqrt(variance + eps) * at(weight, d!) + at(bias, d!);
    }),
  };
};

/** y = (x - mean) / √(variance + eps) by column, each row counted `row_weight` times in the statistics. */
export const batchNorm: Oracle<"batch_norm"> = ({ x, row_weight }, { eps }) => {
  const [M, D] = x.shape as [number, number];
  const weightOf = (m: number) => row_weight ? at(row_weight, m) : 1;
  const total = sum(0, M, weightOf) || 1; // no rows: zeros
  const mean = fill([D], (d) => sum(0, M, (m) => weightOf(m) * at(x, m, d!)) / total);
  const variance = fill(
    [D],
    (d) => sum(0, M, (m) => weightOf(m) * (at(x, m, d!) - at(mean, d!)) ** 2) / total,
  );
  const y = fill(
    [M, D],
    (m, d) => (at(x, m!, d!) - at(mean, d!)) / Math.sqrt(at(variance, d!) + eps),
  );
  return { y, mean, variance };
};

/** Sum of each column. */
export const columnSum: Oracle<"column_sum"> = ({ x }) => ({
  y: fill([x.shape[1]!], (d) => sum(0, x.shape[0]!, (m) => at(x, m, d!))),
});

/** y = softmax of each row. */
export const softmax: Oracle<"softmax"> = ({ x }) => {
  const [M, D] = x.shape as [number, number];
  const rows = Array.from(
    { length: M },
    (_, m) => softmaxOf(Array.from({ length: D }, (_, d) => at(x, m, d))),
  );
  return { y: fill([M, D], (m, d) => rows[m!]![d!]!) };
};

/** y = x / max(|x|₂, eps). */
export const l2Normalize: Oracle<"l2_normalize"> = ({ x }, { eps }) => {
  const [M, D] = x.shape as [number, number];
  const norms = Array.from({ length: M }, (_, m) => Math.sqrt(sum(0, D, (d) => at(x, m, d) ** 2)));
  return { y: fill([M, D], (m, d) => at(x, m!, d!) / Math.max(norms[m!]!, eps)) };
};

/** y[m] = a[m]·b[m]. */
export const rowDot: Oracle<"row_dot"> = ({ a, b }) => {
  const [M, D] = a.shape as [number, number];
  return { y: fill([M], (m) => sum(0, D, (d) => at(a, m!, d) * at(b, m!, d))) };
};

/** The k largest of each row. */
export const topK: Oracle<"top_k"> = ({ x }, { k }) => {
  const [M, N] = x.shape as [number, number];
  const order = Array.from(
    { length: M },
    (_, m) =>
      Array.from({ length: N }, (_, n) => n).sort((i, j) => at(x, m, j) - at(x, m, i) || i - j),
  );
  const index = fill([M, k], (m, i) => order[m!]![i!]!);
  return {
    value: fill([M, k], (m, i) => at(x, m!, order[m!]![i!]!)),
    index: { ...index, dtype: "u32" },
  };
};
