/** Which rows of modalities belong together. */
import type { AnnData } from "./anndata.ts";

/** An axis of the modalities. */
export type Shared = "obs" | "var";

/** Whether modalities share an axis: rows of one name are then one row. */
export function isShared(axis: 0 | 1 | -1, shared: Shared): boolean {
  return axis === -1 || axis === (shared === "obs" ? 0 : 1);
}

/** Names of the joint rows: each name once where the axis is shared, else those of all modalities one after another. */
export function jointIndex(
  mod: Readonly<Record<string, AnnData>>,
  axis: 0 | 1 | -1,
  shared: Shared,
): readonly string[] {
  const names = Object.values(mod).flatMap((adata) => adata[shared].index);
  if (!isShared(axis, shared)) return names;
  for (const [name, adata] of Object.entries(mod)) {
    const { index } = adata[shared];
    if (new Set(index).size === index.length) continue;
    const twice = index.find((one, row) => index.indexOf(one) !== row);
    throw new RangeError(
      `Cannot make a MuData as names of ${shared} must not repeat within a modality: ${
        JSON.stringify(twice)
      } does in ${name}`,
    );
  }
  return [...new Set(names)];
}

/** Place of each joint row in every modality, from 1; 0 where it is not there. */
export function jointMaps(
  mod: Readonly<Record<string, AnnData>>,
  shared: Shared,
  index: readonly string[],
): Record<string, Uint32Array> {
  const total = Object.values(mod).reduce((sum, adata) => sum + adata[shared].length, 0);
  const maps: Record<string, Uint32Array> = {};
  let first = 0;
  for (const [name, adata] of Object.entries(mod)) {
    const own = adata[shared].index;
    const start = first;
    first += own.length;
    // Rows one after another need no look-up, which names in two modalities would confuse.
    maps[name] = index.length === total && own.every((one, row) => index[start + row] === one)
      ? Uint32Array.from(index, (_, row) => row >= start && row < first ? row - start + 1 : 0)
      : placesOf(own, index);
  }
  return maps;
}

/** Place of each name of `index` among `own`, from 1; 0 where it is not there. */
function placesOf(own: readonly string[], index: readonly string[]): Uint32Array {
  const places = new Map(own.map((name, row) => [name, row + 1]));
  return Uint32Array.from(index, (name) => places.get(name) ?? 0);
}
