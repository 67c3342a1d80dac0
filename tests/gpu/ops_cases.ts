/** Cases of every op, for any device: odd sizes, edge tiles, cells without tokens, known masks. Runs in a page, too. */
import type { Shape } from "../../gpu/dtype.ts";
import type { OpInputs, OpName, OpParams } from "../../gpu/ops.ts";
import { RandomStream } from "../../gpu/random.ts";
import type { HostTensor } from "./oracle/host.ts";

/** Inputs and parameters of one run of an op. */
export interface OpCase<K extends OpName> {
  /** What is special about it. */
  readonly name: string;
  readonly inputs: OpInputs<K, HostTensor>;
  readonly params: OpParams<K>;
}

let entity = 0;

/** Normal numbers times `scale`, others at each call. */
export function normal(shape: Shape, scale = 1): HostTensor & { data: Float32Array<ArrayBuffer> } {
  const draws = new RandomStream(7, 3, [entity++, 0]);
  const size = shape.reduce((product, length) => product * length, 1);
  return {
    dtype: "f32",
    shape,
    data: Float32Array.from({ length: size }, () => draws.normal() * scale),
  };
}

/** Given floats. */
export function floats(shape: Shape, values: readonly number[]): HostTensor {
  return { dtype: "f32", shape, data: Float32Array.from(values) };
}

/** Given unsigned integers. */
export function words(shape: Shape, values: readonly number[]): HostTensor {
  return { dtype: "u32", shape, data: Uint32Array.from(values) };
}

/** Offsets of cells with these numbers of tokens. */
export function offsetsOf(lengths: readonly number[]): HostTensor {
  const ends = lengths.map((_, b) =>
    lengths.slice(0, b + 1).reduce((all, length) => all + length, 0)
  );
  return words([lengths.length + 1], [0, ...ends]);
}

function tokens(lengths: readonly number[]): number {
  return lengths.reduce((all, length) => all + length, 0);
}

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

function attentionCase(lengths: readonly number[], more: {
  heads: number;
  width: number;
  known?: readonly number[];
  scale?: number;
}): OpCase<"attention"> {
  const { heads, width, known, scale = 1 } = more;
  return {
    name: `cells [${lengths}], ${heads} heads of ${width}${known ? `, known [${known}]` : ""}`,
    inputs: {
      qkv: normal([tokens(lengths), 3 * heads * width], scale),
      offsets: offsetsOf(lengths),
      ...(known && { known: words([known.length], known) }),
    },
    params: { heads },
  };
}

function poolCase(lengths: readonly number[], H: number, D: number): OpCase<"attention_pool"> {
  return {
    name: `cells [${lengths}], ${H} queries of ${D}`,
    inputs: {
      query: normal([H, lengths.length, D]),
      x: normal([tokens(lengths), D]),
      offsets: offsetsOf(lengths),
    },
    params: { scale: D ** -0.5 },
  };
}

function segmentCase(
  lengths: readonly number[],
  mode: "mean" | "sum",
  weighted: boolean,
): OpCase<"segment_pool"> {
  const T = tokens(lengths), weight = normal([T]);
  return {
    name: `${mode} of cells [${lengths}]${weighted ? ", weighted" : ""}`,
    inputs: {
      x: normal([T, 37]),
      offsets: offsetsOf(lengths),
      ...(weighted && { weight: floats([T], [...weight.data].map(Math.abs)) }),
    },
    params: { mode },
  };
}

