/** A packed batch of tokens: as a caller has it, and on a device. */
import { type Device, philox, run, seedKey, STREAM, Tensor } from "../../gpu/mod.ts";
import type { CellKey } from "../input/draws.ts";

/**
 * Cells side by side without pads: cell b owns tokens `offsets[b] .. offsets[b + 1]`, its first token is `<cls>`
 * (in the perturbation model: its first gene).
 */
export interface TokenBatch {
  /** Gene ids, [T]. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /**
   * Values, [T]: bins 0 .. nBins-1, the mask value, or log1p counts in the perturbation model. Absent: genes alone, as the
   * reference's `generate` without values.
   */
  readonly values?: Float32Array<ArrayBuffer>;
  /** First token of each cell and the end, [B+1]. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** The first `known[b]` tokens of a cell have values; later ones are to be generated. [B] */
  readonly known?: Uint32Array<ArrayBuffer>;
  /** Batch (domain) of each cell, [B]. */
  readonly batchLabels?: Uint32Array<ArrayBuffer>;
  /** Modality of each token, [T]. */
  readonly modTypes?: Uint32Array<ArrayBuffer>;
  /** Perturbation flag of each token, [T]: 0 untouched, 1 perturbed. */
  readonly pertFlags?: Uint32Array<ArrayBuffer>;
  /** Cell embeddings to put in place of the first token's input, row-major [B,D], or on the device (cell prompt). */
  readonly cellPrompt?: Float32Array<ArrayBuffer> | Tensor;
}

/** What a forward pass in training adds to one in evaluation. */
export interface TrainingPass {
  /** Dropout probability. */
  readonly dropout: number;
  /** Seed of the dropout, an integer from 0 to 2⁵³-1. */
  readonly seed: number;
  /** Changes all draws: the step of the optimiser, 0 .. 2³²-1. */
  readonly step: number;
  /** Changes all draws of a second pass through the same cells, as contrastive cell embedding needs it. */
  readonly repeat?: number;
  /** Key of each cell, so that its draws follow it into any batch. [B] */
  readonly cellKeys: readonly CellKey[];
  /** Rows that batch norm takes its statistics from: real tokens (default), or also the pads that a padded batch would have. */
  readonly batchNorm?: "tokens" | "padded";
  /** Whether layers are computed again in the backward pass instead of kept: memory for time. */
  readonly checkpoint?: boolean;
}

/** Dropout of a training pass. */
export interface DropoutDraws {
  /** Probability of dropping. */
  readonly p: number;
  /** Seed. */
  readonly seed: number;
  /** Key of each token's draws, u32 [T,2]. */
  readonly tokenKeys: Tensor;
  /** Those of the first token of each cell, u32 [B,2]. */
  readonly firstKeys: Tensor;
}

/** A batch on a device with what several parts of the model need of it. */
export interface DeviceBatch {
  /** The host's side. */
  readonly host: TokenBatch;
  /** Device. */
  readonly device: Device;
  /** Gene ids, u32 [T]. */
  readonly ids: Tensor;
  /** u32 [B+1]. */
  readonly offsets: Tensor;
  /** First token of each cell, u32 [B]. */
  readonly first: Tensor;
  /** Cell of each token, u32 [T]. */
  readonly cellOf: Tensor;
  /** u32 [B]. */
  readonly known: Tensor | undefined;
  /** Id of the pad token, whose embedding does not learn; -1: none. */
  readonly padId: number;
  /** Set in training. */
  readonly training: TrainingPass | undefined;
  /** Set in training with dropout. */
  readonly dropout: DropoutDraws | undefined;
}

/**
 * Checks a batch against itself and the model's sizes and copies it to the device; free the tensors with a scope.
 *
 * @throws {RangeError} When lengths do not fit together, or an id, label or modality is outside its table
 */
export function uploadBatch(
  device: Device,
  batch: TokenBatch,
  limits: BatchLimits,
  training?: TrainingPass,
): DeviceBatch {
  checkBatch(batch, limits);
  const { ids, offsets, known } = batch;
  const cells = offsets.length - 1;
  return {
    host: batch,
    device,
    ids: indices(device, ids),
    offsets: indices(device, offsets),
    first: indices(device, offsets.slice(0, cells)),
    cellOf: indices(device, cellOfToken(offsets)),
    known: known === undefined ? undefined : indices(device, known),
    padId: limits.padId,
    training,
    dropout: training === undefined ? undefined : dropoutDraws(device, offsets, training),
  };
}

/** What a batch must fit to. */
export interface BatchLimits {
  /** Rows of the gene table. */
  readonly nTokens: number;
  /** Width of the model. */
  readonly embsize: number;
  /** Id of the pad token; -1: none. */
  readonly padId: number;
}

