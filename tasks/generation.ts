/** What was generated: gathered cell by cell, and put into an AnnData. */
import { AnnData, csrMatrix, DataFrame, type Matrix, type UnsDict } from "../data/mod.ts";
import {
  geneNames,
  type GeneratedCell,
  type GeneReport,
  type GeneVocab,
  refuseUnknownKeys,
} from "../lib/mod.ts";
import type { PromptedCell } from "./generate_prompts.ts";
import { type HeldOutScores, heldOutScores } from "./metrics/held_out.ts";

/** Generated values of cells, cell by cell; cell c owns those at `indptr[c] .. indptr[c + 1]`. */
export interface Generation {
  /** Symbols of the genes that were generated in some cell. */
  readonly genes: readonly string[];
  /** First value of each cell and the end, [cells + 1]. */
  readonly indptr: Uint32Array<ArrayBuffer>;
  /** Gene of each value: a place in `genes`. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** Values in bins: 0 .. nBins - 1, not rounded. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Confidence of each when it was fixed: larger is surer, 0 the surest. */
  readonly confidence: Float32Array<ArrayBuffer>;
  /** Step, from 1, in which each was fixed. */
  readonly step: Uint8Array<ArrayBuffer>;
  /** Bins that were hidden, with `holdOut`. */
  readonly truth?: Float32Array<ArrayBuffer>;
  /** Agreement with what was hidden, with `holdOut`. */
  readonly scores?: HeldOutScores;
  /** How the genes of the data were found. */
  readonly report: GeneReport;
}

/** Gathers generated cells, in their order. */
export class GenerationCollector {
  readonly #names: readonly string[];
  readonly #places: ReadonlyMap<number, number>; // of a gene's id
  readonly #indices: Uint32Array<ArrayBuffer>[] = [];
  readonly #made: GeneratedCell[] = [];
  readonly #truth: Float32Array<ArrayBuffer>[] = [];

  /** For the genes of some ids, in the order of the columns. */
  constructor(vocab: GeneVocab, ids: Uint32Array) {
    this.#names = Array.from(ids, (id) => vocab.name(id));
    this.#places = new Map(Array.from(ids, (id, place) => [id, place]));
  }

  /** Cells gathered. */
  get cells(): number {
    return this.#made.length;
  }

  /** Takes cells as they were asked for, and what was generated of them. */
  add(cells: readonly PromptedCell[], made: readonly GeneratedCell[]): void {
    cells.forEach(({ prompt, truth }, i) => {
      this.#indices.push(
        prompt.genes.map((id) => this.#places.get(id)!) as Uint32Array<ArrayBuffer>,
      );
      this.#made.push(made[i]!);
      if (truth !== undefined) this.#truth.push(truth);
    });
  }

  /** All that was gathered; `seed` of the shuffled controls. */
  result({ report, seed }: { readonly report: GeneReport; readonly seed: number }): Generation {
    const indptr = new Uint32Array(this.cells + 1);
    this.#made.forEach(({ values }, cell) => indptr[cell + 1] = indptr[cell]! + values.length);
    const size = indptr.at(-1)!;
    const generation = {
      genes: this.#names,
      indptr,
      indices: joined(this.#indices, new Uint32Array(size)),
      values: joined(this.#made.map(({ values }) => values), new Float32Array(size)),
      confidence: joined(this.#made.map(({ confidence }) => confidence), new Float32Array(size)),
      step: joined(this.#made.map(({ step }) => step), new Uint8Array(size)),
      report,
    };
    if (this.#truth.length === 0) return generation;
    const truth = joined(this.#truth, new Float32Array(size));
    return { ...generation, truth, scores: heldOutScores({ ...generation, truth }, { seed }) };
  }
}

function joined<T extends Uint8Array | Uint32Array | Float32Array>(
  parts: readonly T[],
  into: T,
): T {
  let at = 0;
  for (const part of parts) {
    into.set(part, at);
    at += part.length;
  }
  return into;
}

/** Names of what is written. */
export interface AttachGenerationOptions {
  /** Layer of the values; "scgpt_generated" by default. Confidence, step and truth have its name with an ending. */
  readonly key?: string;
  /** How the values were made; goes to `uns["scgpt"]`. */
  readonly manifest?: UnsDict;
}

/**
 * The cells with generated values as layers over their own genes: `<key>` in bins, `<key>_confidence`, `<key>_step` (0: not generated), and
 * `<key>_truth` where values were held out.
 *
 * @param adata The cells of which values were generated
 * @param generation What was generated
 * @param options Name and manifest
 * @throws {RangeError} When a generated gene is no column of the data: see {@linkcode generatedCells}
 */
export async function attachGeneration(
  adata: AnnData,
  generation: Generation,
  options: AttachGenerationOptions = {},
): Promise<AnnData> {
  refuseUnknownKeys(options, ["key", "manifest"], "attach generated values");
  const { names } = await geneNames(adata.var, columnOf(generation));
  const columns = new Map(names.map((name, column) => [name, column] as const).toReversed());
  const absent = generation.genes.find((gene) => !columns.has(gene));
  if (absent !== undefined) {
    throw new RangeError(
      `Cannot attach generated values as each gene must be a column of the data: got "${absent}"`,
    );
  }
  const places = Uint32Array.from(generation.genes, (gene) => columns.get(gene)!);
  const { key = "scgpt_generated", manifest } = options;
  return adata.with({
    layers: layersOf(generation, { key, places, shape: [adata.nObs, adata.nVars] }),
    ...manifest && { uns: { scgpt: manifest } },
  });
}

/** Where the names of the data's genes came from. */
function columnOf({ report: { column } }: Generation): string {
  return column;
}

/**
 * The cells with the generated genes alone, which the data need not have: `obs` as it was, layers as {@linkcode attachGeneration} names them.
 *
 * @param adata The cells of which values were generated
 * @param generation What was generated
 * @param options Name and manifest
 */
export function generatedCells(
  adata: AnnData,
  generation: Generation,
  options: AttachGenerationOptions = {},
): AnnData {
  refuseUnknownKeys(options, ["key", "manifest"], "make an AnnData of generated values");
  const { key = "scgpt_generated", manifest } = options;
  const { genes } = generation;
  const places = Uint32Array.from(genes.keys());
  return AnnData.fromParts({
    obs: adata.obs,
    var: new DataFrame({ index: genes }),
    layers: layersOf(generation, { key, places, shape: [adata.nObs, genes.length] }),
    ...manifest && { uns: { scgpt: manifest } },
  });
}

function layersOf(
  { indptr, indices, values, confidence, step, truth }: Generation,
  { key, places, shape }: {
    readonly key: string;
    readonly places: Uint32Array;
    readonly shape: readonly [number, number];
  },
): Record<string, Matrix> {
  const columns = indices.map((gene) => places[gene]!);
  const layer = (data: Float32Array<ArrayBuffer>) =>
    csrMatrix({ shape, indptr, indices: columns, data });
  return {
    [key]: layer(values),
    [`${key}_confidence`]: layer(confidence),
    [`${key}_step`]: layer(Float32Array.from(step)),
    ...truth && { [`${key}_truth`]: layer(truth) },
  };
}
