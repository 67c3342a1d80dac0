/** What the self-test runs: a layer and its gradients at the sizes of a real model, and every other op on its hidden states. */
import type { Device } from "./device.ts";
import { type Shape, sizeOf } from "./dtype.ts";
import type { Activation, OpName } from "./ops.ts";
import { STREAM } from "./random.ts";
import { run, update } from "./run.ts";
import { Tensor } from "./tensor.ts";

/** One or more results of every op. */
export type ByOp<Value> = { readonly [K in OpName]: readonly Value[] };

/** Cells of 2,048 tokens in all, two heads of 64: large enough for the large tiles of a GPU. */
const OFFSETS = [0, 200, 201, 801, 801, 1448, 2048], KNOWN = [77, 0, 300, 0, 647, 1];
const T = 2048, D = 128, CELLS = KNOWN.length;
const DROPOUT = { p: 0.2, seed: 1, stream: STREAM.dropout };
const EPS = { eps: 1e-5 };

/** Runs every op on a device, from inputs that are the same on any. */
export function everyOp(device: Device): ByOp<Tensor> {
  const draw = drawsOf(device);
  const { outputs, x, offsets } = layer(draw);
  return {
    ...outputs,
    ...products(draw, x),
    ...norms(draw, x),
    ...elements(draw, x),
    ...pools(draw, { x, offsets }),
    ...losses(draw, x),
    ...updates(draw),
  };
}

type Draws = ReturnType<typeof drawsOf>;

/** Numbers from -1/2 to 1/2, times a scale, around a middle; and given integers. */
function drawsOf(device: Device) {
  let drawn = 0;
  const floats = (shape: Shape, { scale = 1, middle = 0 } = {}) => {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) {
      data[i] = (scrambled(drawn++) / 2 ** 32 - 0.5) * scale + middle;
    }
    return Tensor.from(device, "f32", shape, data);
  };
  const integers = (shape: Shape, value: (i: number) => number) => {
    const data = Uint32Array.from({ length: sizeOf(shape) }, (_, i) => value(i));
    return Tensor.from(device, "u32", shape, data);
  };
  return { floats, integers };
}

/** MurmurHash3's last step: this runs at start-up, and Philox would take longer than the ops. */
function scrambled(i: number): number {
  let word = Math.imul(i ^ i >>> 16, 0x85ebca6b);
  word = Math.imul(word ^ word >>> 13, 0xc2b2ae35);
  return (word ^ word >>> 16) >>> 0;
}

function linear({ floats }: Draws, x: Tensor, width: number, activation: Activation): Tensor {
  const weight = floats([width, x.shape[1]!], { scale: 0.3 }), bias = floats([width]);
  return run("linear", { x, weight, bias }, { activation }).y;
}

/** Lookup, attention with a mask and dropout, norm, and the gradients of these; the hidden states [T,D] go to the other ops. */
function layer(draw: Draws) {
  const { floats, integers } = draw;
  const offsets = integers([CELLS + 1], (b) => OFFSETS[b]!);
  const known = integers([CELLS], (b) => KNOWN[b]!);
  const row_key = integers([T, 2], scrambled);
  const index = integers([T], (t) => t * 7 % 50);
  const table = floats([50, D], { scale: 4 });
  const tokens = run("gather_rows", { table, index, base: floats([T, D]) }, { paddingIdx: -1 }).y;
  const inputs = { qkv: linear(draw, tokens, 3 * D, "none"), offsets, known, row_key };
  const params = { heads: 2, dropout: DROPOUT };
  const attended = run("attention", inputs, params);
  const plain = run("attention", { qkv: inputs.qkv, offsets }, { heads: 2 });
  const context_gradient = floats([T, D]);
  const back = run("attention_grad", { ...inputs, ...attended, context_gradient }, params);
  const norm = {
    x: linear(draw, attended.context, D, "none"),
    residual: tokens,
    weight: floats([D]),
  };
  const hidden = run("layer_norm", { ...norm, bias: floats([D]) }, EPS).y;
  const normed = run("layer_norm_grad", { ...norm, y_gradient: context_gradient }, EPS);
  const rows = { rows: 60, paddingIdx: 7 };
  const outputs = {
    gather_rows: [tokens],
    attention: [attended.context, attended.lse, plain.context],
    attention_grad: [back.qkv_gradient],
    layer_norm: [hidden],
    layer_norm_grad: Object.values(normed),
    scatter_rows: [run("scatter_rows", { values: hidden, index }, rows).table],
    linear: [linear(draw, hidden, 8 * D, "gelu")],
  };
  return { outputs, x: hidden, offsets };
}

