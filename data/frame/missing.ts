/** Which rows of a column have no value, as pandas counts them: masked ones, and NaN. */
import type { Column } from "../column.ts";

/** 1 for each row without a value; undefined where all have one. */
export function missingRows(column: Column): Uint8Array | undefined {
  if (column.kind === "categorical") return flags(column.codes, (code) => code < 0);
  const { mask } = column;
  if (column.kind !== "numeric") return mask;
  const { data } = column;
  let missing = mask;
  for (let row = 0; row < data.length; row++) {
    if (data[row] === data[row]) continue;
    if (missing === mask) missing = mask?.slice() ?? new Uint8Array(data.length);
    missing![row] = 1;
  }
  return missing;
}

function flags(codes: Int32Array, test: (code: number) => boolean): Uint8Array | undefined {
  let missing: Uint8Array | undefined;
  for (let row = 0; row < codes.length; row++) {
    if (test(codes[row]!)) (missing ??= new Uint8Array(codes.length))[row] = 1;
  }
  return missing;
}
