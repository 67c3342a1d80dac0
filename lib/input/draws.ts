/**
 * Randomness of the input, keyed by what is drawn: the same seed, cell and gene give the same number in any order of cells, in
 * any shard and with any batch size.
 */
import { philox, seedKey, STREAM, uniform53 } from "../../gpu/mod.ts";

/** Two words that stand for a cell: low and high half of a 64-bit number. */
export type CellKey = readonly [low: number, high: number];

/** The draws that the tokens of one cell need. Tests put recorded numbers of the reference here. */
export interface CellDraws {
  /** u in [0, 1) for the bin of the gene in a column. */
  uniform(column: number): number;
  /** Positions in `columns` of the `count` genes that stay, in the order in which they stay. */
  choose(columns: Uint32Array, count: number): ArrayLike<number>;
}

/** Columns of a matrix as genes of the vocabulary. */
export interface GeneColumns {
  /** Vocabulary id of each column; -1: not in the vocabulary. */
  readonly ids: Int32Array;
  /** How many columns before this one have the same id, so that copies of a gene draw apart. */
  readonly occurrences: Uint8Array;
}

/** Purposes of draws at the input. */
export type InputStream = "binning" | "sampling" | "masking";

/**
 * The key of a cell: the 64-bit FNV-1a hash of its name's UTF-8 bytes. Cells of one name have one key, and so equal draws.
 *
 * @param name Name in `obs`
 * @returns Low and high word
 */
export function cellKey(name: string): CellKey {
  let low = 0x84222325, high = 0xcbf29ce4;
  for (const byte of ENCODER.encode(name)) {
    low = (low ^ byte) >>> 0;
    // Times the FNV prime 2^40 + 435, modulo 2^64.
    const product = low * 435;
    high = (Math.imul(high, 435) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return [low, high];
}

/** Uniform numbers for the genes of one cell: 53 bits of Philox at the counter [gene id, cell, stream | occurrence << 8 | step << 16]. */
export class GeneDraws {
  readonly #key: readonly [number, number];
  readonly #cell: CellKey;
  readonly #purpose: number;

  /** Makes the draws of a seed and a cell for one purpose; `step` (0 .. 65535) gives others, say in each epoch. */
  constructor(
    seed: number,
    cell: CellKey,
    purpose: { readonly stream: InputStream; readonly step: number },
  ) {
    this.#key = seedKey(seed);
    this.#cell = cell;
    this.#purpose = STREAM[purpose.stream] | (purpose.step << 16);
  }

  /**
   * The number of a gene.
   *
   * @param id Vocabulary id
   * @param occurrence How many times the gene stands before in the cell, 0 .. 255
   * @returns A number in [0, 1)
   */
  at(id: number, occurrence: number): number {
    const purpose = (this.#purpose | (occurrence << 8)) >>> 0;
    const words = philox([id, this.#cell[0], this.#cell[1], purpose], this.#key);
    return uniform53(words[0], words[1]);
  }
}

/**
 * The draws of one cell, keyed by seed, cell and gene. Sampling keeps the genes with the smallest draws, in column order.
 *
 * @param seed Integer from 0 to 2^53 - 1
 * @param cell Key of the cell
 * @param genes Genes of the columns
 * @returns The draws
 */
export function keyedDraws(seed: number, cell: CellKey, genes: GeneColumns): CellDraws {
  const { ids, occurrences } = genes;
  const bins = new GeneDraws(seed, cell, { stream: "binning", step: 0 });
  const samples = new GeneDraws(seed, cell, { stream: "sampling", step: 0 });
  return {
    uniform: (column) => bins.at(ids[column]!, occurrences[column]!),
    choose: (columns, count) => {
      const draws = new Float64Array(columns.length);
      for (let i = 0; i < draws.length; i++) {
        draws[i] = samples.at(ids[columns[i]!]!, occurrences[columns[i]!]!);
      }
      return smallest(draws, count);
    },
  };
}

/**
 * Positions of the smallest numbers, in ascending position.
 *
 * @param numbers Numbers, as good as never equal
 * @param count How many; at most their number
 * @returns `count` positions
 */
export function smallest(numbers: Float64Array, count: number): Uint32Array<ArrayBuffer> {
  const positions = new Uint32Array(count);
  if (count === 0) return positions;
  const threshold = numbers.toSorted()[count - 1]!;
  for (let i = 0, kept = 0; kept < count; i++) {
    if (numbers[i]! <= threshold) positions[kept++] = i;
  }
  return positions;
}

const ENCODER = new TextEncoder();
