/** What a cell shows of itself and what is asked of it, when a model generates. */
import type { AnnData } from "../data/mod.ts";
import {
  binRow,
  type CellKey,
  cellKey,
  type CellPrompt,
  type GeneColumns,
  keyedDraws,
  loadBatches,
  MIDDLE,
  type ScGPT,
  unknownGenes,
} from "../lib/mod.ts";
import type { CellInput } from "./trained.ts";

/** Which genes are asked for: the same of every cell, or a share of those that a cell has, whose values are then hidden. */
export type Asked =
  | { readonly known: ReadonlySet<number>; readonly genes: Uint32Array<ArrayBuffer> }
  | { readonly holdOut: number };

/** How cells become prompts. */
export interface PromptSettings {
  /** Model that generates. */
  readonly model: ScGPT;
  /** How its cells become tokens. */
  readonly input: CellInput;
  /** Genes of the matrix's columns, each gene once. */
  readonly mapping: GeneColumns;
  /** What is asked. */
  readonly asked: Asked;
  /** "X", "raw", or a layer. */
  readonly layer: string;
  /** Seed of hidden genes, tied bins and sampled genes. */
  readonly seed: number;
  /** Stops the reading. */
  readonly signal: AbortSignal | undefined;
}

/** A cell to be generated. */
export interface PromptedCell {
  /** Its row in the AnnData. */
  readonly row: number;
  /** What it shows and what is asked. */
  readonly prompt: CellPrompt;
  /** Bins of the genes asked for among all of the cell's genes, where they are known and were hidden. */
  readonly truth?: Float32Array<ArrayBuffer>;
}

/**
 * Reads cells as prompts, in their order. The bins of what is known come from the known values alone: nothing of a hidden value is seen.
 */
export async function* promptedCells(
  adata: AnnData,
  settings: PromptSettings,
): AsyncGenerator<PromptedCell, void, undefined> {
  const { model: { vocab, config }, input, mapping, layer, seed, signal } = settings;
  const whole = { binning: "none", maxLength: Number.MAX_SAFE_INTEGER, batchTokens: 1 } as const;
  const { clsValue, includeZeroGenes } = input;
  const reading = { vocab, config, mapping, layer, seed, clsValue, includeZeroGenes, ...whole };
  const batches = loadBatches(adata, { ...reading, ...signal && { signal } });
  for await (const { ids, values, cells: [row] } of batches) {
    const key = cellKey(adata.obsNames[row!]!);
    yield {
      row: row!,
      ...promptOf({ ids: ids.subarray(1), values: values.subarray(1), key }, settings),
    };
  }
}

interface Cell {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
  readonly key: CellKey;
}

function promptOf(
  { ids, values, key }: Cell,
  { model: { config: { nBins } }, input, asked, seed }: PromptSettings,
): Omit<PromptedCell, "row"> {
  const occurrences = new Uint8Array(ids.length);
  const draws = keyedDraws(seed, key, { ids: Int32Array.from(ids), occurrences });
  const binsOf = (places: Uint32Array) => {
    const chosen = Float32Array.from(places, (at) => values[at]!);
    if (input.binning === "deterministic") return binRow(chosen, nBins, () => MIDDLE);
    return binRow(chosen, nBins, (i) => draws.uniform(places[i]!));
  };
  const places = Uint32Array.from(ids.keys());
  const hidden = "holdOut" in asked
    ? unknownGenes(ids, key, { seed, step: 0, count: Math.floor(ids.length * asked.holdOut) })
    : Uint8Array.from(ids, (id) => asked.known.has(id) ? 0 : 1);
  const known = places.filter((at) => hidden[at] === 0), bins = binsOf(known);
  const room = input.maxLength - 1;
  const shown = known.length > room
    ? Uint32Array.from(draws.choose(known, room))
    : Uint32Array.from(known.keys());
  const prompt = {
    knownIds: shown.map((i) => ids[known[i]!]!),
    knownValues: Float32Array.from(shown, (i) => bins[i]!),
    key,
  };
  if (!("holdOut" in asked)) return { prompt: { ...prompt, genes: asked.genes } };
  const unknown = places.filter((at) => hidden[at] === 1), all = binsOf(places);
  return {
    prompt: { ...prompt, genes: unknown.map((at) => ids[at]!) },
    truth: Float32Array.from(unknown, (at) => all[at]!),
  };
}

/** Cells side by side whose tokens, known and asked, are as many as one batch may have; a longer cell is alone. */
export async function* inBatches(
  cells: AsyncIterable<PromptedCell>,
  batchTokens: number,
): AsyncGenerator<PromptedCell[], void, undefined> {
  let batch: PromptedCell[] = [], tokens = 0;
  for await (const cell of cells) {
    const { knownIds, genes } = cell.prompt;
    const own = 1 + knownIds.length + genes.length;
    if (batch.length > 0 && tokens + own > batchTokens) {
      yield batch;
      [batch, tokens] = [[], 0];
    }
    batch.push(cell);
    tokens += own;
  }
  if (batch.length > 0) yield batch;
}
