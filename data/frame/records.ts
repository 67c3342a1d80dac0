/** Tables as a list of objects. */
import type { Column } from "../column.ts";

/** Rows as objects of the columns' values, null where one is missing. */
export function recordsOf(
  columns: readonly (readonly [string, Column])[],
  index: readonly string[],
  indexKey: string | undefined,
): Record<string, string | number | boolean | null>[] {
  return Array.from(index, (name, row) => {
    const record: Record<string, string | number | boolean | null> = {};
    if (indexKey !== undefined) record[indexKey] = name;
    for (const [key, column] of columns) record[key] = column.at(row);
    return record;
  });
}
