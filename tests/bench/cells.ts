/** Token batches and sparse cells for measurements. */
import {
  csrMatrix,
  DataFrame,
  type GeneVocab,
  type Matrix,
  RandomStream,
  type TokenBatch,
} from "../../mod.ts";

/** A batch of cells of the given lengths with random genes and bins; `<cls>` first. */
export function randomBatch(
  vocab: GeneVocab,
  lengths: readonly number[],
  seed: number,
): Required<Pick<TokenBatch, "ids" | "values" | "offsets">> {
  const random = new RandomStream(seed, 100);
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, cell) => offsets[cell + 1] = offsets[cell]! + length);
  const tokens = offsets.at(-1)!;
  const ids = new Uint32Array(tokens), values = new Float32Array(tokens);
  for (let t = 0; t < tokens; t++) {
    ids[t] = random.below(60_000);
    values[t] = 1 + random.below(50);
  }
  for (const start of offsets.subarray(0, -1)) {
    ids[start] = vocab.require("<cls>");
    values[start] = -2;
  }
  return { ids, values, offsets };
}

/** Lengths from 20 % to 100 % of `longest`, in the mean 60 %. */
export function raggedLengths(cells: number, longest: number): number[] {
  return Array.from({ length: cells }, (_, i) => Math.round(longest * (1 - 0.8 * i / (cells - 1))));
}

/** Sparse counts of `cells` cells with `expressed` genes each out of `genes`. */
export function randomCounts(
  cells: number,
  genes: number,
  expressed: number,
): { X: Matrix; obs: DataFrame } {
  const random = new RandomStream(7, 101);
  const stride = Math.floor(genes / expressed);
  const indices = new Uint32Array(cells * expressed), data = new Float32Array(cells * expressed);
  for (let i = 0; i < indices.length; i++) {
    indices[i] = (i % expressed) * stride + random.below(stride);
    data[i] = 1 + random.below(20);
  }
  const indptr = Uint32Array.from({ length: cells + 1 }, (_, cell) => cell * expressed);
  const X = csrMatrix({ shape: [cells, genes], indptr, indices, data });
  return { X, obs: new DataFrame({ index: Array.from({ length: cells }, (_, i) => `cell${i}`) }) };
}

/** Operations of an embedding of one cell of N tokens, whole-human size: eleven whole layers, and the last for `<cls>` alone. */
export function embeddingOperations(N: number): number {
  const d = 512, layers = 11, heads = 8;
  return layers * N * (2 * (3 * d * d + d * d + 2 * d * d) + 4 * N * d) + 4 * N * d * heads;
}
