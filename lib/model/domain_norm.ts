/** Batch norm at the input of the transformer, one for each domain (batch of the data) or one for all. */
import { type Device, run, Tensor, update } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { checkRows, type DeviceBatch, indices, perToken } from "./batch.ts";
import { add, concat, gather, multiply, parameter, type Parameters } from "./nn.ts";

const BATCH_NORM_EPS = 6.1e-5;
/** Share of a step's statistics in the running ones. */
const MOMENTUM = 0.1;

/** Batch norm with running statistics as tables: x * scale + shift, a row for each domain. */
export interface DomainNorm {
  /** [domains, D] */
  readonly scale: Tensor;
  /** [domains, D] */
  readonly shift: Tensor;
}

/**
 * Turns running statistics, and gains and biases where the norm has them, into tables: (x - mean)/√(var + eps) * weight + bias.
 * Undefined where the model has no batch norm.
 */
export async function buildDomainNorm(
  parameters: Parameters,
  config: ScgptConfig,
  device: Device,
): Promise<DomainNorm | undefined> {
  const { embsize: d, nBatch, domainSpecBatchnorm } = config;
  if (domainSpecBatchnorm === false) return undefined;
  const norms = domainSpecBatchnorm === "batchnorm"
    ? ["bn"]
    : Array.from({ length: nBatch }, (_, k) => `dsbn.bns.${k}`);
  const scale = new Float32Array(norms.length * d), shift = new Float32Array(norms.length * d);
  for (const [k, at] of norms.entries()) {
    const read = (name: string) => parameters.get(`${at}.${name}`)?.data();
    const mean = await read("running_mean"), variance = await read("running_var");
    const weight = await read("weight"), bias = await read("bias");
    for (let i = 0; i < d; i++) {
      const gain = (weight?.[i] ?? 1) / Math.sqrt((variance?.[i] ?? 1) + BATCH_NORM_EPS);
      scale[k * d + i] = gain;
      shift[k * d + i] = (bias?.[i] ?? 0) - (mean?.[i] ?? 0) * gain;
    }
  }
  const table = (values: Float32Array<ArrayBuffer>) =>
    Tensor.from(device, "f32", [norms.length, d], values);
  return { scale: table(scale), shift: table(shift) };
}

/** Normalises each token by its cell's domain (`DomainSpecificBatchNorm1d`), or all by the one norm there is. */
export function domainNorm({ scale, shift }: DomainNorm, batch: DeviceBatch, x: Tensor): Tensor {
  const [domains = 1, d = 0] = scale.shape;
  const { host: { batchLabels, offsets }, device } = batch;
  if (batchLabels === undefined) {
    if (domains === 1) return add(multiply(x, scale.reshape([d])), shift.reshape([d]));
    throw new RangeError("Cannot normalise by domain as the batch has no batchLabels");
  }
  const labels = domains === 1 ? batchLabels.map(() => 0) : batchLabels;
  checkRows("the domain norms", scale, labels);
  const domain = indices(device, perToken(labels, offsets));
  return gather(shift, domain, multiply(x, gather(scale, domain)));
}

/**
 * Batch norm in training: normalises by the statistics of this batch and moves the running ones. All cells must be of one domain where
 * each has its own norm. Reference: `DomainSpecificBatchNorm1d`, whose statistics count pads as well ("padded"). x [T,D] -> [T,D]
 *
 * @param input `x` and `pad`, which makes the input of a pad token, [1,D]
 * @throws {RangeError} When cells of several domains are in the batch
 */
export function trainingNorm(
  parameters: Parameters,
  config: ScgptConfig,
  batch: DeviceBatch,
  { x, pad }: { readonly x: Tensor; readonly pad: () => Tensor },
): Tensor {
  if (config.domainSpecBatchnorm === false) return x;
  const at = config.domainSpecBatchnorm === "batchnorm" ? "bn" : `dsbn.bns.${oneDomain(batch)}`;
  const [tokens = 0, d = 0] = x.shape;
  const pads = batch.training?.batchNorm === "padded" ? padCount(batch.host.offsets) : 0;
  const rows = pads === 0
    ? { x }
    : { x: withRow(x, pad()), row_weight: weights(batch.device, tokens, pads) };
  const { y, mean, variance } = run("batch_norm", rows, { eps: BATCH_NORM_EPS });
  const n = tokens + pads;
  const move = (name: string, x: Tensor, scale: number) => {
    const sum = parameter(parameters, `${at}.${name}`);
    update("accumulate", { x }, { sum }, { keep: 1 - MOMENTUM, scale });
  };
  move("running_mean", mean, MOMENTUM);
  move("running_var", variance, MOMENTUM * n / Math.max(n - 1, 1));
  const normal = pads === 0 ? y : y.rows(0, tokens);
  const weight = parameters.get(`${at}.weight`), bias = parameters.get(`${at}.bias`);
  if (weight === undefined || bias === undefined) return normal;
  return add(multiply(normal, weight.reshape([d])), bias.reshape([d]));
}

function oneDomain({ host: { batchLabels } }: DeviceBatch): number {
  const [first = 0] = batchLabels ?? [];
  const other = batchLabels?.find((label) => label !== first);
  if (batchLabels === undefined || other !== undefined) {
    throw new RangeError(
      "Cannot train with a norm for each domain as all cells of a batch must be of one: got " +
        (batchLabels === undefined ? "no batchLabels" : `domains ${first} and ${other}`),
    );
  }
  return first;
}

/** Pads that these cells would have side by side in a padded batch. */
function padCount(offsets: Uint32Array): number {
  const lengths = Array.from(offsets.subarray(1), (end, cell) => end - offsets[cell]!);
  return lengths.reduce((most, length) => Math.max(most, length), 0) * lengths.length -
    (offsets.at(-1) ?? 0);
}

/** x with one more row. */
function withRow(x: Tensor, row: Tensor): Tensor {
  const [tokens = 0, d = 0] = x.shape;
  return concat(x.reshape([1, tokens * d]), row.reshape([1, d])).reshape([tokens + 1, d]);
}

function weights(device: Device, tokens: number, pads: number): Tensor {
  const values = new Float32Array(tokens + 1).fill(1);
  values[tokens] = pads;
  return Tensor.from(device, "f32", [tokens + 1], values);
}
