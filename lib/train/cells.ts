/** Cells to learn from, held as tokens in a few bytes each. */
import type { AnnData } from "../../data/mod.ts";
import { fnv1a } from "../fnv.ts";
import { type CellKey, cellKey, GeneDraws, smallest } from "../input/draws.ts";
import { loadBatches, type LoadOptions } from "../input/loader.ts";
import type { PackedBatch } from "../input/packed_batch.ts";

/** Cells as tokens, with what is known about each of them. */
export interface TrainingCells {
  /** Number of cells. */
  readonly nCells: number;
  /** Key of each cell for its draws. */
  readonly keys: readonly CellKey[];
  /** Class of each cell. */
  readonly classes?: Uint32Array<ArrayBuffer>;
  /** Batch (domain) of each cell. */
  readonly batchLabels?: Uint32Array<ArrayBuffer>;
  /** A hash of all genes and values, by which a run that is taken up knows its data again. */
  readonly digest?: number;
  /** Tokens of some cells, `<cls>` first; `step` changes which genes of a long cell are taken. */
  tokens(cells: Uint32Array, step: number): PackedBatch;
}

/** How {@linkcode tokenizeCells} reads. */
export interface TokenizeCellsOptions extends Omit<LoadOptions, "batchTokens" | "seed"> {
  /** Seed of tied bins and sampled genes; 0 by default. */
  readonly seed?: number;
  /** Class of each cell of the AnnData. */
  readonly classes?: Uint32Array<ArrayBuffer>;
  /** Batch of each cell of the AnnData. */
  readonly batchLabels?: Uint32Array<ArrayBuffer>;
}

/** Tokens of a stretch of cells while they are read. */
const READ_TOKENS = 1 << 18;

/**
 * Reads all cells of an AnnData as tokens: 3 bytes for each expressed gene (6 where values are not binned, or the vocabulary has more than
 * 65,536 words). Long cells are kept whole, and their genes drawn anew in each epoch.
 *
 * @param adata Cells
 * @param options As for {@linkcode loadBatches}; labels by cell
 * @throws {RangeError} When labels are not one for each cell, or as `loadBatches` throws
 */
export async function tokenizeCells(
  adata: AnnData,
  options: TokenizeCellsOptions,
): Promise<TrainingCells> {
  const { classes, batchLabels, ...load } = options;
  for (const [name, labels] of Object.entries({ classes, batchLabels })) {
    if (labels !== undefined && labels.length !== adata.nObs) {
      throw new RangeError(
        `Cannot read cells as ${name} must have a label for each of ${adata.nObs} cells: got ${labels.length}`,
      );
    }
  }
  const { config, vocab, maxLength = config.maxSeqLen, seed = 0 } = load;
  const store = new TokenStore({
    maxLength,
    seed,
    wide: vocab.size > 65_536,
    binned: load.binning !== "none",
  });
  const whole = { ...load, seed, batchTokens: READ_TOKENS, maxLength: Number.MAX_SAFE_INTEGER };
  for await (const batch of loadBatches(adata, whole)) store.add(batch);
  store.keys = adata.obsNames.map(cellKey);
  return Object.assign(store, { ...(classes && { classes }), ...(batchLabels && { batchLabels }) });
}

/** Several sets of cells one after another. */
export function joinCells(parts: readonly TrainingCells[]): TrainingCells {
  const starts = [0];
  for (const { nCells } of parts) starts.push(starts.at(-1)! + nCells);
  const labels = (name: "classes" | "batchLabels") =>
    parts.every((part) => part[name] !== undefined)
      ? { [name]: Uint32Array.from(parts.flatMap((part) => [...part[name]!])) }
      : {};
  return {
    nCells: starts.at(-1)!,
    keys: parts.flatMap(({ keys }) => keys),
    ...labels("classes"),
    ...labels("batchLabels"),
    ...parts.every(({ digest }) => digest !== undefined) &&
      { digest: fnv1a(parts.map(({ digest }) => digest!)) },
    tokens(cells, step) {
      const single = Array.from(cells, (cell) => {
        const part = starts.findLastIndex((start) => start <= cell);
        return parts[part]!.tokens(Uint32Array.of(cell - starts[part]!), step);
      });
      return joinBatches(single, cells);
    },
  };
}

interface StoreSettings {
  readonly maxLength: number;
  readonly seed: number;
  readonly wide: boolean;
  readonly binned: boolean;
}

class TokenStore implements TrainingCells {
  keys: readonly CellKey[] = [];
  readonly #settings: StoreSettings;
  readonly #ids: (Uint16Array | Uint32Array)[] = [];
  readonly #values: (Int8Array | Float32Array)[] = [];
  #digest = fnv1a([]);

  constructor(settings: StoreSettings) {
    this.#settings = settings;
  }

  get nCells(): number {
    return this.#ids.length;
  }

  get digest(): number {
    return this.#digest;
  }

  add({ ids, values, offsets }: PackedBatch): void {
    const { wide, binned } = this.#settings;
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    this.#digest = fnv1a(offsets, fnv1a(bits, fnv1a(ids, this.#digest)));
    for (let cell = 0; cell + 1 < offsets.length; cell++) {
      const [start, end] = [offsets[cell]!, offsets[cell + 1]!];
      const own = ids.subarray(start, end), numbers = values.subarray(start, end);
      this.#ids.push(wide ? own.slice() : Uint16Array.from(own));
      this.#values.push(binned ? Int8Array.from(numbers) : numbers.slice());
    }
  }

  tokens(cells: Uint32Array, step: number): PackedBatch {
    const parts = Array.from(cells, (cell) => this.#cell(cell, step));
    return joinBatches(parts, cells);
  }

  #cell(cell: number, step: number): PackedBatch {
    const { maxLength, seed } = this.#settings;
    const ids = this.#ids[cell]!, values = this.#values[cell]!;
    const kept = ids.length <= maxLength
      ? undefined
      : sampled(ids, this.keys[cell]!, { seed, step, count: maxLength - 1 });
    const length = kept?.length ?? ids.length;
    return {
      ids: Uint32Array.from({ length }, (_, i) => ids[kept?.[i] ?? i]!),
      values: Float32Array.from({ length }, (_, i) => values[kept?.[i] ?? i]!),
      offsets: Uint32Array.of(0, length),
      cells: Uint32Array.of(cell),
    };
  }
}

/** Places of `<cls>` and of the genes with the smallest draws. */
function sampled(
  ids: Uint16Array | Uint32Array,
  key: CellKey,
  { seed, step, count }: { seed: number; step: number; count: number },
): number[] {
  const stream = new GeneDraws(seed, key, { stream: "sampling", step });
  const draws = Float64Array.from(ids.subarray(1), (id) => stream.at(id, 0));
  return [0, ...Array.from(smallest(draws, count), (place) => place + 1)];
}

function joinBatches(parts: readonly PackedBatch[], cells: Uint32Array): PackedBatch {
  const offsets = new Uint32Array(parts.length + 1);
  parts.forEach(({ ids }, i) => offsets[i + 1] = offsets[i]! + ids.length);
  const ids = new Uint32Array(offsets.at(-1)!), values = new Float32Array(offsets.at(-1)!);
  parts.forEach((part, i) => {
    ids.set(part.ids, offsets[i]);
    values.set(part.values, offsets[i]);
  });
  return { ids, values, offsets, cells: Uint32Array.from(cells) };
}
