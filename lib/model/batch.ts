/** A packed batch of tokens: as a caller has it, and on a device. */
import { type Device, Tensor } from "../../gpu/mod.ts";

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
  /** Cell embeddings to put in place of the first token's input, row-major [B,D] (cell prompt). */
  readonly cellPrompt?: Float32Array<ArrayBuffer>;
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
}

/**
 * Checks a batch against itself and the model's sizes and copies it to the device; free the tensors with a scope.
 *
 * @throws {RangeError} When lengths do not fit together, or an id, label or modality is outside its table
 */
export function uploadBatch(
  device: Device,
  batch: TokenBatch,
  limits: { readonly nTokens: number; readonly embsize: number },
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
  };
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
  { nTokens, embsize }: { readonly nTokens: number; readonly embsize: number },
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
    ["cellPrompt", cellPrompt?.length ?? cells * embsize, cells * embsize],
  ] as const;
  for (const [name, got, wanted] of lengths) {
    if (got !== wanted) fail(`${name} must have ${wanted} elements`, got);
  }
  const bad = ids.findIndex((id) => id >= nTokens);
  if (bad >= 0) fail(`ids must be below ${nTokens} (token ${bad})`, ids[bad]!);
}
