/** Labels of cells: read from `obs`, brought to common names, counted. */
import type { AnnData } from "../data/mod.ts";

/** Common names of labels; `null` takes a label away. */
export type LabelMap = Readonly<Record<string, string | null>>;

/** Cells that have a label. */
export interface LabelledRows {
  /** Their rows. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Their labels. */
  readonly labels: readonly string[];
}

/**
 * The label of each cell under its common name, null where there is none.
 *
 * @param adata Cells
 * @param labelKey Column of `obs`
 * @param labelMap Common names; `null` takes the label away
 * @throws {RangeError} When the column does not exist
 */
export async function labelsOf(
  adata: AnnData,
  labelKey: string,
  labelMap: LabelMap = {},
): Promise<(string | null)[]> {
  const labels: (string | null)[] = [];
  for (const value of (await adata.obs.column(labelKey)).values()) {
    const own = value === null ? null : String(value);
    if (own === null || own === "nan" || own === "NaN") labels.push(null); // missing in a column of objects, or of numbers
    else labels.push(Object.hasOwn(labelMap, own) ? labelMap[own]! : own);
  }
  return labels;
}

/** The cells that have a label, in their order; there may be none. */
export async function knownLabels(
  adata: AnnData,
  labelKey: string,
  labelMap?: LabelMap,
): Promise<LabelledRows> {
  const all = await labelsOf(adata, labelKey, labelMap);
  const rows = all.flatMap((label, row) => label === null ? [] : [row]);
  return { rows: Uint32Array.from(rows), labels: all.filter((label) => label !== null) };
}

/** The cells of some rows; the AnnData itself where these are all of its rows. */
export function cellsOf(adata: AnnData, rows: Uint32Array): AnnData {
  return rows.length === adata.nObs ? adata : adata.select({ obs: rows });
}

/** Different labels in code-unit order, the place of each cell's label among them, and the cells of each. */
export interface Categories {
  /** Names. */
  readonly names: readonly string[];
  /** Place of each cell's label in `names`. */
  readonly codes: Uint32Array<ArrayBuffer>;
  /** Cells by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Sorts labels into categories. */
export function categoriesOf(labels: readonly string[]): Categories {
  const names = [...new Set(labels)].sort();
  const place = new Map(names.map((name, at) => [name, at]));
  const codes = Uint32Array.from(labels, (label) => place.get(label)!);
  const counts = Object.fromEntries(names.map((name) => [name, 0]));
  for (const label of labels) counts[label]!++;
  return { names, codes, counts };
}
