/** Cases of the ops that move or change single elements. */
import type { UnaryFunction } from "../../../gpu/ops.ts";
import { type Cases, floats, normal, type OpCase, rowKeys, words } from "./draw.ts";

/** Arguments where exponentials over- and underflow, and around 0. */
export const EXTREMES: readonly number[] = [
  -1e4,
  -200,
  -89,
  -88,
  -50,
  -6,
  -1e-3,
  0,
  1e-6,
  1e-3,
  0.25,
  6,
  50,
  88,
  89,
  200,
  1e4,
];

/** Functions that take any number. */
const TOTAL_FUNCTIONS: readonly UnaryFunction[] = [
  "none",
  "relu",
  "leaky_relu",
  "sigmoid",
  "tanh",
  "gelu",
];

const UNARY_CASES: readonly OpCase<"unary">[] = [
  ...TOTAL_FUNCTIONS.flatMap((fn) => [
    { name: fn, inputs: { x: normal([3, 5, 41], 3) }, params: { fn } },
    {
      name: `${fn} of extremes`,
      inputs: { x: floats([EXTREMES.length], EXTREMES) },
      params: { fn },
    },
  ]),
  {
    name: "log1p",
    inputs: { x: floats([9], [0, 0.1, 0.29, 0.31, 1, 7, 100, 1e4, -0.5]) },
    params: { fn: "log1p" },
  },
  {
    name: "log1p near 0",
    inputs: { x: floats([4], [1e-7, 1e-5, -1e-5, 3e-5]) },
    params: { fn: "log1p" },
  },
  { name: "nothing", inputs: { x: normal([0, 4]) }, params: { fn: "tanh" } },
];

const BINARY_CASES: readonly OpCase<"binary">[] = (["add", "sub", "mul"] as const).flatMap((fn) => [
  { name: `${fn} elements`, inputs: { a: normal([5, 7]), b: normal([5, 7]) }, params: { fn } },
  { name: `${fn} row`, inputs: { a: normal([5, 7]), b: normal([7]) }, params: { fn } },
  { name: `${fn} column`, inputs: { a: normal([300, 3]), b: normal([300, 1]) }, params: { fn } },
  { name: `${fn} wide column`, inputs: { a: normal([3, 70]), b: normal([3, 1]) }, params: { fn } },
  { name: `${fn} nothing`, inputs: { a: normal([0, 3]), b: normal([3]) }, params: { fn } },
]);

/** Cases of the ops that compute each element alone. */
export const ELEMENT_CASES: Cases<
  | "gather_rows"
  | "binary"
  | "scale_add"
  | "unary"
  | "concat"
  | "slice_columns"
  | "swap_axes"
  | "dropout"
> = {
  gather_rows: [
    {
      name: "with base",
      inputs: { table: normal([7, 13]), index: words([5], [6, 0, 3, 3, 1]), base: normal([5, 13]) },
      params: { paddingIdx: -1 },
    },
    {
      name: "with padding",
      inputs: { table: normal([5, 6]), index: words([6], [3, 0, 3, 4, 0, 3]) },
      params: { paddingIdx: 3 },
    },
    {
      name: "alone",
      inputs: { table: normal([300, 64]), index: words([3], [299, 0, 17]) },
      params: { paddingIdx: -1 },
    },
    {
      name: "no token",
      inputs: { table: normal([3, 4]), index: words([0], []) },
      params: { paddingIdx: 0 },
    },
  ],
  binary: BINARY_CASES,
  scale_add: [
    { name: "one", inputs: { x: normal([3, 5, 7]) }, params: { alpha: -2.5, beta: 4 } },
    {
      name: "two",
      inputs: { x: normal([1003]), z: normal([1003]) },
      params: { alpha: 0.3, beta: -1.7 },
    },
    {
      name: "a sum",
      inputs: { x: normal([5, 1]), z: normal([5, 1]) },
      params: { alpha: 1, beta: 1 },
    },
    { name: "nothing", inputs: { x: normal([0]), z: normal([0]) }, params: { alpha: 1, beta: 1 } },
  ],
  unary: UNARY_CASES,
  concat: [
    { name: "odd", inputs: { a: normal([5, 3]), b: normal([5, 8]) }, params: {} },
    { name: "model width", inputs: { a: normal([9, 512]), b: normal([9, 512]) }, params: {} },
    { name: "no column", inputs: { a: normal([5, 3]), b: normal([5, 0]) }, params: {} },
    { name: "no row", inputs: { a: normal([0, 3]), b: normal([0, 4]) }, params: {} },
  ],
  slice_columns: [
    { name: "middle", inputs: { x: normal([5, 13]) }, params: { start: 3, end: 10 } },
    { name: "first", inputs: { x: normal([5, 13]) }, params: { start: 0, end: 1 } },
    { name: "last", inputs: { x: normal([5, 13]) }, params: { start: 9, end: 13 } },
    { name: "all", inputs: { x: normal([3, 8]) }, params: { start: 0, end: 8 } },
    { name: "none", inputs: { x: normal([3, 8]) }, params: { start: 4, end: 4 } },
    { name: "model width", inputs: { x: normal([9, 1536]) }, params: { start: 512, end: 1024 } },
    { name: "no row", inputs: { x: normal([0, 8]) }, params: { start: 2, end: 4 } },
  ],
  swap_axes: [
    { name: "odd", inputs: { x: normal([3, 5, 7]) }, params: {} },
    { name: "one", inputs: { x: normal([1, 6, 4]) }, params: {} },
    { name: "nothing", inputs: { x: normal([0, 6, 4]) }, params: {} },
  ],
  dropout: [
    { name: "by row", inputs: { x: normal([5, 67]) }, params: { p: 0.2, seed: 42, stream: 5 } },
    {
      name: "by key",
      inputs: { x: normal([3, 8]), row_key: words([3, 2], [9, 1, 4294967295, 7, 0, 4294967295]) },
      params: { p: 0.5, seed: 2 ** 40 + 3, stream: 4294967295 },
    },
    {
      name: "by key, model width",
      inputs: { x: normal([9, 512]), row_key: rowKeys(9) },
      params: { p: 0.9, seed: 5, stream: 0 },
    },
    { name: "none", inputs: { x: normal([3, 8]) }, params: { p: 0, seed: 1, stream: 5 } },
    { name: "no row", inputs: { x: normal([0, 8]) }, params: { p: 0.2, seed: 1, stream: 5 } },
  ],
};
