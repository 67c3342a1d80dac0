/** The post-norm transformer encoder over packed cells. */
import { type AttentionParams, checkpoint, run, Tensor } from "../../gpu/mod.ts";
import { type DeviceBatch, drop } from "./batch.ts";
import { SITE } from "./dropout_sites.ts";
import { add, gather, layerNorm, linear, multiply, parameter, type Parameters } from "./nn.ts";

/** Sizes the encoder needs. */
export interface EncoderSizes {
  /** Layers. */
  readonly nlayers: number;
  /** Heads H. */
  readonly nheads: number;
}

/** What the encoder keeps out of attention's output projection in generative batches: 1 for known tokens, 0 for others. */
interface KnownColumns {
  /** [T,1]: 1 where known. */
  readonly known: Tensor;
  /** [T,1]: 1 where to be generated. */
  readonly unknown: Tensor;
}

/**
 * All layers for all tokens: x = norm1(x + attention(x)); x = norm2(x + linear2(relu(linear1(x)))).
 * In a generative batch the context of a token to be generated skips the output projection, as in the reference's pretraining.
 * Reference: `TransformerModel._encode`; branch dev-temp `flash_layers.py`. x [T,D] -> [T,D]
 */
export function encode(
  parameters: Parameters,
  sizes: EncoderSizes,
  x: Tensor,
  batch: DeviceBatch,
): Tensor {
  const columns = knownColumns(batch);
  const kept = tensorsOf(batch, columns);
  let hidden = x;
  for (let i = 0; i < sizes.nlayers; i++) {
    const input = hidden;
    const layer = () => encoderLayer({ parameters, sizes, batch, columns }, i, input);
    const next = batch.training?.checkpoint ? checkpoint([input, ...kept], layer) : layer();
    if (hidden !== x) hidden[Symbol.dispose]();
    hidden = next;
  }
  return hidden;
}

/**
 * The encoder where only the first token of each cell is wanted: the last layer is computed for that token alone, and its keys and
 * values are never made. With q the query of a head, q·(W x + b) = (Wᵀ q)·x + const, and Σ p (W x + b) = W (Σ p x) + b, so one
 * softmax-weighted mean of the rows of x for each head is all that touches every token.
 * Equal to row 0 of {@linkcode encode} up to rounding. x [T,D] -> [B,D]
 */
export function encodeFirstTokens(
  parameters: Parameters,
  sizes: EncoderSizes,
  x: Tensor,
  batch: DeviceBatch,
): Tensor {
  if (batch.training !== undefined) return learnFirstTokens(parameters, sizes, x, batch);
  const last = sizes.nlayers - 1;
  const hidden = encode(parameters, { ...sizes, nlayers: last }, x, batch);
  const at = `transformer_encoder.layers.${last}`;
  const first = gather(hidden, batch.first); // [B,D]
  const context = firstTokenContext(parameters, `${at}.self_attn`, sizes.nheads, {
    first,
    hidden,
    batch,
  });
  if (hidden !== x) hidden[Symbol.dispose]();
  const attended = linear(parameters, `${at}.self_attn.out_proj`, context);
  return feedForward(parameters, last, first, { attended, batch, rows: "first" });
}

/** In training, where attention drops out: the last layer's attention for all tokens, the rest of it for the first token of each cell. */
function learnFirstTokens(
  parameters: Parameters,
  sizes: EncoderSizes,
  x: Tensor,
  batch: DeviceBatch,
): Tensor {
  const last = sizes.nlayers - 1;
  const at = `transformer_encoder.layers.${last}.self_attn`;
  const hidden = encode(parameters, { ...sizes, nlayers: last }, x, batch);
  using qkv = projection(parameters, at, hidden);
  const params = attentionParams(sizes.nheads, batch, last);
  const { context, lse } = run("attention", attentionInputs(qkv, batch), params);
  lse[Symbol.dispose]();
  using own = gather(context, batch.first);
  context[Symbol.dispose]();
  using projected = linear(parameters, `${at}.out_proj`, own);
  using attended = drop(batch, projected, SITE.attended(last), "first");
  using first = gather(hidden, batch.first);
  if (hidden !== x) hidden[Symbol.dispose]();
  return feedForward(parameters, last, first, { attended, batch, rows: "first" });
}

/** What all layers share. */
interface Encoder {
  readonly parameters: Parameters;
  readonly sizes: EncoderSizes;
  readonly batch: DeviceBatch;
  readonly columns: KnownColumns | undefined;
}

function encoderLayer(encoder: Encoder, index: number, x: Tensor): Tensor {
  const { parameters, sizes, batch, columns } = encoder;
  const at = `transformer_encoder.layers.${index}`;
  using qkv = projection(parameters, `${at}.self_attn`, x);
  const { context, lse } = run(
    "attention",
    attentionInputs(qkv, batch),
    attentionParams(sizes.nheads, batch, index),
  );
  lse[Symbol.dispose]();
  using projected = columns === undefined
    ? linear(parameters, `${at}.self_attn.out_proj`, context)
    : projectKnown(parameters, `${at}.self_attn.out_proj`, context, columns);
  context[Symbol.dispose]();
  using attended = drop(batch, projected, SITE.attended(index));
  return feedForward(parameters, index, x, { attended, batch, rows: "tokens" });
}

