/** The cells that methods are scored on, and the baselines' scores on them. */
import type { AnnData } from "../../data/mod.ts";
import type { Device } from "../../gpu/mod.ts";
import { annotationBaselines, compareMethods } from "../baselines/compare.ts";
import { readCells } from "../baselines/read_cells.ts";
import { cellsOf, knownLabels, type LabelMap } from "../labels.ts";
import type { ClassificationReport } from "../metrics/classification.ts";
import type { MethodEvaluated } from "./method_results.ts";

/** A column of labels, and their common names. */
export interface LabelChoice {
  /** Column of `obs`. */
  readonly labelKey: string;
  /** Common names; `null` leaves cells out. */
  readonly labelMap?: LabelMap | undefined;
}

/** Cells whose label is known. */
export interface KnownCells {
  /** The cells. */
  readonly cells: AnnData;
  /** Their rows in the whole. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Their labels. */
  readonly labels: readonly string[];
}

/**
 * Leaves out the cells without a label.
 *
 * @throws {RangeError} When no cell has one
 */
export async function knownCells(adata: AnnData, choice: LabelChoice): Promise<KnownCells> {
  const { rows, labels } = await knownLabels(adata, choice.labelKey, choice.labelMap);
  if (rows.length === 0) {
    throw new RangeError(
      `Cannot evaluate as a cell must have a label in obs["${choice.labelKey}"]: none has`,
    );
  }
  return { cells: cellsOf(adata, rows), rows, labels };
}

/** Both sides of a comparison, and the matrix of each: "X", "raw" or a layer. */
export interface BothSides {
  /** Cells to learn from. */
  readonly known: KnownCells;
  /** Cells to name. */
  readonly asked: KnownCells;
  /** Matrix of the first. */
  readonly knownLayer?: string | undefined;
  /** Matrix of the second. */
  readonly askedLayer?: string | undefined;
}

/** Runs and scores the baselines one by one. */
export async function* scoredBaselines(
  device: Device,
  { known, asked, knownLayer, askedLayer }: BothSides,
  signal: AbortSignal | undefined,
): AsyncGenerator<MethodEvaluated<ClassificationReport>, void, undefined> {
  const stop = signal === undefined ? {} : { signal };
  const reference = { ...await readCells(known.cells, knownLayer), labels: known.labels };
  const query = await readCells(asked.cells, askedLayer);
  const methods = annotationBaselines(device, reference, query, stop);
  for await (const { method, report, seconds } of compareMethods(asked.labels, methods, stop)) {
    yield { kind: "method", method, seed: null, result: report, seconds };
  }
}
