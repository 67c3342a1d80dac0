/** Made-up counts with two cell types and two batches, for training in tests. */
import { AnnData, CategoricalColumn, csrMatrix, DataFrame } from "../../data/mod.ts";
import { RandomStream } from "../../gpu/mod.ts";

/** Settings of {@linkcode countedCells}. */
export interface CountedCellsOptions {
  /** Cells; 80 by default. */
  readonly cells?: number;
  /** Seed; 1 by default. */
  readonly seed?: number;
  /** Labels of the first cells, in place of their own. */
  readonly relabel?: readonly (string | null)[];
}

/** Genes: G0 .. G9 mark "A", G10 .. G19 mark "B", the rest are shared; batch "b2" has more of G20 .. G29. */
export function countedCells(options: CountedCellsOptions = {}): AnnData {
  const { cells = 80, seed = 1, relabel = [] } = options;
  const genes = 40;
  const random = new RandomStream(seed, 77);
  const indptr = new Uint32Array(cells + 1);
  const indices: number[] = [], data: number[] = [];
  const label = (cell: number) => cell % 2 === 0 ? "A" : "B";
  const batch = (cell: number) => cell % 4 < 2 ? "b1" : "b2";
  for (let cell = 0; cell < cells; cell++) {
    for (let gene = 0; gene < genes; gene++) {
      const group = Math.floor(gene / 10);
      const marked = group === (label(cell) === "A" ? 0 : 1) || group === 2 && batch(cell) === "b2";
      const count = Math.floor(-Math.log(1 - random.next()) * (marked ? 6 : 1));
      if (count === 0) continue;
      indices.push(gene);
      data.push(count);
    }
    indptr[cell + 1] = data.length;
  }
  const labels = Array.from(
    { length: cells },
    (_, i) => i < relabel.length ? relabel[i]! : label(i),
  );
  return AnnData.fromParts({
    X: csrMatrix({
      shape: [cells, genes],
      indptr,
      indices: Uint32Array.from(indices),
      data: Float32Array.from(data),
    }),
    obs: new DataFrame({ index: Array.from({ length: cells }, (_, i) => `cell${seed}_${i}`) })
      .with("cell_type", CategoricalColumn.from(labels))
      .with("batch", CategoricalColumn.from(labels.map((_, i) => batch(i)))),
    var: new DataFrame({ index: Array.from({ length: genes }, (_, i) => `G${i}`) }),
  });
}
