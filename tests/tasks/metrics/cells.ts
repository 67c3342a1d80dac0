/** 400 real cells of four batches, and what scib 1.1.7 and scib-metrics 0.5.10 say of them; the file tells how they were made. */
import type { Neighbors } from "../../../tasks/analysis/knn.ts";
import type { DenseRows } from "../../../tasks/analysis/rows.ts";

interface Fixture {
  nCells: number;
  nDims: number;
  labels: string[];
  batches: string[];
  label: number[];
  batch: number[];
  before: number[];
  after: number[];
  leiden: number[];
  scib: {
    asw_label: number;
    asw_batch: number;
    graph_connectivity: number;
    isolated_labels_asw: number;
    pcr_before: number;
    pcr_after: number;
    pcr_comparison: number;
    pcr_after_3: number;
    nmi: number;
    ari: number;
    leiden: [number, number][][];
  };
  scibMetrics: {
    silhouette_label: number;
    silhouette_batch: number;
    bras: number;
    bras_furthest: number;
    isolated_labels: number;
    ilisi: number;
    clisi: number;
    kbet: number;
    kbet_stat: number;
    kbet_p: number;
    kbet_per_label: number;
    kbet_by_label: Record<string, number | null>;
    graph_connectivity: number;
    pcr_before: number;
    pcr_after: number;
    pcr_comparison: number;
    kmeans: [number, number, number][];
    lisi_label: number[];
    lisi_batch: number[];
  };
  chiSquare: [number, number, number][];
}

const fixture: Fixture = JSON.parse(
  await Deno.readTextFile(
    new URL("../../fixtures/tasks/metrics/cells.json", import.meta.url),
  ),
);

function rowsOf(values: number[]): DenseRows {
  const data = Float32Array.from(values, (value) => value / 256);
  return { nRows: fixture.nCells, nCols: fixture.nDims, data };
}

/** Principal components before and after batch means were mostly taken off. */
export const BEFORE: DenseRows = rowsOf(fixture.before);
export const AFTER: DenseRows = rowsOf(fixture.after);
/** Cell type and batch of each cell. */
export const LABELS: string[] = fixture.label.map((code) => fixture.labels[code]!);
export const BATCHES: string[] = fixture.batch.map((code) => fixture.batches[code]!);
/** leidenalg's clusters of `AFTER` at resolution 1. */
export const CLUSTERS: number[] = fixture.leiden;
/** scib's numbers. */
export const SCIB: Fixture["scib"] = fixture.scib;
/** scib-metrics' numbers. */
export const SCIB_METRICS: Fixture["scibMetrics"] = fixture.scibMetrics;
/** Statistic, degrees of freedom, and scipy's `chi2.sf`. */
export const CHI_SQUARE: [number, number, number][] = fixture.chiSquare;

/** Neighbours by plain loops in float64, the cell first, ties by row. */
export function exactNeighbors(rows: DenseRows, k: number): Neighbors {
  const { nRows, nCols, data } = rows;
  const indices = new Uint32Array(nRows * k), distances = new Float32Array(nRows * k);
  for (let cell = 0; cell < nRows; cell++) {
    const squares = Float64Array.from({ length: nRows }, (_, other) => {
      let sum = 0;
      for (let j = 0; j < nCols; j++) {
        sum += (data[cell * nCols + j]! - data[other * nCols + j]!) ** 2;
      }
      return sum;
    });
    const order = Array.from(squares.keys()).sort((a, b) => squares[a]! - squares[b]! || a - b);
    for (let rank = 0; rank < k; rank++) {
      indices[cell * k + rank] = order[rank]!;
      distances[cell * k + rank] = Math.sqrt(squares[order[rank]!]!);
    }
  }
  return { k, indices, distances };
}
