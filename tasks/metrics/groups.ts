/** Labels of cells as numbers, which is what the metrics of integration count. */

/** One label per cell: names of cell types or batches, or numbers of clusters. */
export type Labels = ArrayLike<string | number>;

/** Cells by label. */
export interface Groups {
  /** The different labels, ascending as texts. */
  readonly names: readonly string[];
  /** Place in `names` of each cell's label [n]. */
  readonly codes: Uint32Array<ArrayBuffer>;
  /** Cells of each label. */
  readonly sizes: Uint32Array<ArrayBuffer>;
}

/**
 * Numbers the labels.
 *
 * @param labels One label per cell [n]
 * @returns Codes in 0..names.length-1 and how often each occurs
 */
export function groupsOf(labels: Labels): Groups {
  const texts = Array.from(labels, String);
  const names = [...new Set(texts)].sort();
  const place = new Map(names.map((name, at) => [name, at]));
  const codes = Uint32Array.from(texts, (text) => place.get(text)!);
  const sizes = new Uint32Array(names.length);
  for (const code of codes) sizes[code]! += 1;
  return { names, codes, sizes };
}

/**
 * The cells of each label, ascending.
 *
 * @param groups Numbered labels
 * @returns Rows of each label, in the order of `names`
 */
export function cellsByGroup({ names, codes, sizes }: Groups): Uint32Array<ArrayBuffer>[] {
  const cells = names.map((_, group) => new Uint32Array(sizes[group]!));
  const next = new Uint32Array(names.length);
  codes.forEach((code, cell) => cells[code]![next[code]!++] = cell);
  return cells;
}

/**
 * The batches in which each label occurs, by how many.
 *
 * @param labels Numbered labels
 * @param batches Numbered batches of the same cells
 * @returns Number of batches of each label
 */
export function batchesPerLabel(labels: Groups, batches: Groups): number[] {
  const seen = labels.names.map(() => new Set<number>());
  labels.codes.forEach((label, cell) => seen[label]!.add(batches.codes[cell]!));
  return seen.map(({ size }) => size);
}

/**
 * Checks once, at the edge, that every cell has a label.
 *
 * @param labels Labels from a caller
 * @param nCells Cells, at least 1
 * @param act What cannot be done, such as "compute the silhouette"
 * @throws {RangeError} When there are no cells or the numbers differ
 */
export function checkLabels(labels: Labels, nCells: number, act: string): void {
  if (nCells >= 1 && labels.length === nCells) return;
  throw new RangeError(
    `Cannot ${act} as each of at least one cell needs a label: got ${labels.length} labels of ${nCells} cells`,
  );
}
