/** What a cell shows of itself and what is asked of the model: nothing, masked values, or genes to be generated. */
import { philox, seedKey, STREAM } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { type CellKey, GeneDraws, smallest } from "../input/draws.ts";
import { keyedMaskChoice, maskValues } from "../input/masking.ts";
import type { PackedBatch } from "../input/packed_batch.ts";
import type { TrainingCells } from "./cells.ts";
import type { TrainingBatch } from "./objective.ts";

/**
 * "whole": values as they are, nothing asked (annotation); "mask": the share `ratio` of the values is hidden and asked (fine-tuning with GEP;
 * as in the reference `<cls>` is a candidate unless `keepFirst` is 1); "generative": the share of genes, drawn from `ratios` for each cell,
 * has no value and sees only the known genes and itself (pretraining).
 */
export type Prompt =
  | { readonly kind: "whole" }
  | { readonly kind: "mask"; readonly ratio: number; readonly keepFirst?: number }
  | { readonly kind: "generative"; readonly ratios: readonly number[] };

/** Draws of a prompt. */
export interface PromptDraw {
  /** Seed. */
  readonly seed: number;
  /** Changes the draws: the epoch, 0 .. 65535. */
  readonly step: number;
}

/**
 * Makes the batch that a step learns from. A cell's part depends on its tokens, its key, seed and step alone.
 *
 * @param cells All cells
 * @param rows Which of them
 * @param prompt What is asked
 * @param draw Seed and step, with the model's special values
 */
export function promptBatch(
  cells: TrainingCells,
  rows: Uint32Array,
  prompt: Prompt,
  draw: PromptDraw & Pick<ScgptConfig, "maskValue" | "padValue">,
): TrainingBatch {
  const packed = cells.tokens(rows, draw.step);
  const cellKeys = Array.from(rows, (row) => cells.keys[row]!);
  const pick = (labels: Uint32Array | undefined) =>
    labels && Uint32Array.from(rows, (row) => labels[row]!);
  const classes = pick(cells.classes), batchLabels = pick(cells.batchLabels);
  return {
    cellKeys,
    ...(classes && { classes }),
    ...(batchLabels && { batchLabels }),
    ...asked(packed, cellKeys, prompt, draw),
  };
}

function asked(
  packed: PackedBatch,
  cellKeys: readonly CellKey[],
  prompt: Prompt,
  draw: PromptDraw & Pick<ScgptConfig, "maskValue" | "padValue">,
): Pick<TrainingBatch, "ids" | "values" | "offsets" | "known" | "targets" | "asked"> {
  const { ids, values, offsets } = packed;
  if (prompt.kind === "whole") return { ids, values, offsets };
  if (prompt.kind === "generative") return generative(packed, cellKeys, prompt.ratios, draw);
  const { maskValue, padValue } = draw;
  const settings = {
    maskRatio: prompt.ratio,
    maskValue,
    padValue,
    keepFirst: prompt.keepFirst ?? 0,
  };
  const masked = maskValues(packed, settings, keyedMaskChoice(packed, cellKeys, draw));
  return { ids, values: masked, offsets, targets: values, asked: hidden(masked, values) };
}

/** 1 where a value was masked. */
function hidden(masked: Float32Array, values: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(masked, (value, t) => value === values[t] ? 0 : 1);
}

/** Known tokens first, then those to be generated; `<cls>` is known. */
function generative(
  { ids, values, offsets }: PackedBatch,
  cellKeys: readonly CellKey[],
  ratios: readonly number[],
  { seed, step }: PromptDraw,
): Pick<TrainingBatch, "ids" | "values" | "offsets" | "known" | "targets" | "asked"> {
  const order = new Uint32Array(ids.length);
  const known = new Uint32Array(cellKeys.length);
  const asked = new Float32Array(ids.length);
  for (const [cell, key] of cellKeys.entries()) {
    const start = offsets[cell]!, end = offsets[cell + 1]!;
    const ratio = ratios[choice(seed, step, key, ratios.length)]!;
    const count = Math.floor((end - start - 1) * ratio);
    const chosen = unknownGenes(ids.subarray(start + 1, end), key, { seed, step, count });
    let at = start, later = end - count;
    known[cell] = end - count - start;
    order[at++] = start;
    for (let t = start + 1; t < end; t++) {
      if (!chosen[t - start - 1]) order[at++] = t;
      else {
        asked[later] = 1;
        order[later++] = t;
      }
    }
  }
  const targets = Float32Array.from(order, (t) => values[t]!);
  return {
    ids: Uint32Array.from(order, (t) => ids[t]!),
    values: targets.map((value, t) => asked[t] ? 0 : value),
    offsets,
    known,
    targets,
    asked,
  };
}

function choice(seed: number, step: number, [low, high]: CellKey, n: number): number {
  const purpose = (STREAM.masking | 0x100 | (step << 16)) >>> 0;
  return philox([0, low, high, purpose], seedKey(seed))[0] % n;
}

/**
 * Draws the genes of a cell that are to be generated: those with the smallest draws.
 *
 * @param ids Genes of the cell
 * @param key Its key
 * @param draw Seed and step, and how many
 * @returns 1 for each gene that was drawn, 0 for the others
 */
export function unknownGenes(
  ids: Uint32Array,
  key: CellKey,
  { seed, step, count }: PromptDraw & { readonly count: number },
): Uint8Array<ArrayBuffer> {
  const stream = new GeneDraws(seed, key, { stream: "masking", step });
  const chosen = new Uint8Array(ids.length);
  for (const place of smallest(Float64Array.from(ids, (id) => stream.at(id, 0)), count)) {
    chosen[place] = 1;
  }
  return chosen;
}

/**
 * Checks a prompt.
 *
 * @throws {RangeError} For an unknown kind or a share out of range
 */
export function checkPrompt(prompt: Prompt): void {
  const fail = (rule: string, got: unknown) => {
    throw new RangeError(`Cannot prompt the model as ${rule}: got ${got}`);
  };
  const share = (value: number) => value > 0 && value < 1;
  if (prompt.kind === "whole") return;
  if (prompt.kind === "mask") {
    if (!share(prompt.ratio)) fail("the ratio must be in (0, 1)", prompt.ratio);
  } else if (prompt.kind === "generative") {
    if (prompt.ratios.length === 0) fail("there must be a ratio", "none");
    const bad = prompt.ratios.find((ratio) => !share(ratio));
    if (bad !== undefined) fail("ratios must be in (0, 1)", bad);
  } else fail("kind must be whole, mask or generative", (prompt as { kind: unknown }).kind);
}
