/** What is read from the transformer's output: cell embeddings, expression, classes, batches. */
import { detach, run, Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { type DeviceBatch, requireValues } from "./batch.ts";
import { conditionEmbedding } from "./encoders.ts";
import {
  activate,
  add,
  concat,
  gather,
  layerNorm,
  linear,
  multiply,
  parameter,
  type Parameters,
} from "./nn.ts";

/** What the decoders are told besides the hidden states: batch and modality embeddings, [T,D] or [B,D]. */
export interface DecoderConditions {
  /** For each token. */
  readonly perToken: Tensor | undefined;
  /** For each cell (with the modality of its first token). */
  readonly perCell: Tensor | undefined;
}

const BATCH = { table: "batch_encoder.embedding.weight", norm: "batch_encoder.enc_norm" };
const MODALITY = { table: "mod_encoder.embedding.weight", norm: "mod_encoder.enc_norm" };

/**
 * One vector for each cell from its tokens: the first token ("cls"), the mean, or the L2-normalised sum weighted by the values.
 * Only real tokens count; the reference's plain path also averages what its transformer leaves at pads. hidden [T,D] -> [B,D]
 */
export function cellEmbedding(config: ScgptConfig, batch: DeviceBatch, hidden: Tensor): Tensor {
  const { offsets, device } = batch;
  if (config.cellEmbStyle === "cls") return gather(hidden, batch.first);
  if (config.cellEmbStyle === "avg-pool") {
    return run("segment_pool", { x: hidden, offsets }, { mode: "mean" }).y;
  }
  const values = requireValues(batch.host, "weighted pooling");
  const weight = Tensor.from(device, "f32", [values.length], values);
  const sum = run("segment_pool", { x: hidden, offsets, weight }, { mode: "sum" }).y;
  return run("l2_normalize", { x: sum }, { eps: 1e-12 }).y;
}

/** Batch and modality embeddings as the decoders take them; absent where the model has neither. */
export function decoderConditions(
  parameters: Parameters,
  config: ScgptConfig,
  batch: DeviceBatch,
): DecoderConditions {
  const { host: { offsets, batchLabels, modTypes } } = batch;
  const tokens: Tensor[] = [], cells: Tensor[] = [];
  if (config.useBatchLabels) {
    const labels = required(batchLabels, "batchLabels");
    const embedded = conditionEmbedding(parameters, batch, BATCH, labels);
    cells.push(embedded);
    tokens.push(gather(embedded, batch.cellOf));
  }
  if (config.nMod > 0) {
    const types = required(modTypes, "modTypes");
    const first = offsets.slice(0, -1).map((start) => types[start]!);
    cells.push(conditionEmbedding(parameters, batch, MODALITY, first));
    tokens.push(conditionEmbedding(parameters, batch, MODALITY, types));
  }
  const sum = (parts: Tensor[]) => parts.length === 0 ? undefined : parts.reduce(add);
  return { perToken: sum(tokens), perCell: sum(cells) };
}

/**
 * Expression of each token: linear, leaky relu, linear, leaky relu, linear (`ExprDecoder`). [T,D or 2D] -> [T,1]
 */
export function expression(parameters: Parameters, at: string, x: Tensor): Tensor {
  const inner = linear(parameters, `${at}.0`, x, "leaky_relu");
  const outer = linear(parameters, `${at}.2`, inner, "leaky_relu");
  return linear(parameters, `${at}.4`, outer);
}

/** Expression after a perturbation: a(x) · value + b(x) (`AffineExprDecoder`). [T,D] -> [T,1] */
export function affineExpression(parameters: Parameters, batch: DeviceBatch, x: Tensor): Tensor {
  const values = requireValues(batch.host, "perturbation decoder");
  const coefficient = expression(parameters, "decoder.coeff_decoder.fc", x);
  const bias = expression(parameters, "decoder.bias_decoder.fc", x);
  return add(
    multiply(coefficient, Tensor.from(batch.device, "f32", [values.length, 1], values)),
    bias,
  );
}

/** Expression that each token's gene should have given the cell embedding alone (`MVCDecoder`, GEPC in the paper). */
export interface CellExpression {
  /** [T] */
  readonly pred: Tensor;
  /** Probability of a value other than zero, [T,1]; only with explicitZeroProb. */
  readonly zeroProbs: Tensor | undefined;
}

/**
 * Inner product of gene queries and the cell: q = sigmoid(gene2query(g)), pred = (W q)·c, here q·(Wᵀ c) so that W meets each cell
 * once. genes [T,D], cell [B,D]
 */
export function cellExpression(
  parameters: Parameters,
  config: ScgptConfig,
  batch: DeviceBatch,
  { genes, cell, conditions }: { genes: Tensor; cell: Tensor; conditions: DecoderConditions },
): CellExpression {
  const style = config.mvcDecoderStyle;
  const free = style === "inner product, detach" ? detach(genes) : genes;
  const seen = config.nMod > 0 && conditions.perToken !== undefined
    ? concat(free, conditions.perToken)
    : free;
  const query = linear(parameters, "mvc_decoder.gene2query", seen, "sigmoid");
  const whole = conditions.perCell === undefined ? cell : concat(cell, conditions.perCell);
  if (style === "concat query" || style === "sum query") {
    const spread = gather(whole, batch.cellOf);
    const joined = style === "concat query" ? concat(spread, query) : add(spread, query);
    return { pred: perceptron(parameters, joined), zeroProbs: undefined };
  }
  const pred = inner(query, project(parameters, "mvc_decoder.W", whole), batch);
  if (!config.explicitZeroProb) return { pred, zeroProbs: undefined };
  const at = "mvc_decoder.W_zero_logit";
  const bias = parameter(parameters, `${at}.bias`);
  const offset =
    run("linear", { x: whole, weight: bias.reshape([1, bias.size]) }, { activation: "none" }).y; // [B,1]
  const product = inner(query, project(parameters, at, whole), batch);
  const logits = add(product.reshape([product.size, 1]), gather(offset, batch.cellOf));
  return { pred, zeroProbs: activate(logits, "sigmoid") };
}

/** fc2(prelu(fc1(x))). [T,D] -> [T] */
function perceptron(parameters: Parameters, x: Tensor): Tensor {
  const inner = linear(parameters, "mvc_decoder.fc1", x);
  const slope = parameter(parameters, "mvc_decoder.hidden_activation.weight"); // [1]
  const above = activate(inner, "relu");
  const below = run("scale_add", { x: inner, z: above }, { alpha: 1, beta: -1 }).y;
  const bent = multiply(below.reshape([below.size, 1]), slope).reshape(below.shape);
  const y = linear(parameters, "mvc_decoder.fc2", add(above, bent));
  return y.reshape([y.size]);
}

/**
 * Classes of each cell, or batches of it (`ClsDecoder`, `AdversarialDiscriminator`): blocks of linear, activation, norm, then
 * linear. cell [B,D] -> logits [B,classes]
 */
export function classify(
  parameters: Parameters,
  at: string,
  cell: Tensor,
  activation: "relu" | "leaky_relu",
): Tensor {
  let x = cell;
  for (let block = 0; parameters.has(`${at}._decoder.${3 * block}.weight`); block++) {
    x = linear(parameters, `${at}._decoder.${3 * block}`, x, activation);
    x = layerNorm(parameters, `${at}._decoder.${3 * block + 2}`, x);
  }
  return linear(parameters, `${at}.out_layer`, x);
}

/** Wᵀ c for each cell: c [B,Din], W [Din,Dq] -> [B,Dq] */
function project(parameters: Parameters, at: string, cell: Tensor): Tensor {
  const weight = parameter(parameters, `${at}.weight`);
  const [cells = 0, inner = 0] = cell.shape;
  const [, outer = 0] = weight.shape;
  const a = cell.reshape([1, cells, inner]), b = weight.reshape([1, inner, outer]);
  return run("matmul", { a, b }, { transposeA: false, transposeB: false }).y.reshape([
    cells,
    outer,
  ]);
}

/** query[t]·cell[cellOf[t]]. [T,D], [B,D] -> [T] */
function inner(query: Tensor, cell: Tensor, batch: DeviceBatch): Tensor {
  return run("row_dot", { a: query, b: gather(cell, batch.cellOf) }, {}).y;
}

function required(
  labels: Uint32Array<ArrayBuffer> | undefined,
  name: string,
): Uint32Array<ArrayBuffer> {
  if (labels !== undefined) return labels;
  throw new RangeError(
    `Cannot run this model's decoders as it needs ${name} for the batch: none given`,
  );
}
