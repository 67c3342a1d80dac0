/** Expression values as vectors: the value encoder, and its table over all bins. */
import { type Device, Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { type DeviceBatch, drop, indices } from "./batch.ts";
import { SITE } from "./dropout_sites.ts";
import { add, gather, layerNorm, linear, multiply, parameter, type Parameters } from "./nn.ts";

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
    const table = parameter(parameters, "value_encoder.embedding.weight");
    using picked = gather(table, indices(batch.device, rows), undefined, config.nBins);
    return layerNorm(parameters, "value_encoder.enc_norm", picked);
  }
  const capped = values.map((value) => Math.min(value, 512));
  using x = Tensor.from(batch.device, "f32", [values.length, 1], capped);
  using inner = linear(parameters, "value_encoder.linear1", x, "relu");
  using outer = linear(parameters, "value_encoder.linear2", inner);
  return layerNorm(parameters, "value_encoder.norm", outer);
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

/** genes + values, or genes * values where they scale. genes [T,D] -> [T,D] */
export function withValues(
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
  if (batch.training !== undefined) {
    return add(genes, learnedValues(parameters, config, batch, host.values));
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

/**
 * Value embeddings that learn: the encoder runs once for each bin where all values are bins, and once for each token otherwise. Tokens to
 * be generated have the flag in place of a value. -> [T,D]
 */
function learnedValues(
  parameters: Parameters,
  config: ScgptConfig,
  batch: DeviceBatch,
  values: Float32Array<ArrayBuffer>,
): Tensor {
  const { device, host: { offsets, known } } = batch;
  const unknown = unknownTokens(offsets, known);
  const bins = binnedValues(config);
  const rowOf = new Map(bins.map((value, row) => [value, row]));
  const rows = Uint32Array.from(values, (value, t) => unknown?.[t] ? 0 : rowOf.get(value) ?? NaN);
  const isBinned = values.every((value, t) => unknown?.[t] || rowOf.has(value));
  const embedded = isBinned
    ? gather(
      valueEmbedding(parameters, config, batch, Float32Array.from(bins)),
      indices(device, rows),
    )
    : valueEmbedding(parameters, config, batch, values);
  const dropped = config.inputEmbStyle === "continuous"
    ? drop(batch, embedded, SITE.value)
    : embedded;
  if (unknown === undefined) return dropped;
  const column = (columns: Float32Array<ArrayBuffer>) =>
    Tensor.from(device, "f32", [columns.length, 1], columns);
  const flag = parameter(parameters, "flag_encoder.weight");
  const flags = gather(flag, indices(device, new Uint32Array(values.length).fill(1)));
  const kept = multiply(dropped, column(unknown.map((one) => 1 - one)));
  return add(kept, multiply(flags, column(unknown)));
}

/** 1 for each token to be generated, [T]; undefined where there is none. */
function unknownTokens(
  offsets: Uint32Array,
  known: Uint32Array | undefined,
): Float32Array<ArrayBuffer> | undefined {
  if (known === undefined) return undefined;
  const unknown = new Float32Array(offsets.at(-1) ?? 0);
  known.forEach((count, cell) => unknown.fill(1, offsets[cell]! + count, offsets[cell + 1]));
  return unknown;
}