/** The three products of a linear layer: its forward pass and its gradients. */
function products({ floats }: Draws, x: Tensor) {
  const product = (a: Tensor, b: Tensor, [transposeA, transposeB]: readonly [boolean, boolean]) =>
    run("matmul", { a, b }, { transposeA, transposeB }).y;
  const rows = x.reshape([1, T, D]), weight = floats([1, 2 * D, D], { scale: 0.3 });
  const y = product(rows, weight, [false, true]);
  return { matmul: [y, product(y, weight, [false, false]), product(y, rows, [true, false])] };
}

function norms({ floats }: Draws, x: Tensor) {
  const y_gradient = floats([T, D]), row_weight = floats([T], { middle: 1 });
  const { y, mean, variance } = run("batch_norm", { x, row_weight }, EPS);
  const statistics = { x, row_weight, mean, variance, y_gradient };
  const softmax = run("softmax", { x }, {}).y;
  return {
    batch_norm: [y, mean, variance],
    batch_norm_grad: [run("batch_norm_grad", statistics, EPS).x_gradient],
    l2_normalize: [run("l2_normalize", { x }, EPS).y],
    l2_normalize_grad: [run("l2_normalize_grad", { x, y_gradient }, EPS).x_gradient],
    softmax: [softmax],
    softmax_grad: [run("softmax_grad", { y: softmax, y_gradient }, {}).x_gradient],
    column_sum: [run("column_sum", { x }, {}).y],
    row_dot: [run("row_dot", { a: x, b: y }, {}).y],
    top_k: [run("top_k", { x }, { k: 10 }).value],
  };
}

function elements({ floats }: Draws, x: Tensor) {
  const other = floats([T, D]), row = floats([D]);
  return {
    binary: [run("binary", { a: x, b: row }, { fn: "mul" }).y],
    scale_add: [run("scale_add", { x, z: other }, { alpha: 0.5, beta: -2 }).y],
    unary: [run("unary", { x }, { fn: "tanh" }).y],
    unary_grad: [run("unary_grad", { value: x, y_gradient: other }, { fn: "gelu" }).x_gradient],
    concat: [run("concat", { a: x, b: other }, {}).y],
    slice_columns: [run("slice_columns", { x }, { start: 3, end: 100 }).y],
    swap_axes: [run("swap_axes", { x: x.reshape([T / 8, 8, D]) }, {}).y],
    dropout: [run("dropout", { x }, DROPOUT).y],
  };
}

function pools({ floats }: Draws, cells: { x: Tensor; offsets: Tensor }) {
  const mean = { mode: "mean" } as const, scale = { scale: 0.1 };
  const pooled = run("segment_pool", cells, mean).y;
  const spread = { x: pooled, offsets: cells.offsets };
  const inputs = { ...cells, query: floats([2, CELLS, D]) };
  const y = run("attention_pool", inputs, scale).y, y_gradient = floats([2, CELLS, D]);
  return {
    segment_pool: [pooled],
    segment_spread: [run("segment_spread", spread, { ...mean, tokens: T }).y],
    attention_pool: [y],
    attention_pool_grad: Object.values(
      run("attention_pool_grad", { ...inputs, y, y_gradient }, scale),
    ),
  };
}

function losses({ floats, integers }: Draws, logits: Tensor) {
  const weight = floats([T], { middle: 0.5 }), loss_gradient = floats([1]);
  const classes = { logits, target: integers([T], (t) => t % D), weight };
  const pairs = { pred: floats([T], { scale: 0.9, middle: 0.5 }), target: floats([T]), weight };
  const fn = { fn: "bernoulli" } as const;
  return {
    cross_entropy: [run("cross_entropy", classes, {}).loss],
    cross_entropy_grad: [
      run("cross_entropy_grad", { ...classes, loss_gradient }, {}).logits_gradient,
    ],
    pointwise_loss: [run("pointwise_loss", pairs, fn).loss],
    pointwise_loss_grad: [
      run("pointwise_loss_grad", { ...pairs, loss_gradient }, fn).pred_gradient,
    ],
  };
}

/** One step of AdamW on a gradient that is clipped. */
function updates({ floats }: Draws) {
  const gradient = floats([T, D]), sum = floats([T, D]), squares = floats([1]);
  const weight = floats([T, D]), m = floats([T, D]), v = floats([T, D], { middle: 0.5 });
  update("accumulate", { x: gradient }, { sum }, { keep: 0.9, scale: 2 });
  update("accumulate_squares", { x: sum }, { sum: squares }, {});
  const rates = { lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8, step: 3 };
  const decay = { weightDecay: 0.1, decoupled: true, maxNorm: 1 };
  update("adam", { gradient, squares }, { weight, m, v }, { ...rates, ...decay });
  return { accumulate: [sum], accumulate_squares: [squares], adam: [weight, m, v] };
}
