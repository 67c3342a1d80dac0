/** Cell embeddings: scGPT's zero-shot representation of each cell. */
import { type AnnData, denseMatrix, type UnsDict } from "../data/mod.ts";
import { run, scope } from "../gpu/mod.ts";
import {
  type BinningMode,
  eventTurn,
  expressionOf,
  type GeneMapping,
  type GeneReport,
  inspectValues,
  loadBatches,
  mapGenes,
  type PackedBatch,
  refuseUnknownKeys,
  type ScGPT,
  type ValueSummary,
} from "../lib/mod.ts";

/** Key under which embeddings are kept in `obsm`, the reference's. */
export const EMBEDDING_KEY = "X_scGPT";

/** Settings of {@linkcode embed}. */
export interface EmbedOptions {
  /** "X" (default), "raw", or a layer: counts, or any non-negative monotone transform of them. */
  readonly layer?: string;
  /** Column of `var` with gene symbols; by default found by {@linkcode mapGenes}. */
  readonly geneColumn?: string;
  /** Least part of the genes that must be in the vocabulary; 0.2 by default. */
  readonly minCoverage?: number;
  /** Most tokens of a batch: it bounds memory and changes no number. 16,384 by default. */
  readonly batchTokens?: number;
  /** Most tokens of a cell; the model's `maxSeqLen` by default. More genes are sampled, keyed by cell name and gene. */
  readonly maxLength?: number;
  /** How tied values are binned: "reference" (default) draws, "deterministic" takes the middle bin; "none" bins nothing. */
  readonly binning?: BinningMode;
  /** Seed of tied bins and sampled genes; 0 by default. */
  readonly seed?: number;
  /** Stops by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

const OPTIONS = [
  "layer",
  "geneColumn",
  "minCoverage",
  "batchTokens",
  "maxLength",
  "binning",
  "seed",
  "signal",
];

/** What is known before the first cell is embedded. */
export interface EmbedStart {
  /** Tag. */
  readonly type: "start";
  /** Cells to embed. */
  readonly cells: number;
  /** How the genes were found. */
  readonly genes: GeneReport;
  /** What the values are. */
  readonly values: ValueSummary;
}

/** Some cells were embedded. */
export interface EmbedBatch {
  /** Tag. */
  readonly type: "batch";
  /** Their rows in the AnnData. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Their embeddings, L2-normalised, [rows, D]. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** Tokens of each. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** Cells done so far. */
  readonly done: number;
}

/** What {@linkcode embedEvents} tells. */
export type EmbedEvent = EmbedStart | EmbedBatch;

/** Embeddings of all cells. */
export interface EmbedResult {
  /** Unit vectors, [cells, width], in the order of the AnnData. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** Width D. */
  readonly width: number;
  /** Tokens of each cell, `<cls>` included; 1: no gene of the cell is expressed and in the vocabulary. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** How the genes were found. */
  readonly genes: GeneReport;
  /** What the values are. */
  readonly values: ValueSummary;
}

/**
 * Embeds every cell of an AnnData. A cell's embedding is the unit vector of its `<cls>` token; it depends on the cell's row and name, the
 * model and the seed, not on batches, order or threads. A cell without expressed genes is `<cls>` alone, the same vector for all such
 * cells (the reference fails on them). Reference: `embed_data` in scgpt/tasks/cell_emb.py.
 *
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openDevice } from "@scgpt/sdk/gpu";
 * import { loadModel } from "@scgpt/sdk/lib";
 * import { embed } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const cells = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.of(3, 0, 1, 0, 0, 7), [2, 3]),
 *   obs: new DataFrame({ index: ["cell1", "cell2"] }),
 *   var: new DataFrame({ index: ["G0000", "G0001", "G0002"] }),
 * });
 * await using device = await openDevice({ kind: "wasm" });
 * using model = await loadModel("tests/fixtures/scgpt/small_checkpoint", device);
 * const { embeddings, lengths, genes } = await embed(cells, model);
 * assert.ok(Math.abs(Math.hypot(...embeddings.subarray(0, 64)) - 1) < 1e-6);
 * assert.deepEqual([...lengths], [3, 2]); // <cls> and the expressed genes
 * assert.equal(genes.coverage, 1);
 * ```
 *
 * @param adata Cells with counts, or a monotone transform of them, in X
 * @param model The model
 * @param options Settings
 * @returns Embeddings in the order of the cells
 * @throws {RangeError} When no, or too few, genes are in the vocabulary, or for a negative or non-finite value, naming cell and gene
 */
export async function embed(
  adata: AnnData,
  model: ScGPT,
  options: EmbedOptions = {},
): Promise<EmbedResult> {
  const collected = new EmbeddingCollector(adata.nObs, model.config.embsize);
  for await (const event of embedEvents(adata, model, options)) collected.add(event);
  return collected.result();
}

/** Gathers the events of {@linkcode embedEvents} into the result of {@linkcode embed}. */
export class EmbeddingCollector {
  readonly #width: number;
  readonly #embeddings: Float32Array<ArrayBuffer>;
  readonly #lengths: Uint32Array<ArrayBuffer>;
  #start: EmbedStart | undefined;

