/** kBET: whether the batches in cells' neighbourhoods are drawn as in all cells. */
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { Neighbors } from "../analysis/knn.ts";
import type { WeightedGraph } from "../analysis/neighbors.ts";
import { turns } from "../analysis/turns.ts";
import { chiSquareSurvival } from "./chi_square.ts";
import { componentSizes, strongComponents } from "./components.ts";
import { diffusionMap } from "./diffusion.ts";
import { nearestRows, pointsOf } from "./distances.ts";
import { cellsByGroup, checkLabels, groupsOf, type Labels } from "./groups.ts";
import { UndefinedMetricError } from "./undefined_metric.ts";

/** Settings of {@linkcode kbet}. */
export interface KbetOptions {
  /** Level below which a p-value rejects; 0.05 by default. */
  readonly alpha?: number;
}

/** Tests of all cells. */
export interface Kbet {
  /** Share of cells whose neighbourhood is accepted as mixed. */
  readonly acceptance: number;
  /** Chi-square statistic of each cell [n]. */
  readonly statistics: Float64Array<ArrayBuffer>;
  /** Its p-value [n], with batches - 1 degrees of freedom. */
  readonly pValues: Float64Array<ArrayBuffer>;
}

/**
 * Pearson's chi-square test of the batches among each cell's neighbours, itself included, against those of all cells.
 *
 * Reference: scib-metrics 0.5.10 `kbet` (float32 p-values); Büttner et al. 2019.
 *
 * @param knn Neighbours of n cells among themselves
 * @param batches Batch of each cell [n]
 * @param options Settings
 * @returns Acceptance, statistics and p-values
 * @throws {RangeError} When the number of batches is another, or alpha is not in 0..1
 * @throws {UndefinedMetricError} When there is one batch
 */
export function kbet(
  knn: Pick<Neighbors, "k" | "indices">,
  batches: Labels,
  options: KbetOptions = {},
): Kbet {
  refuseUnknownKeys(options, ["alpha"], "compute kBET");
  const { alpha = 0.05 } = options;
  const { k, indices } = knn;
  checkLabels(batches, indices.length / k, "compute kBET");
  checkAlpha(alpha);
  const { codes, sizes, names } = groupsOf(batches);
  if (names.length < 2) {
    throw new UndefinedMetricError("compute kBET", "there must be 2 batches: got 1");
  }
  const expected = Float64Array.from(sizes, (size) => size / codes.length * k);
  const statistics = Float64Array.from(codes, (_, cell) => {
    const observed = new Uint32Array(names.length);
    for (const other of indices.subarray(cell * k, (cell + 1) * k)) observed[codes[other]!]! += 1;
    return expected.reduce((sum, count, batch) => sum + (observed[batch]! - count) ** 2 / count, 0);
  });
  const pValues = statistics.map((statistic) => chiSquareSurvival(statistic, names.length - 1));
  const accepted = pValues.filter((p) => p >= alpha).length;
  return { acceptance: accepted / codes.length, statistics, pValues };
}

/** Settings of {@linkcode kbetPerLabel}. */
export interface KbetPerLabelOptions extends KbetOptions {
  /** Diffusion coordinates in which a label's cells find their neighbours; 100 by default. */
  readonly nComponents?: number;
  /** Stops the computation. */
  readonly signal?: AbortSignal;
}

/** kBET of each label. */
export interface KbetPerLabel {
  /** Mean acceptance over the labels that can be tested. */
  readonly score: number;
  /** Acceptance by label; null where there are fewer than 10 cells or one batch. */
  readonly perLabel: Readonly<Record<string, number | null>>;
}

/** Fewer cells of a label are not tested. */
const LEAST_CELLS = 10;

/**
 * kBET within each label, among nearest cells along the graph: a quarter of the mean batch, 10 to 70 of them, in diffusion coordinates of
 * the label's subgraph. Components smaller than three neighbourhoods are left out; where they hold more than a quarter of the label's
 * cells, it scores 0.
 *
 * Reference: scib-metrics 0.5.10 `kbet_per_label`, for which `Benchmarker` takes 50 neighbours; it finds neighbours approximately, these
 * are exact. As there, a label of fewer cells than coordinates lowers their number for the labels after it too. scib 1.1.7 `metrics.kBET`
 * runs the R package and is another number.
 *
 * @param graph Connectivities of n cells
 * @param cells Label and batch of each cell [n]
 * @param options Settings
 * @returns The mean, and the value of each label
 * @throws {RangeError} When the numbers of labels or batches are others, or a setting is out of range
 * @throws {UndefinedMetricError} When no label can be tested
 */
