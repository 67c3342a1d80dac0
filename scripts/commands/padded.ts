/** Between padded batches [B,L], as the reference has them, and packed ones. */
import type { TokenBatch } from "../../mod.ts";

/** Numbers of a tensor. */
export interface PaddedTensor {
  /** Axes. */
  readonly shape: readonly number[];
  /** Elements, row-major. */
  readonly values: readonly number[];
}

/** A padded batch; `mask` is 1 at pads. */
export interface PaddedBatch {
  /** Gene ids, [B,L]. */
  readonly src: PaddedTensor;
  /** Values, [B,L]. */
  readonly values: PaddedTensor;
  /** 1 at pads, [B,L]. */
  readonly mask?: PaddedTensor | undefined;
  /** Known tokens of each cell, [B]. */
  readonly known?: PaddedTensor | undefined;
  /** [B] */
  readonly batchLabels?: PaddedTensor | undefined;
  /** [B,L] */
  readonly modTypes?: PaddedTensor | undefined;
  /** [B,L] */
  readonly pertFlags?: PaddedTensor | undefined;
  /** Cell prompts, [B,D]. */
  readonly cellPrompt?: PaddedTensor | undefined;
}

/**
 * Leaves the pads out; `positions` says where each token was.
 *
 * @throws {RangeError} When a tensor has another shape than `src` and its meaning ask for
 */
export function packTokens(
  padded: PaddedBatch,
): { batch: TokenBatch; positions: Uint32Array<ArrayBuffer>; shape: readonly [number, number] } {
  checkShapes(padded);
  const [cells = 0, length = 0] = padded.src.shape;
  const kept: number[] = [];
  const offsets = new Uint32Array(cells + 1);
  for (let position = 0; position < cells * length; position++) {
    if (padded.mask?.values[position]) continue;
    kept.push(position);
    offsets[Math.floor(position / length) + 1]!++;
  }
  for (let cell = 0; cell < cells; cell++) offsets[cell + 1]! += offsets[cell]!;
  const tokens = (tensor: PaddedTensor) =>
    Uint32Array.from(kept, (position) => tensor.values[position]!);
  const { known, batchLabels, modTypes, pertFlags, cellPrompt } = padded;
  return {
    batch: {
      ids: tokens(padded.src),
      values: Float32Array.from(kept, (position) => padded.values.values[position]!),
      offsets,
      ...known && { known: Uint32Array.from(known.values) },
      ...batchLabels && { batchLabels: Uint32Array.from(batchLabels.values) },
      ...modTypes && { modTypes: tokens(modTypes) },
      ...pertFlags && { pertFlags: tokens(pertFlags) },
      ...cellPrompt && { cellPrompt: Float32Array.from(cellPrompt.values) },
    },
    positions: Uint32Array.from(kept),
    shape: [cells, length],
  };
}

function checkShapes({ src, values, mask, modTypes, pertFlags, ...others }: PaddedBatch): void {
  const { known, batchLabels, cellPrompt } = others;
  const fail = (name: string, rule: string, got: readonly number[]): never => {
    throw new RangeError(`Cannot run the batch as ${name} must be ${rule}: got [${got}]`);
  };
  if (src.shape.length !== 2) fail("src", "[cells, length]", src.shape);
  for (const [name, tensor] of Object.entries({ values, mask, modTypes, pertFlags })) {
    if (tensor && String(tensor.shape) !== String(src.shape)) {
      fail(name, `[${src.shape}] as src`, tensor.shape);
    }
  }
  const [cells = 0] = src.shape;
  for (const [name, tensor] of Object.entries({ known, batchLabels })) {
    if (tensor && String(tensor.shape) !== String(cells)) fail(name, `[${cells}]`, tensor.shape);
  }
  if (cellPrompt && cellPrompt.shape[0] !== cells) {
    fail("cellPrompt", `[${cells}, embsize]`, cellPrompt.shape);
  }
}

/** Puts values of tokens back to where they were; pads are 0. values [T,width] -> [B,L,width] */
export function spreadTokens(
  values: Float32Array,
  { positions, shape: [cells, length], width }: {
    readonly positions: Uint32Array;
    readonly shape: readonly [number, number];
    readonly width: number;
  },
): Float32Array<ArrayBuffer> {
  const spread = new Float32Array(cells * length * width);
  positions.forEach((position, token) =>
    spread.set(values.subarray(token * width, (token + 1) * width), position * width)
  );
  return spread;
}