  /** For so many cells, with embeddings of so many numbers. */
  constructor(cells: number, width: number) {
    this.#width = width;
    this.#embeddings = new Float32Array(cells * width);
    this.#lengths = new Uint32Array(cells);
  }

  /** Takes an event. */
  add(event: EmbedEvent): void {
    if (event.type === "start") {
      this.#start = event;
      return;
    }
    const width = this.#width;
    event.rows.forEach((row, i) => {
      this.#embeddings.set(event.embeddings.subarray(i * width, (i + 1) * width), row * width);
      this.#lengths[row] = event.lengths[i]!;
    });
  }

  /** What was gathered; throws where the stream had no start. */
  result(): EmbedResult {
    if (this.#start === undefined) {
      throw new Error("Cannot gather embeddings as the stream gave no start event");
    }
    const { genes, values } = this.#start;
    return {
      embeddings: this.#embeddings,
      width: this.#width,
      lengths: this.#lengths,
      genes,
      values,
    };
  }
}

/**
 * As {@linkcode embed}, as a stream: one event when genes and values are known, then one for each batch. Leaving the loop stops the work.
 *
 * @param adata Cells
 * @param model The model
 * @param options Settings
 * @returns Events
 */
export async function* embedEvents(
  adata: AnnData,
  model: ScGPT,
  options: EmbedOptions = {},
): AsyncGenerator<EmbedEvent, void, undefined> {
  refuseUnknownKeys(options, OPTIONS, "embed");
  const { geneColumn, minCoverage, ...loading } = options;
  const { matrix, var: frame, name } = await expressionOf(adata, options.layer ?? "X");
  const mapping = await mapGenes(frame, model.vocab, {
    ...geneColumn !== undefined && { geneColumn },
    ...minCoverage !== undefined && { minCoverage },
  });
  const names = { matrix: name, obsNames: adata.obsNames, varNames: frame.index };
  const values = await inspectValues(matrix, names, loading.signal && { signal: loading.signal });
  yield { type: "start", cells: adata.nObs, genes: mapping.report, values };
  yield* embedBatches(adata, model, { ...loading, mapping });
}

/** Computes a batch while the one before is read back. */
async function* embedBatches(
  adata: AnnData,
  model: ScGPT,
  options: Omit<EmbedOptions, "geneColumn" | "minCoverage"> & { readonly mapping: GeneMapping },
): AsyncGenerator<EmbedBatch, void, undefined> {
  const { vocab, config } = model;
  let done = 0;
  let pending: { batch: PackedBatch; read: Promise<Float32Array<ArrayBuffer>> } | undefined;
  const finish = async ({ batch, read }: NonNullable<typeof pending>): Promise<EmbedBatch> => {
    const lengths = batch.offsets.slice(1).map((end, b) => end - batch.offsets[b]!);
    done += batch.cells.length;
    return { type: "batch", rows: batch.cells, embeddings: await read, lengths, done };
  };
  try {
    for await (const batch of loadBatches(adata, { vocab, config, ...options })) {
      await eventTurn();
      options.signal?.throwIfAborted();
      const read = embedBatch(model, batch);
      const before = pending;
      pending = { batch, read };
      if (before !== undefined) yield await finish(before);
    }
    if (pending !== undefined) yield await finish(pending);
  } finally {
    await pending?.read.catch(() => {}); // after an error or a break the device must be idle
  }
}

/** Enqueues one batch and the reading of its unit vectors. */
async function embedBatch(model: ScGPT, batch: PackedBatch): Promise<Float32Array<ArrayBuffer>> {
  using unit = scope(model.device, () => {
    const x = model.embedCells(batch);
    return run("l2_normalize", { x }, { eps: 1e-12 }).y;
  });
  return await unit.data();
}

/**
 * The AnnData with the embeddings in `obsm["X_scGPT"]` and, if given, a manifest in `uns["scgpt"]`; the given one stays as it is.
 *
 * @param adata The cells that were embedded
 * @param result Their embeddings
 * @param manifest How they were made
 * @returns A new AnnData over the same data
 * @throws {RangeError} When the numbers of cells differ
 */
export function attachEmbedding(
  adata: AnnData,
  result: EmbedResult,
  manifest?: UnsDict,
): AnnData {
  const { embeddings, width } = result;
  if (embeddings.length !== adata.nObs * width) {
    throw new RangeError(
      `Cannot attach embeddings as there must be ${adata.nObs}: got ${embeddings.length / width}`,
    );
  }
  return adata.with({
    obsm: { [EMBEDDING_KEY]: denseMatrix(embeddings, [adata.nObs, width]) },
    ...manifest && { uns: { scgpt: manifest } },
  });
}
