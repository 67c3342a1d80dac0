/** Hides the values of some genes of each cell, for the model to predict. */
import { type CellKey, GeneDraws, smallest } from "./draws.ts";
import type { PackedBatch } from "./packed_batch.ts";

/** Chooses `count` of the candidates (token positions inside cell `cell`) to be masked. */
export type MaskChoice = (
  cell: number,
  candidates: Uint32Array,
  count: number,
) => ArrayLike<number>;

/** What is masked. */
export interface MaskSettings {
  /** Part of a cell's candidates that is masked, rounded down; in [0, 1]. */
  readonly maskRatio: number;
  /** Value of a masked token. */
  readonly maskValue: number;
  /** Tokens with this value are no candidates. */
  readonly padValue: number;
  /** First tokens of each cell that are never masked. The reference has 0: `<cls>` with value 0 is a candidate like any gene. */
  readonly keepFirst: number;
}

/**
 * Masks values of a batch.
 * Reference: `random_mask_value` in scgpt/tokenizer/gene_tokenizer.py, equal given its choices.
 *
 * @param batch Values and offsets
 * @param settings What is masked
 * @param choose Which candidates: {@linkcode keyedMaskChoice}, or recorded choices
 * @returns A copy of the values with `maskValue` at the chosen tokens. [T]
 */
export function maskValues(
  { values, offsets }: Pick<PackedBatch, "values" | "offsets">,
  settings: MaskSettings,
  choose: MaskChoice,
): Float32Array<ArrayBuffer> {
  const { maskRatio, maskValue, padValue, keepFirst } = settings;
  if (!(maskRatio >= 0 && maskRatio <= 1)) {
    throw new RangeError(`Cannot mask as maskRatio must be in [0, 1]: got ${maskRatio}`);
  }
  const masked = values.slice();
  for (let cell = 0; cell + 1 < offsets.length; cell++) {
    const start = offsets[cell]!, end = offsets[cell + 1]!;
    const candidates = new Uint32Array(Math.max(0, end - start - keepFirst));
    let n = 0;
    for (let at = start + keepFirst; at < end; at++) {
      if (values[at] !== padValue) candidates[n++] = at - start;
    }
    const chosen = choose(cell, candidates.subarray(0, n), Math.floor(n * maskRatio));
    for (let i = 0; i < chosen.length; i++) masked[start + chosen[i]!] = maskValue;
  }
  return masked;
}

/**
 * Choices keyed by seed, cell, gene and step: the candidates with the smallest draws. A cell's mask in a step (an epoch) is the
 * same in any batch.
 *
 * @param batch Ids and offsets
 * @param cellKeys Key of each cell of the batch. [B]
 * @param draw Seed, and a step from 0 to 65535 that changes the mask
 * @returns The choice for {@linkcode maskValues}
 */
export function keyedMaskChoice(
  { ids, offsets }: Pick<PackedBatch, "ids" | "offsets">,
  cellKeys: readonly CellKey[],
  draw: { readonly seed: number; readonly step: number },
): MaskChoice {
  const { seed, step } = draw;
  if (!Number.isInteger(step) || step < 0 || step > 0xffff) {
    throw new RangeError(`Cannot mask as the step must be an integer from 0 to 65535: got ${step}`);
  }
  return (cell, candidates, count) => {
    const start = offsets[cell]!;
    const seen = new Map<number, number>(); // copies of a gene draw apart
    const stream = new GeneDraws(seed, cellKeys[cell]!, { stream: "masking", step });
    const draws = Float64Array.from(candidates, (position) => {
      const id = ids[start + position]!;
      const occurrence = seen.get(id) ?? 0;
      seen.set(id, occurrence + 1);
      return stream.at(id, occurrence);
    });
    return smallest(draws, count).map((position) => candidates[position]!);
  };
}
