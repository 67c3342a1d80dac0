/** Gathering elements by row number; a row of -1 gives a missing element. */

/** Row numbers; -1 stands for a row that is missing. */
export type RowNumbers = ArrayLike<number>;

/** Typed arrays that columns are made of. */
type Elements = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array | Int32Array;

/** Elements at `rows`, 0 where a row is missing. */
export function takeElements<T extends Elements>(elements: T, rows: RowNumbers): T {
  const taken = new (elements.constructor as new (length: number) => T)(rows.length);
  // Plain loops, as `from` with a function takes twenty times as long.
  for (let k = 0; k < rows.length; k++) taken[k] = elements[rows[k]!]!;
  return taken;
}

/** Texts at `rows`, empty where a row is missing. */
export function takeTexts(texts: readonly string[], rows: RowNumbers): string[] {
  const taken = new Array<string>(rows.length);
  for (let k = 0; k < rows.length; k++) taken[k] = texts[rows[k]!] ?? "";
  return taken;
}

/** Codes at `rows`, -1 where a row is missing. */
export function takeCodes(codes: Int32Array, rows: RowNumbers): Int32Array {
  const taken = new Int32Array(rows.length);
  for (let k = 0; k < rows.length; k++) taken[k] = rows[k]! < 0 ? -1 : codes[rows[k]!]!;
  return taken;
}

/** The mask at `rows`, 1 where a row is missing; undefined where there is no mask and no row is missing. */
export function takeMask(mask: Uint8Array | undefined, rows: RowNumbers): Uint8Array | undefined {
  let taken: Uint8Array | undefined;
  if (mask !== undefined) taken = new Uint8Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k]!;
    if (row < 0) (taken ??= new Uint8Array(rows.length))[k] = 1;
    else if (mask?.[row]) taken![k] = 1;
  }
  return taken;
}

/** Row numbers of a view, read through those of the view below it. */
export function composeRows(below: Uint32Array | undefined, rows: RowNumbers): Uint32Array {
  const composed = new Uint32Array(rows.length);
  for (let k = 0; k < rows.length; k++) composed[k] = below ? below[rows[k]!]! : rows[k]!;
  return composed;
}

/** Numbers of the rows whose element of `keep` is 1, where all are 0 or 1. */
export function keptRows(keep: Uint8Array): Uint32Array {
  const rows = new Uint32Array(keep.length);
  let count = 0;
  for (let row = 0; row < keep.length; row++) {
    // Written in any case: a branch that is taken at random takes six times as long.
    rows[count] = row;
    count += keep[row]!;
  }
  return rows.slice(0, count);
}