const EXTREMES = [
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
const FUNCTIONS = ["none", "relu", "leaky_relu", "sigmoid", "tanh", "gelu"] as const;

/** Cases by op: leaving one out does not compile. */
export const CASES: { readonly [K in OpName]: readonly OpCase<K>[] } = {
  gather_rows: [
    {
      name: "with base",
      inputs: { table: normal([7, 13]), index: words([5], [6, 0, 3, 3, 1]), base: normal([5, 13]) },
      params: {},
    },
    {
      name: "alone",
      inputs: { table: normal([300, 64]), index: words([3], [299, 0, 17]) },
      params: {},
    },
    { name: "no token", inputs: { table: normal([3, 4]), index: words([0], []) }, params: {} },
  ],
  linear: [
    linearCase("one row", [1, 5, 3]),
    linearCase("quads", [64, 64, 32]),
    linearCase("odd sizes", [67, 131, 45]),
    linearCase("edge of a tile", [65, 68, 36], { activation: "relu" }),
    linearCase("deep", [9, 12, 1536], { activation: "gelu" }),
    linearCase("no bias", [33, 20, 64], { bias: false }),
    linearCase("one column", [130, 1, 64]),
    ...FUNCTIONS.map((activation) => linearCase(activation, [17, 9, 12], { activation })),
    linearCase("no row", [0, 4, 4]),
  ],
  matmul: [
    matmulCase(false, false, [2, 33, 70, 17]),
    matmulCase(false, false, [1, 64, 64, 64]),
    matmulCase(false, true, [3, 8, 12, 16]),
    matmulCase(true, false, [2, 36, 20, 44]),
    matmulCase(true, false, [1, 13, 7, 5]),
    matmulCase(true, true, [2, 66, 65, 40]),
    matmulCase(true, true, [1, 1, 1, 1]),
  ],
  layer_norm: [
    {
      name: "with residual",
      inputs: {
        x: normal([5, 67]),
        residual: normal([5, 67]),
        weight: normal([67]),
        bias: normal([67]),
      },
      params: { eps: 1e-5 },
    },
    {
      name: "model width",
      inputs: { x: normal([9, 512], 30), weight: normal([512]), bias: normal([512]) },
      params: { eps: 1e-5 },
    },
    {
      name: "constant rows",
      inputs: { x: floats([2, 8], Array(16).fill(3)), weight: normal([8]), bias: normal([8]) },
      params: { eps: 1e-5 },
    },
  ],
  attention: [
    attentionCase([1], { heads: 1, width: 16 }),
    attentionCase([5, 0, 1, 70, 64], { heads: 2, width: 16 }),
    attentionCase([65, 130], { heads: 2, width: 64 }),
    attentionCase([33, 64], { heads: 1, width: 128 }),
    attentionCase([40, 3], { heads: 3, width: 12 }),
    attentionCase([7, 66], { heads: 1, width: 100 }),
    attentionCase([96], { heads: 2, width: 32, scale: 6 }),
    attentionCase([300], { heads: 2, width: 64, scale: 2 }),
    attentionCase([5, 0, 1, 70, 64], { heads: 2, width: 16, known: [3, 0, 0, 33, 64] }),
    attentionCase([100, 40], { heads: 2, width: 64, known: [0, 17] }),
    attentionCase([70], { heads: 1, width: 128, known: [35] }),
    attentionCase([0, 0], { heads: 2, width: 16 }),
  ],
  attention_pool: [
    poolCase([5, 0, 1, 70, 64], 2, 48),
    poolCase([33], 1, 7),
    poolCase([40, 31], 8, 512),
  ],
  binary: (["add", "sub", "mul"] as const).flatMap((fn) => [
    { name: `${fn} elements`, inputs: { a: normal([5, 7]), b: normal([5, 7]) }, params: { fn } },
    { name: `${fn} row`, inputs: { a: normal([5, 7]), b: normal([7]) }, params: { fn } },
    { name: `${fn} column`, inputs: { a: normal([300, 3]), b: normal([300, 1]) }, params: { fn } },
  ]),
  unary: [
    ...FUNCTIONS.flatMap((fn) => [
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
  ],
  concat: [
    { name: "odd", inputs: { a: normal([5, 3]), b: normal([5, 8]) }, params: {} },
    { name: "model width", inputs: { a: normal([9, 512]), b: normal([9, 512]) }, params: {} },
  ],
  swap_axes: [
    { name: "odd", inputs: { x: normal([3, 5, 7]) }, params: {} },
    { name: "one", inputs: { x: normal([1, 6, 4]) }, params: {} },
  ],
  row_dot: [
    { name: "odd", inputs: { a: normal([5, 67]), b: normal([5, 67]) }, params: {} },
    { name: "short", inputs: { a: normal([130, 3]), b: normal([130, 3]) }, params: {} },
  ],
  segment_pool: [
    segmentCase([5, 0, 1, 70, 300], "mean", false),
    segmentCase([5, 0, 1, 70, 300], "sum", true),
    segmentCase([4, 129], "mean", true),
  ],
  l2_normalize: [
    { name: "odd", inputs: { x: normal([5, 67]) }, params: { eps: 1e-12 } },
    {
      name: "zeros",
      inputs: { x: floats([2, 4], [0, 0, 0, 0, 3, 0, 4, 0]) },
      params: { eps: 1e-12 },
    },
  ],
  softmax: [
    { name: "odd", inputs: { x: normal([5, 67], 4) }, params: {} },
    {
      name: "far apart",
      inputs: { x: floats([2, 4], [-1e4, 0, 1e4, 5, 200, 100, 0, 199]) },
      params: {},
    },
    { name: "one column", inputs: { x: normal([3, 1]) }, params: {} },
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
  dropout: [
    { name: "by row", inputs: { x: normal([5, 67]) }, params: { p: 0.2, seed: 42, stream: 5 } },
    {
      name: "by key",
      inputs: { x: normal([3, 8]), row_key: words([3, 2], [9, 1, 4294967295, 7, 0, 4294967295]) },
      params: { p: 0.5, seed: 2 ** 40 + 3, stream: 4294967295 },
    },
    { name: "none", inputs: { x: normal([3, 8]) }, params: { p: 0, seed: 1, stream: 5 } },
  ],
};
