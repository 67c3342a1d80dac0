/** Oracles of the gradients of rows and elements. */
import type { UnaryFunction } from "../../../gpu/ops.ts";
import { erf } from "./elementwise.ts";
import { at, fill, float64, type HostTensor, type Oracle, sum } from "./host.ts";

/** table[v] = Σ values[t] over index[t] = v. */
export const scatterRows: Oracle<"scatter_rows"> = ({ values, index }, { rows, paddingIdx }) => {
  const [T, D] = values.shape as [number, number];
  const table = new Float64Array(rows * D);
  for (let t = 0; t < T; t++) {
    const v = at(index, t);
    if (v !== paddingIdx) { for (let d = 0; d < D; d++) table[v * D + d]! += at(values, t, d); }
  }
  return { table: float64([rows, D], table) };
};

/** Slopes; the argument is y, or x for gelu and log1p. */
const SLOPES: { readonly [F in UnaryFunction]: (value: number) => number } = {
  none: () => 1,
  relu: (y) => y > 0 ? 1 : 0,
  leaky_relu: (y) => y > 0 ? 1 : 0.01,
  sigmoid: (y) => y * (1 - y),
  tanh: (y) => 1 - y * y,
  gelu: (x) => 0.5 * (1 + erf(x / Math.SQRT2)) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI),
  log1p: (x) => 1 / (1 + x),
};

/** x_gradient = fn'(·) * y_gradient. */
export const unaryGrad: Oracle<"unary_grad"> = ({ value, y_gradient }, { fn }) => ({
  x_gradient: fill(
    value.shape,
    (...position) => SLOPES[fn](at(value, ...position)) * at(y_gradient, ...position),
  ),
});

/** Gradients of the sum x + residual, of the gain and of the bias. */
export const layerNormGrad: Oracle<"layer_norm_grad"> = (inputs, { eps }) => {
  const { x, residual, weight, y_gradient } = inputs;
  const [M, D] = x.shape as [number, number];
  const value = (m: number, d: number) => at(x, m, d) + (residual ? at(residual, m, d) : 0);
  const rows = Array.from({ length: M }, (_, m) => {
    const mean = sum(0, D, (d) => value(m, d)) / D;
    const scale = 1 / Math.sqrt(sum(0, D, (d) => (value(m, d) - mean) ** 2) / D + eps);
    const unit = (d: number) => (value(m, d) - mean) * scale;
    const slope = (d: number) => at(y_gradient, m, d) * at(weight, d);
    const first = sum(0, D, slope) / D, second = sum(0, D, (d) => slope(d) * unit(d)) / D;
    return { unit, x: (d: number) => scale * (slope(d) - first - unit(d) * second) };
  });
  return {
    x_gradient: fill([M, D], (m, d) => rows[m!]!.x(d!)),
    weight_gradient: fill([D], (d) => sum(0, M, (m) => at(y_gradient, m, d!) * rows[m]!.unit(d!))),
    bias_gradient: fill([D], (d) => sum(0, M, (m) => at(y_gradient, m, d!))),
  };
};

/** Gradient by x, the statistics moving with it: a row counts `row_weight` times in those, once in y. */
export const batchNormGrad: Oracle<"batch_norm_grad"> = (inputs, { eps }) => {
  const { x, mean, variance, y_gradient, row_weight } = inputs;
  const [M, D] = x.shape as [number, number];
  const weightOf = (m: number) => row_weight ? at(row_weight, m) : 1;
  const total = sum(0, M, weightOf);
  const columns = Array.from({ length: D }, (_, d) => {
    const scale = 1 / Math.sqrt(at(variance, d) + eps);
    const unit = (m: number) => (at(x, m, d) - at(mean, d)) * scale;
    const first = sum(0, M, (m) => at(y_gradient, m, d));
    const second = sum(0, M, (m) => at(y_gradient, m, d) * unit(m));
    return (m: number) =>
      scale * (at(y_gradient, m, d) - weightOf(m) / total * (first + unit(m) * second));
  });
  return { x_gradient: fill([M, D], (m, d) => columns[d!]!(m!)) };
};

function rowProducts(a: HostTensor, b: HostTensor): number[] {
  const [M, D] = a.shape as [number, number];
  return Array.from({ length: M }, (_, m) => sum(0, D, (d) => at(a, m, d) * at(b, m, d)));
}

/** (dy - y (y·dy)) / |x|, and dy / eps for rows shorter than eps. */
export const l2NormalizeGrad: Oracle<"l2_normalize_grad"> = ({ x, y_gradient }, { eps }) => {
  const norms = rowProducts(x, x).map(Math.sqrt), along = rowProducts(x, y_gradient);
  return {
    x_gradient: fill(x.shape, (m, d) => {
      const norm = norms[m!]!, slope = at(y_gradient, m!, d!);
      return norm < eps ? slope / eps : (slope - at(x, m!, d!) * along[m!]! / norm ** 2) / norm;
    }),
  };
};

/** y (dy - y·dy) row by row. */
export const softmaxGrad: Oracle<"softmax_grad"> = ({ y, y_gradient }) => {
  const along = rowProducts(y, y_gradient);
  return {
    x_gradient: fill(
      y.shape,
      (m, d) => at(y, m!, d!) * (at(y_gradient, m!, d!) - along[m!]!),
    ),
  };
};