export async function kbetPerLabel(
  graph: WeightedGraph,
  cells: { readonly labels: Labels; readonly batches: Labels },
  options: KbetPerLabelOptions = {},
): Promise<KbetPerLabel> {
  const act = "compute kBET of labels";
  refuseUnknownKeys(options, ["alpha", "nComponents", "signal"], act);
  const { alpha = 0.05, nComponents = 100 } = options;
  checkAlpha(alpha);
  if (!Number.isInteger(nComponents) || nComponents < 1) {
    throw new RangeError(
      `Cannot ${act} as nComponents must be an integer >= 1: got ${nComponents}`,
    );
  }
  checkLabels(cells.labels, graph.n, act);
  checkLabels(cells.batches, graph.n, act);
  const { codes: batches } = groupsOf(cells.batches);
  const labels = groupsOf(cells.labels);
  const perLabel: Record<string, number | null> = {};
  const turn = turns(options.signal);
  let most = nComponents;
  for (const [label, rows] of cellsByGroup(labels).entries()) {
    const plan = planOf(graph, rows, batches);
    if (plan !== null && plan.rows.length > 0) most = Math.min(most, plan.rows.length - 1);
    perLabel[labels.names[label]!] = plan === null
      ? null
      : await acceptance(graph, { ...plan, batches, alpha, turn, nComponents: most });
    await turn();
  }
  const scores = Object.values(perLabel).filter((score) => score !== null);
  if (scores.length === 0) {
    throw new UndefinedMetricError(
      act,
      `a label needs ${LEAST_CELLS} cells of 2 batches: none has`,
    );
  }
  return { score: scores.reduce((sum, score) => sum + score, 0) / scores.length, perLabel };
}

/** What of a label is tested. */
interface Plan {
  /** Cells; none when too many lie in small components. */
  readonly rows: Uint32Array;
  /** Neighbours of a cell, without itself. */
  readonly k: number;
}

/** Null when the label cannot be tested. */
function planOf(graph: WeightedGraph, rows: Uint32Array, batches: Uint32Array): Plan | null {
  const count = batchesOf(rows, batches).size;
  if (rows.length < LEAST_CELLS || count === 1) return null;
  const k = Math.min(70, Math.max(10, Math.floor(rows.length / count / 4)));
  const component = strongComponents(graph, rows);
  const sizes = componentSizes(component);
  if (sizes.length === 1) return { rows, k };
  const kept = rows.filter((_, at) => sizes[component[at]!]! >= 3 * k);
  if (kept.length < 0.75 * rows.length) return { rows: new Uint32Array(0), k };
  return batchesOf(kept, batches).size === 1 ? null : { rows: kept, k };
}

function batchesOf(rows: Uint32Array, batches: Uint32Array): Set<number> {
  return new Set(Array.from(rows, (row) => batches[row]!));
}

/** kBET among the nearest cells in diffusion coordinates. */
async function acceptance(
  graph: WeightedGraph,
  { rows, k, batches, alpha, turn, nComponents }: Plan & {
    readonly batches: Uint32Array;
    readonly alpha: number;
    readonly turn: () => Promise<void>;
    readonly nComponents: number;
  },
): Promise<number> {
  if (rows.length === 0) return 0;
  const { data, nDims } = await diffusionMap(graph, rows, { nComponents, turn });
  const points = pointsOf({ nRows: rows.length, nCols: nDims, data }, {
    cosine: false,
    act: "compute kBET of labels",
  });
  const knn = await nearestRows(points, Math.min(k + 1, rows.length), turn);
  return kbet(knn, Array.from(rows, (row) => batches[row]!), { alpha }).acceptance;
}

function checkAlpha(alpha: number): void {
  if (alpha > 0 && alpha < 1) return;
  throw new RangeError(`Cannot compute kBET as alpha must be in 0..1: got ${alpha}`);
}
