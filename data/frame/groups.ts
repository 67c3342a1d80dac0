/** Groups of rows that have equal keys. */
import type { Column } from "../column.ts";
import { type Factor, labelTexts } from "./factorize.ts";
import { keptRows } from "./take.ts";

/** Rows by group. */
export interface Groups {
  /** Group of each row; -1 where a key has no value. */
  readonly codes: Int32Array;
  /** Number of groups. */
  readonly count: number;
  /** Value of each key in each group. */
  readonly keys: readonly Column[];
}

/** Most combinations of keys that get a place each. */
const DIRECT = 1 << 22;

/** Codes of levels, or of combinations of them, which may be more than 32 bits count. */
type Combined = Int32Array | Float64Array;

/** Which of some levels there are, in ascending order. */
function observedLevels(combined: Combined, levels: number): number[] {
  const seen = new Uint8Array(levels);
  let count = 0;
  // Mostly all have come long before the last row.
  for (let row = 0; row < combined.length && count < levels; row++) {
    const level = combined[row]!;
    if (level < 0 || seen[level]) continue;
    seen[level] = 1;
    count++;
  }
  return Array.from(keptRows(seen));
}

/** The distinct combinations in ascending order, and the place of each row's among them. */
function compress(combined: Combined, levels: number): { codes: Int32Array; found: number[] } {
  if (levels > DIRECT) return compressMany(combined);
  const found = observedLevels(combined, levels);
  // Where no level is left out, each is its own place.
  if (combined instanceof Int32Array && found.length === levels) return { codes: combined, found };
  const places = new Int32Array(levels);
  found.forEach((level, place) => places[level] = place);
  const codes = new Int32Array(combined.length);
  for (let row = 0; row < codes.length; row++) {
    codes[row] = combined[row]! < 0 ? -1 : places[combined[row]!]!;
  }
  return { codes, found };
}

/** The same for more combinations than there is room for. */
function compressMany(combined: Combined): { codes: Int32Array; found: number[] } {
  const found = [...new Set(combined)].filter((value) => value >= 0).sort((a, b) => a - b);
  const places = new Map(found.map((value, place) => [value, place]));
  return { codes: Int32Array.from(combined, (value) => places.get(value) ?? -1), found };
}

/** Codes of the pairs of a group so far, if there are any, and a level of one more key. */
function combine(codes: Int32Array | undefined, factor: Factor): Combined {
  if (codes === undefined) return factor.codes;
  const width = factor.levels.length;
  const combined = new Float64Array(codes.length);
  for (let row = 0; row < codes.length; row++) {
    const [group, level] = [codes[row]!, factor.codes[row]!];
    combined[row] = group < 0 || level < 0 ? -1 : group * width + level;
  }
  return combined;
}

/**
 * Groups rows by keys, in the order of the first key's levels, then of the second's, and so on.
 *
 * @param factors The keys.
 * @param observed Whether combinations that no row has are left out.
 */
export function groupRows(factors: readonly Factor[], observed: boolean): Groups {
  let codes: Int32Array | undefined;
  let levelsOf: number[][] = [[]];
  for (const factor of factors) {
    const width = factor.levels.length;
    const total = levelsOf.length * width;
    const combined = combine(codes, factor);
    const parts = observed
      ? compress(combined, total)
      : { codes: Int32Array.from(combined), found: Array.from({ length: total }, (_, k) => k) };
    const before = levelsOf;
    levelsOf = parts.found.map((pair) => [...before[Math.floor(pair / width)]!, pair % width]);
    codes = parts.codes;
  }
  const keys = factors.map(({ levels }, k) => levels.take(levelsOf.map((list) => list[k]!)));
  return { codes: codes!, count: levelsOf.length, keys };
}

/** Name of each group: the texts of its keys, joined by `_`. */
export function groupNames({ keys, count }: Groups): string[] {
  const texts = keys.map(labelTexts);
  return Array.from({ length: count }, (_, group) => texts.map((text) => text[group]).join("_"));
}

/** Rows of each group, one group after the other, and where each starts: [count + 1]. */
export function rowsByGroup({ codes, count }: Groups): { rows: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(count + 1);
  for (let row = 0; row < codes.length; row++) if (codes[row]! >= 0) starts[codes[row]! + 1]!++;
  for (let group = 0; group < count; group++) starts[group + 1]! += starts[group]!;
  const next = starts.slice();
  const rows = new Uint32Array(starts[count]!);
  for (let row = 0; row < codes.length; row++) {
    if (codes[row]! >= 0) rows[next[codes[row]!]!++] = row;
  }
  return { rows, starts };
}