function attentionInputs(qkv: Tensor, { offsets, known, dropout }: DeviceBatch) {
  return {
    qkv,
    offsets,
    ...(known !== undefined && { known }),
    ...(dropout !== undefined && { row_key: dropout.tokenKeys }),
  };
}

function attentionParams(heads: number, { dropout }: DeviceBatch, layer: number): AttentionParams {
  if (dropout === undefined) return { heads };
  const { p, seed } = dropout;
  return { heads, dropout: { p, seed, stream: SITE.attention(layer) } };
}

/** norm2(h + linear2(relu(linear1(h)))) with h = norm1(x + attended). */
function feedForward(
  parameters: Parameters,
  index: number,
  x: Tensor,
  { attended, batch, rows }: {
    readonly attended: Tensor;
    readonly batch: DeviceBatch;
    readonly rows: "tokens" | "first";
  },
): Tensor {
  const at = `transformer_encoder.layers.${index}`;
  using h = layerNorm(parameters, `${at}.norm1`, x, attended);
  using wide = linear(parameters, `${at}.linear1`, h, "relu");
  using inner = drop(batch, wide, SITE.inner(index), rows);
  using narrow = linear(parameters, `${at}.linear2`, inner);
  using outer = drop(batch, narrow, SITE.outer(index), rows);
  return layerNorm(parameters, `${at}.norm2`, h, outer);
}

/** [q | k | v] of every token. */
function projection(parameters: Parameters, at: string, x: Tensor): Tensor {
  const weight = parameter(parameters, `${at}.in_proj_weight`);
  const bias = parameter(parameters, `${at}.in_proj_bias`);
  return run("linear", { x, weight, bias }, { activation: "none" }).y;
}

/** Attention context of the first token of each cell, before the output projection. -> [B,D] */
function firstTokenContext(
  parameters: Parameters,
  at: string,
  heads: number,
  { first, hidden, batch }: { first: Tensor; hidden: Tensor; batch: DeviceBatch },
): Tensor {
  const [cells = 0, d = 0] = first.shape;
  const width = d / heads;
  const weight = parameter(parameters, `${at}.in_proj_weight`); // [3D,D]: rows of q, k, v
  const bias = parameter(parameters, `${at}.in_proj_bias`);
  const part = (i: number) => weight.rows(i * d, (i + 1) * d);
  const q =
    run("linear", { x: first, weight: part(0), bias: bias.rows(0, d) }, { activation: "none" }).y;
  const perHead = run("swap_axes", { x: q.reshape([cells, heads, width]) }, {}).y; // [H,B,W]
  const keys = part(1).reshape([heads, width, d]);
  const query = run("matmul", { a: perHead, b: keys }, { transposeA: false, transposeB: false }).y; // [H,B,D]
  const inputs = { query, x: hidden, offsets: batch.offsets };
  const mean = run("attention_pool", inputs, { scale: 1 / Math.sqrt(width) }).y; // [H,B,D]
  const values = part(2).reshape([heads, width, d]);
  const out = run("matmul", { a: mean, b: values }, { transposeA: false, transposeB: true }).y; // [H,B,W]
  const joined = run("swap_axes", { x: out }, {}).y.reshape([cells, d]);
  return add(joined, bias.rows(2 * d, 3 * d));
}

function projectKnown(
  parameters: Parameters,
  at: string,
  context: Tensor,
  { known, unknown }: KnownColumns,
): Tensor {
  using projected = linear(parameters, at, context);
  using kept = multiply(projected, known);
  using direct = multiply(context, unknown);
  return add(kept, direct);
}

function knownColumns({ host: { offsets, known }, device }: DeviceBatch): KnownColumns | undefined {
  if (known === undefined) return undefined;
  const tokens = offsets.at(-1) ?? 0;
  const ones = new Float32Array(tokens);
  known.forEach((count, cell) => ones.fill(1, offsets[cell], offsets[cell]! + count));
  const column = (values: Float32Array<ArrayBuffer>) =>
    Tensor.from(device, "f32", [tokens, 1], values);
  return { known: column(ones), unknown: column(ones.map((one) => 1 - one)) };
}

/** What a layer reads of the batch besides its input: it must live until the backward pass has run the layer again. */
function tensorsOf({ offsets, known, dropout }: DeviceBatch, columns?: KnownColumns): Tensor[] {
  return [offsets, known, dropout?.tokenKeys, columns?.known, columns?.unknown].filter((tensor) =>
    tensor !== undefined
  );
}
