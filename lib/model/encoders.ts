/** What goes into the transformer: gene, value and condition embeddings of every token, summed. */
import { type Device, run, Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { type DeviceBatch, indices, perToken } from "./batch.ts";
import { add, gather, layerNorm, linear, multiply, parameter, type Parameters } from "./nn.ts";

const BATCH_NORM_EPS = 6.1e-5;

/**
 * An embedding that is added to the sum because of what is known about a token or a cell: conditions are a list of these, not
 * copies of the model.
 */
export interface Condition {
  /** Table of the state dict, [rows, D]. */
  readonly table: string;
  /** Layer norm behind the table, if any. */
  readonly norm?: string;
  /** Row of the table for each token, u32 [T]. */
  readonly index: (batch: DeviceBatch) => Uint32Array<ArrayBuffer>;
}

/** LN(E[id]): the gene embedding of every token. [T] -> [T,D] (`GeneEncoder`) */
export function geneEmbedding(parameters: Parameters, batch: DeviceBatch): Tensor {
  using rows = gather(parameter(parameters, "encoder.embedding.weight"), batch.ids);
  return layerNorm(parameters, "encoder.enc_norm", rows);
}

/**
 * Embeddings of values: LN(W2 relu(W1 min(x, 512) + b1) + b2) (`ContinuousValueEncoder`), or a row of a table
 * (`CategoryValueEncoder`). values [N] -> [N,D]
 */
export function valueEmbedding(
  parameters: Parameters,
  config: ScgptConfig,
  batch: Pick<DeviceBatch, "device">,
  values: Float32Array<ArrayBuffer>,
): Tensor {
  if (config.inputEmbStyle === "category") {
    const rows = Uint32Array.from(values, (value) => categoryRow(config, value));
    using picked = gather(
      parameter(parameters, "value_encoder.embedding.weight"),
      indices(batch.device, rows),
    );
    return layerNorm(parameters, "value_encoder.enc_norm", picked);
  }
  const capped = values.map((value) => Math.min(value, 512));
  using x = Tensor.from(batch.device, "f32", [values.length, 1], capped);
  using inner = linear(parameters, "value_encoder.linear1", x, "relu");
  using outer = linear(parameters, "value_encoder.linear2", inner);
  return layerNorm(parameters, "value_encoder.norm", outer);
}

/** Values that a binned token can have, lowest first: pad, mask, bins 0 .. nBins-1. */
export function binnedValues({ padValue, maskValue, nBins }: ScgptConfig): number[] {
  const special = [padValue, maskValue].filter((value) => value < 0).sort((a, b) => a - b);
  return [...new Set([...special, ...Array.from({ length: nBins }, (_, bin) => bin)])];
}

/** One row for each value that a binned token can have and, last, the flag of a token to be generated. */
export interface ValueTable {
  /** Embeddings, [values (+ 1), D]. */
  readonly table: Tensor;
  /** Row of each value. */
  readonly rowOf: ReadonlyMap<number, number>;
  /** Row of the flag, if the model has one. */
  readonly flagRow: number | undefined;
}

/** Computes the value table once, with the kernels that would compute each token: the numbers are the same bits. */
export async function buildValueTable(
  parameters: Parameters,
  config: ScgptConfig,
  device: Device,
): Promise<ValueTable | undefined> {
  if (config.inputEmbStyle === "scaling") return undefined;
  const values = binnedValues(config);
  using embedded = valueEmbedding(parameters, config, { device }, new Float32Array(values));
  const rows = [await embedded.data()];
  const flags = parameters.get("flag_encoder.weight");
  if (flags !== undefined) rows.push(await flags.rows(1, 2).data());
  const total = rows.reduce((size, part) => size + part.length, 0);
  const joined = new Float32Array(total);
  rows.reduce((at, part) => (joined.set(part, at), at + part.length), 0);
  return {
    table: Tensor.from(device, "f32", [total / config.embsize, config.embsize], joined),
    rowOf: new Map(values.map((value, row) => [value, row])),
    flagRow: flags === undefined ? undefined : values.length,
  };
}

/**
 * Everything the transformer sees: gene + value + conditions, then the norm of the cell's domain, if the model has one.
 * genes [T,D] -> [T,D]
 */
export function inputEmbedding(
  parameters: Parameters,
  config: ScgptConfig,
  batch: DeviceBatch,
  { genes, values, conditions, norm }: {
    readonly genes: Tensor;
    readonly values: ValueTable | undefined;
    readonly conditions: readonly Condition[];
    readonly norm: DomainNorm | undefined;
  },
): Tensor {
  let sum = withValues(parameters, config, batch, { genes, values });
  for (const condition of conditions) {
    sum = addCondition(parameters, batch, condition, sum);
  }
  return norm === undefined ? sum : domainNorm(norm, batch, sum);
}

/** The embedding of one condition for each row of `index`. [N] -> [N,D] */
export function conditionEmbedding(
  parameters: Parameters,
  batch: Pick<DeviceBatch, "device">,
  condition: Pick<Condition, "table" | "norm">,
  index: Uint32Array<ArrayBuffer>,
): Tensor {
  const table = parameter(parameters, condition.table);
  checkRows(condition.table, table, index);
  const picked = gather(table, indices(batch.device, index));
  return condition.norm === undefined ? picked : layerNorm(parameters, condition.norm, picked);
}

/** Refuses rows that a table does not have; a device would read whatever lies there. */
function checkRows(name: string, table: Tensor, index: Uint32Array): void {
  const rows = table.shape[0] ?? 0;
  const bad = index.findIndex((row) => row >= rows);
  if (bad < 0) return;
  throw new RangeError(
    `Cannot take rows of ${name} as they are 0 .. ${rows - 1}: got ${index[bad]} at ${bad}`,
  );
}

function addCondition(
  parameters: Parameters,
  batch: DeviceBatch,
  condition: Condition,
  base: Tensor,
): Tensor {
  const index = condition.index(batch);
  if (condition.norm === undefined) {
    const table = parameter(parameters, condition.table);
    checkRows(condition.table, table, index);
    return gather(table, indices(batch.device, index), base);
  }
  return add(base, conditionEmbedding(parameters, batch, condition, index));
}

function withValues(
  parameters: Parameters,
  config: ScgptConfig,
  batch: DeviceBatch,
  { genes, values }: { readonly genes: Tensor; readonly values: ValueTable | undefined },
): Tensor {
  const { host, device } = batch;
  if (host.values === undefined) return genes;
  if (config.inputEmbStyle === "scaling") {
    return multiply(genes, Tensor.from(device, "f32", [host.values.length, 1], host.values));
  }
  const rows = values === undefined ? undefined : tableRows(values, batch, host.values);
  if (values !== undefined && rows !== undefined) {
    return gather(values.table, indices(device, rows), genes);
  }
  if (host.known !== undefined) {
    throw new RangeError(
      "Cannot generate from values that are no bins: the model's values must be integers",
    );
  }
  return add(genes, valueEmbedding(parameters, config, batch, host.values));
}

/** Rows of the value table for all tokens, or undefined when some value is no bin. */
function tableRows(
  { rowOf, flagRow }: ValueTable,
  batch: DeviceBatch,
  values: Float32Array<ArrayBuffer>,
): Uint32Array<ArrayBuffer> | undefined {
  const { offsets, known } = batch.host;
  const rows = new Uint32Array(values.length);
  for (let cell = 0; cell + 1 < offsets.length; cell++) {
    const start = offsets[cell]!, end = offsets[cell + 1]!;
    const seen = known === undefined ? end : start + known[cell]!;
    for (let t = start; t < seen; t++) {
      const row = rowOf.get(values[t]!);
      if (row === undefined) return undefined;
      rows[t] = row;
    }
    if (known !== undefined) rows.fill(requireFlagRow(flagRow), seen, end);
  }
  return rows;
}

function requireFlagRow(flagRow: number | undefined): number {
  if (flagRow !== undefined) return flagRow;
  throw new RangeError("Cannot generate as the model has no flag_encoder.weight");
}

/** The reference's category encoder: bins first, then the pad bin, then the mask bin. */
function categoryRow({ nBins, padValue, maskValue }: ScgptConfig, value: number): number {
  if (value === padValue) return nBins;
  if (value === maskValue) return nBins + 1;
  if (Number.isInteger(value) && value >= 0 && value < nBins) return value;
  throw new RangeError(
    `Cannot embed a value by category as bins are 0 .. ${nBins - 1}: got ${value}`,
  );
}

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
function domainNorm({ scale, shift }: DomainNorm, batch: DeviceBatch, x: Tensor): Tensor {
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

/** Replaces the input of each cell's first token by a given cell embedding (cell prompt). x [T,D] -> [T,D] */
export function withCellPrompt(batch: DeviceBatch, x: Tensor): Tensor {
  const { host: { cellPrompt, offsets }, device } = batch;
  if (cellPrompt === undefined) return x;
  const cells = offsets.length - 1, tokens = offsets.at(-1) ?? 0;
  const keep = new Float32Array(tokens).fill(1);
  const rows = new Uint32Array(tokens).fill(cells); // row `cells` of the table is zero
  for (let cell = 0; cell < cells; cell++) {
    keep[offsets[cell]!] = 0;
    rows[offsets[cell]!] = cell;
  }
  const d = cellPrompt.length / cells;
  const table = new Float32Array((cells + 1) * d);
  table.set(cellPrompt);
  const kept =
    run("binary", { a: x, b: Tensor.from(device, "f32", [tokens, 1], keep) }, { fn: "mul" }).y;
  return gather(Tensor.from(device, "f32", [cells + 1, d], table), indices(device, rows), kept);
}
