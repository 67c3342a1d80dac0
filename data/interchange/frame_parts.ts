/** Frames taken apart for writing and put together after reading. */
import type { Column } from "../column.ts";
import { columnsOf, DataFrame } from "../dataframe.ts";
import { labelTexts } from "../frame/factorize.ts";
import type { PandasNote } from "./pandas_metadata.ts";
import { indexNameOf } from "./pandas_metadata.ts";

/** All columns of a frame, read. */
export async function readColumns(frame: DataFrame): Promise<(readonly [string, Column])[]> {
  const columns = columnsOf(frame);
  return await Promise.all(
    columns.keys().map(async (name) => [name, await columns.need(name)] as const),
  );
}

/** A frame of columns, one of which may be the index. */
export function frameFrom(
  columns: ReadonlyMap<string, Column>,
  length: number,
  note: PandasNote,
): DataFrame {
  const rest = new Map(columns);
  const index = note.index === undefined ? undefined : rest.get(note.index);
  if (index === undefined) {
    return new DataFrame({
      index: Array.from({ length }, (_, row) => String(row)),
      columns: Object.fromEntries(rest),
    });
  }
  rest.delete(note.index!);
  const indexName = indexNameOf(note.index!);
  return new DataFrame({
    index: labelTexts(index),
    columns: Object.fromEntries(rest),
    ...indexName !== undefined && { indexName },
  });
}
