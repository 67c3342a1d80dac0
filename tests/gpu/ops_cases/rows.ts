/** Cases of the ops that work on whole rows or columns. */
import { type Cases, floats, normal, type OpCase, uniform } from "./draw.ts";

function layerNormCase(name: string, [M, D]: [number, number], more: {
  scale?: number;
  residual?: boolean;
} = {}): OpCase<"layer_norm"> {
  const { scale = 1, residual = false } = more;
  const inputs = {
    x: normal([M, D], scale),
    weight: normal([D]),
    bias: normal([D]),
    ...(residual && { residual: normal([M, D]) }),
  };
  return { name, inputs, params: { eps: 1e-5 } };
}

/** Cases of the ops whose results depend on a row or a column. */
export const ROW_CASES: Cases<
  | "layer_norm"
  | "batch_norm"
  | "row_dot"
  | "column_sum"
  | "l2_normalize"
  | "softmax"
  | "top_k"
> = {
  layer_norm: [
    layerNormCase("with residual", [5, 67], { residual: true }),
    layerNormCase("model width", [9, 512], { scale: 30 }),
    layerNormCase("many rows", [700, 12], { residual: true }),
    layerNormCase("one row", [1, 3]),
    layerNormCase("no row", [0, 8]),
    {
      name: "constant rows",
      inputs: { x: floats([2, 8], Array(16).fill(3)), weight: normal([8]), bias: normal([8]) },
      params: { eps: 1e-5 },
    },
  ],
  batch_norm: [
    { name: "odd", inputs: { x: normal([7, 13]) }, params: { eps: 1e-5 } },
    {
      name: "weighted",
      inputs: { x: normal([37, 6], 3), row_weight: uniform([37], 0, 5) },
      params: { eps: 1e-5 },
    },
    {
      name: "rows of no weight",
      inputs: { x: normal([4, 5]), row_weight: floats([4], [1, 0, 12, 0]) },
      params: { eps: 1e-3 },
    },
    { name: "model width", inputs: { x: normal([300, 512]) }, params: { eps: 1e-5 } },
    {
      name: "far from 0",
      inputs: { x: floats([1000, 2], [...normal([2000]).data].map((value) => 300 + value)) },
      params: { eps: 1e-5 },
    },
    { name: "one row", inputs: { x: normal([1, 4]) }, params: { eps: 1e-2 } },
    { name: "no row", inputs: { x: normal([0, 4]) }, params: { eps: 1e-5 } },
  ],
  row_dot: [
    { name: "odd", inputs: { a: normal([5, 67]), b: normal([5, 67]) }, params: {} },
    { name: "short", inputs: { a: normal([130, 3]), b: normal([130, 3]) }, params: {} },
    { name: "no row", inputs: { a: normal([0, 3]), b: normal([0, 3]) }, params: {} },
  ],
  column_sum: [
    { name: "odd", inputs: { x: normal([7, 13]) }, params: {} },
    { name: "many rows", inputs: { x: normal([2403, 5]) }, params: {} },
    { name: "model width", inputs: { x: normal([130, 512]) }, params: {} },
    { name: "one column", inputs: { x: normal([1000, 1]) }, params: {} },
    { name: "one row", inputs: { x: normal([1, 67]) }, params: {} },
    { name: "no row", inputs: { x: normal([0, 4]) }, params: {} },
  ],
  l2_normalize: [
    { name: "odd", inputs: { x: normal([5, 67]) }, params: { eps: 1e-12 } },
    {
      name: "zeros",
      inputs: { x: floats([2, 4], [0, 0, 0, 0, 3, 0, 4, 0]) },
      params: { eps: 1e-12 },
    },
    { name: "shorter than eps", inputs: { x: normal([3, 5], 1e-3) }, params: { eps: 0.5 } },
    { name: "no row", inputs: { x: normal([0, 5]) }, params: { eps: 1e-12 } },
  ],
  softmax: [
    { name: "odd", inputs: { x: normal([5, 67], 4) }, params: {} },
    {
      name: "far apart",
      inputs: { x: floats([2, 4], [-1e4, 0, 1e4, 5, 200, 100, 0, 199]) },
      params: {},
    },
    { name: "one column", inputs: { x: normal([3, 1]) }, params: {} },
    { name: "no row", inputs: { x: normal([0, 3]) }, params: {} },
  ],
  top_k: [
    { name: "odd", inputs: { x: normal([3, 301]) }, params: { k: 10 } },
    {
      name: "equals",
      inputs: { x: floats([2, 6], [1, 3, 3, 1, 3, 0, 0, 0, 0, 0, 0, 0]) },
      params: { k: 6 },
    },
    { name: "most", inputs: { x: normal([2, 8192]) }, params: { k: 64 } },
    {
      name: "infinities",
      inputs: { x: floats([1, 4], [-Infinity, 2, -Infinity, 5]) },
      params: { k: 4 },
    },
  ],
};
