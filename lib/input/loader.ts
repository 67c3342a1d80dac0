/** Streams the cells of an AnnData as packed batches of tokens. */
import type { AnnData, CsrRows } from "../../data/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { refuseUnknownKeys } from "../options.ts";
import { BINNING_MODES, type BinningMode } from "./binning.ts";
import { checkValues, type MatrixNames } from "./counts.ts";
import { cellKey, type GeneColumns, keyedDraws } from "./draws.ts";
import { expressionOf } from "./expression.ts";
import { mapGenes } from "./genes.ts";
import type { PackedBatch } from "./packed_batch.ts";
import { type CellTokens, type SparseRow, Tokenizer } from "./tokenizer.ts";
import type { GeneVocab } from "./vocab.ts";

/** What is loaded and how. */
export interface LoadOptions {
  /** Gene vocabulary. */
  readonly vocab: GeneVocab;
  /** Bins, longest cell and value of `<cls>` of the model. */
  readonly config: Pick<ScgptConfig, "nBins" | "maxSeqLen" | "padValue">;
  /** Genes of the columns; default: `mapGenes` of the matrix's `var`. */
  readonly mapping?: GeneColumns;
  /** "X" (default), "raw", or the name of a layer: counts, or any monotone transform of them. */
  readonly layer?: string;
  /** Most tokens of a batch; a longer cell is a batch of its own. Default 16,384. */
  readonly batchTokens?: number;
  /** Most tokens of a cell; default `config.maxSeqLen`. */
  readonly maxLength?: number;
  /** Default "reference". */
  readonly binning?: BinningMode;
  /** Whether genes with value zero are tokens too; default false. */
  readonly includeZeroGenes?: boolean;
  /** Value of `<cls>`; default `config.padValue` as in embedding and pretraining; the reference's fine-tuning has 0. */
  readonly clsValue?: number;
  /** Seed of tied bins and of sampled genes; default 0. */
  readonly seed?: number;
  /** Ends the stream by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

const OPTIONS = [
  "vocab",
  "config",
  "mapping",
  "layer",
  "batchTokens",
  "maxLength",
  "binning",
  "includeZeroGenes",
  "clsValue",
  "seed",
  "signal",
];

/**
 * Streams cells as tokens, in the order of the file, without ever making rows dense. Each cell's tokens depend on its own row
 * and name and on the seed alone. A cell without expressed genes has the token `<cls>` only (the reference fails on it).
 *
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { GeneVocab, loadBatches, parseConfig } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const adata = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.of(5, 0, 0, 2), [2, 2]),
 *   obs: new DataFrame({ index: ["cell1", "cell2"] }),
 *   var: new DataFrame({ index: ["ACTB", "CD3D"] }),
 * });
 * const vocab = GeneVocab.fromNames(["ACTB", "CD3D"]); // <pad>, <cls>, <eoc> become 2, 3, 4
 * const config = parseConfig("mini");
 * for await (const batch of loadBatches(adata, { vocab, config, binning: "deterministic" })) {
 *   assert.deepEqual([...batch.ids], [3, 0, 3, 1]);
 *   assert.deepEqual([...batch.values], [-2, 25, -2, 25]);
 *   assert.deepEqual([...batch.offsets], [0, 2, 4]);
 * }
 * ```
 *
 * @param adata Cells
 * @param options What is loaded and how
 * @returns Batches of at most `batchTokens` tokens; leaving the loop closes the source
 * @throws {TypeError} For an unknown option, at once
 * @throws {RangeError} For a layer that is not there, a mapping of another width, or a negative or non-finite value
 */
export function loadBatches(adata: AnnData, options: LoadOptions): AsyncIterable<PackedBatch> {
  refuseUnknownKeys(options, OPTIONS, "load batches");
  checkRanges(options);
  return pack(tokenizeRows(adata, options), options.batchTokens ?? 16_384, options.signal);
}

function checkRanges({ batchTokens = 1, maxLength = 2, binning = "none" }: LoadOptions): void {
  const fail = (rule: string, got: unknown) => {
    throw new RangeError(`Cannot load batches as ${rule}: got ${got}`);
  };
  if (!(batchTokens >= 1)) fail("batchTokens must be at least 1", batchTokens);
  if (!(Number.isInteger(maxLength) && maxLength >= 2)) {
    fail("maxLength must be an integer of at least 2", maxLength);
  }
  if (!BINNING_MODES.includes(binning)) {
    fail(`binning must be ${BINNING_MODES.join(", ")}`, `"${binning}"`);
  }
}

type Cell = CellTokens & { readonly row: number };

/** Collects cells until the next one would pass the budget. */
async function* pack(
  cells: AsyncIterable<Cell>,
  batchTokens: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<PackedBatch, void, undefined> {
  let pending: Cell[] = [];
  let tokens = 0;
  for await (const cell of cells) {
    if (pending.length > 0 && tokens + cell.ids.length > batchTokens) {
      signal?.throwIfAborted();
      yield concatenate(pending, tokens);
      [pending, tokens] = [[], 0];
    }
    pending.push(cell);
    tokens += cell.ids.length;
  }
  signal?.throwIfAborted();
  if (pending.length > 0) yield concatenate(pending, tokens);
}

function concatenate(cells: readonly Cell[], tokens: number): PackedBatch {
  const ids = new Uint32Array(tokens), values = new Float32Array(tokens);
  const offsets = new Uint32Array(cells.length + 1);
  for (const [b, cell] of cells.entries()) {
    ids.set(cell.ids, offsets[b]!);
    values.set(cell.values, offsets[b]!);
    offsets[b + 1] = offsets[b]! + cell.ids.length;
  }
  return { ids, values, offsets, cells: Uint32Array.from(cells, (cell) => cell.row) };
}

async function* tokenizeRows(
  adata: AnnData,
  options: LoadOptions,
): AsyncGenerator<Cell, void, undefined> {
  const { vocab, config, seed = 0, signal } = options;
  signal?.throwIfAborted();
  const { matrix, var: frame, name } = await expressionOf(adata, options.layer ?? "X");
  const genes = options.mapping ?? await mapGenes(frame, vocab);
  if (genes.ids.length !== matrix.shape[1]) {
    throw new RangeError(
      `Cannot load batches as the mapping must have the ${
        matrix.shape[1]
      } columns of ${name}: got ${genes.ids.length}`,
    );
  }
  const tokenizer = new Tokenizer({
    genes,
    cls: { id: vocab.require("<cls>"), value: options.clsValue ?? config.padValue },
    maxLength: options.maxLength ?? config.maxSeqLen,
    nBins: config.nBins,
    binning: options.binning ?? "reference",
    includeZeroGenes: options.includeZeroGenes ?? false,
  });
  const names: MatrixNames = { matrix: name, obsNames: adata.obsNames, varNames: frame.index };
  for await (const rows of matrix.rows(signal === undefined ? {} : { signal })) {
    signal?.throwIfAborted();
    checkValues(rows, names);
    for (let i = 0; i < rows.nRows; i++) {
      const row = rows.start + i;
      const draws = keyedDraws(seed, cellKey(adata.obsNames[row]!), genes);
      yield { ...tokenizer.tokenize(sparseRow(rows, i), draws), row };
    }
  }
}

/** One row, as views of the piece. */
function sparseRow(rows: CsrRows, i: number): SparseRow {
  const start = rows.indptr[i]!, end = rows.indptr[i + 1]!;
  return { indices: rows.indices.subarray(start, end), data: rows.data.subarray(start, end) };
}