/** One key for each token: Philox of its place in the cell and the cell's key, under a key made of seed and step. */
function dropoutDraws(
  device: Device,
  offsets: Uint32Array,
  { dropout: p, seed, step, repeat = 0, cellKeys }: TrainingPass,
): DropoutDraws | undefined {
  const cells = offsets.length - 1;
  if (cellKeys.length !== cells) {
    throw new RangeError(
      `Cannot train on this batch as it needs a key for each of its ${cells} cells: got ${cellKeys.length}`,
    );
  }
  if (p === 0) return undefined;
  const [k0, k1] = philox([step, repeat, 0, STREAM.dropout], seedKey(seed));
  const keys = new Uint32Array(2 * (offsets[cells] ?? 0));
  for (let cell = 0; cell < cells; cell++) {
    const [low, high] = cellKeys[cell]!;
    for (let t = offsets[cell]!, place = 0; t < offsets[cell + 1]!; t++, place++) {
      const words = philox([place, low, high, STREAM.dropout], [k0, k1]);
      keys[2 * t] = words[0];
      keys[2 * t + 1] = words[1];
    }
  }
  const first = new Uint32Array(2 * cells);
  for (let cell = 0; cell < cells; cell++) {
    first.set(keys.subarray(2 * offsets[cell]!, 2 * offsets[cell]! + 2), 2 * cell);
  }
  const table = (words: Uint32Array<ArrayBuffer>) =>
    Tensor.from(device, "u32", [words.length / 2, 2], words);
  return { p, seed, tokenKeys: table(keys), firstKeys: table(first) };
}

/**
 * x with dropout in training, x itself otherwise; `site` tells the places of the model apart. Rows are all tokens, or the first of each
 * cell, which draw alike in both. x [T,D] or [B,D] -> the same
 */
export function drop(
  { dropout }: DeviceBatch,
  x: Tensor,
  site: number,
  rows: "tokens" | "first" = "tokens",
): Tensor {
  if (dropout === undefined) return x;
  const { p, seed, tokenKeys, firstKeys } = dropout;
  const row_key = rows === "tokens" ? tokenKeys : firstKeys;
  return run("dropout", { x, row_key }, { p, seed, stream: site }).y;
}

/** A u32 vector on a device. */
export function indices(device: Device, values: Uint32Array<ArrayBuffer>): Tensor {
  return Tensor.from(device, "u32", [values.length], values);
}

/** Values of a batch for a part of the model that cannot do without. */
export function requireValues({ values }: TokenBatch, part: string): Float32Array<ArrayBuffer> {
  if (values !== undefined) return values;
  throw new RangeError(`Cannot run the ${part} as it needs the values of the batch: none given`);
}

/** Repeats a value of each cell for its tokens. values [B] -> [T] */
export function perToken(
  values: Uint32Array,
  offsets: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const tokens = new Uint32Array(offsets.at(-1) ?? 0);
  values.forEach((value, cell) => tokens.fill(value, offsets[cell], offsets[cell + 1]));
  return tokens;
}

function cellOfToken(offsets: Uint32Array): Uint32Array<ArrayBuffer> {
  return perToken(Uint32Array.from({ length: offsets.length - 1 }, (_, cell) => cell), offsets);
}

function checkBatch(
  batch: TokenBatch,
  { nTokens, embsize }: BatchLimits,
): void {
  const { ids, values, offsets, known, batchLabels, modTypes, pertFlags, cellPrompt } = batch;
  const cells = offsets.length - 1;
  const tokens = offsets.at(-1) ?? 0;
  const fail = (rule: string, got: number | string): never => {
    throw new RangeError(`Cannot run the model on this batch as ${rule}: got ${got}`);
  };
  if (cells < 0 || offsets[0] !== 0) fail("offsets must begin with 0", `[${offsets.slice(0, 3)}]`);
  for (let cell = 0; cell < cells; cell++) {
    const length = offsets[cell + 1]! - offsets[cell]!;
    if (!(length >= 1)) fail(`every cell must have a token (cell ${cell})`, length);
    const seen = known?.[cell] ?? length;
    if (seen < 1 || seen > length) fail(`known must be 1 .. ${length} in cell ${cell}`, seen);
  }
  const lengths = [
    ["ids", ids.length, tokens],
    ["values", values?.length ?? tokens, tokens],
    ["known", known?.length ?? cells, cells],
    ["batchLabels", batchLabels?.length ?? cells, cells],
    ["modTypes", modTypes?.length ?? tokens, tokens],
    ["pertFlags", pertFlags?.length ?? tokens, tokens],
    ["cellPrompt", promptSize(cellPrompt) ?? cells * embsize, cells * embsize],
  ] as const;
  for (const [name, got, wanted] of lengths) {
    if (got !== wanted) fail(`${name} must have ${wanted} elements`, got);
  }
  const bad = ids.findIndex((id) => id >= nTokens);
  if (bad >= 0) fail(`ids must be below ${nTokens} (token ${bad})`, ids[bad]!);
}

function promptSize(prompt: Float32Array | Tensor | undefined): number | undefined {
  return prompt instanceof Tensor ? prompt.size : prompt?.length;
}

/** Refuses rows that a table does not have; a device would read whatever lies there. */
export function checkRows(name: string, table: Tensor, index: Uint32Array): void {
  const rows = table.shape[0] ?? 0;
  const bad = index.findIndex((row) => row >= rows);
  if (bad < 0) return;
  throw new RangeError(
    `Cannot take rows of ${name} as they are 0 .. ${rows - 1}: got ${index[bad]} at ${bad}`,
  );
}
