/** Makes the tokens of a cell: which genes, in which order, with which values. */
import { type BinningMode, binRow, MIDDLE } from "./binning.ts";
import type { CellDraws, GeneColumns } from "./draws.ts";

/** Non-zero values of one row of a matrix; columns ascend. */
export interface SparseRow {
  /** Columns. */
  readonly indices: Uint32Array;
  /** Values; an explicit zero counts as zero. */
  readonly data: Float32Array | Float64Array;
}

/** Tokens of one cell. */
export interface CellTokens {
  /** Vocabulary ids. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Value of each. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** How cells become tokens. */
export interface TokenizerSettings {
  /** Genes of the columns. */
  readonly genes: GeneColumns;
  /** The token put first, or undefined for none. The reference gives `<cls>` the value 0 in fine-tuning and -2 in embedding. */
  readonly cls: { readonly id: number; readonly value: number } | undefined;
  /** Most tokens of a cell, `<cls>` included; of more genes, as many as fit are drawn. */
  readonly maxLength: number;
  /** Bins with the zero bin. */
  readonly nBins: number;
  /** How values become bins. */
  readonly binning: BinningMode;
  /** Whether genes with value zero are tokens too. */
  readonly includeZeroGenes: boolean;
}

/**
 * Makes tokens of cells with settings that stay. Order of the work as in the reference's `DataCollator`: all expressed genes of
 * the vocabulary are binned, then genes are sampled. A cell without any has `<cls>` alone.
 * Reference: `tokenize_batch`, `pad_batch` in scgpt/tokenizer/gene_tokenizer.py, `DataCollator` in scgpt/data_collator.py.
 */
export class Tokenizer {
  readonly #settings: TokenizerSettings;
  readonly #columns: Uint32Array<ArrayBuffer>; // scratch: columns of the cell's genes
  readonly #values: Float32Array<ArrayBuffer>; // scratch: their values

  /** Makes the tokenizer; memory is one row. */
  constructor(settings: TokenizerSettings) {
    this.#settings = settings;
    this.#columns = new Uint32Array(settings.genes.ids.length);
    this.#values = new Float32Array(settings.genes.ids.length);
  }

  /**
   * Makes the tokens of one cell.
   *
   * @param row Its non-zero values
   * @param draws Its randomness
   * @returns Tokens in column order after `<cls>` (sampled ones in the order of the draws)
   */
  tokenize(row: SparseRow, draws: CellDraws): CellTokens {
    const { cls, maxLength, genes } = this.#settings;
    const count = this.#select(row);
    const columns = this.#columns.subarray(0, count);
    const values = this.#bin(this.#values.subarray(0, count), columns, draws);
    const first = cls === undefined ? 0 : 1;
    const room = maxLength - first;
    const kept = count > room ? draws.choose(columns, room) : undefined;
    const length = first + Math.min(count, room);
    const ids = new Uint32Array(length), out = new Float32Array(length);
    if (cls !== undefined) [ids[0], out[0]] = [cls.id, cls.value];
    for (let i = 0; i + first < length; i++) {
      const at = kept === undefined ? i : kept[i]!;
      ids[first + i] = genes.ids[columns[at]!]!;
      out[first + i] = values[at]!;
    }
    return { ids, values: out };
  }

  /** Puts the cell's genes into the scratch arrays and returns their number. */
  #select({ indices, data }: SparseRow): number {
    const { genes: { ids }, includeZeroGenes } = this.#settings;
    const columns = this.#columns, values = this.#values;
    let count = 0;
    if (!includeZeroGenes) {
      for (let i = 0; i < indices.length; i++) {
        const column = indices[i]!, value = data[i]!;
        if (value === 0 || ids[column]! < 0) continue;
        columns[count] = column;
        values[count++] = value;
      }
      return count;
    }
    for (let column = 0, i = 0; column < ids.length; column++) {
      const value = indices[i] === column ? data[i++]! : 0;
      if (ids[column]! < 0) continue;
      columns[count] = column;
      values[count++] = value;
    }
    return count;
  }

  #bin(
    values: Float32Array<ArrayBuffer>,
    columns: Uint32Array,
    draws: CellDraws,
  ): Float32Array<ArrayBuffer> {
    const { binning, nBins } = this.#settings;
    if (binning === "none") return values;
    if (binning === "deterministic") return binRow(values, nBins, () => MIDDLE);
    return binRow(values, nBins, (position) => draws.uniform(columns[position]!));
  }
}
