/** The note that pandas leaves in Arrow and Parquet about its index and types, so that frames come back as they were. */
import type { Column } from "../column.ts";
import { typeOf } from "../frame/schema.ts";

/** Name of the column that holds an index without a name. */
const INDEX = "__index_level_0__";

/** Name of the column that an index is stored as. */
export function indexField(indexName: string | undefined): string {
  return indexName ?? INDEX;
}

/** What pandas calls the type of a column. */
function pandasType(column: Column): { pandas_type: string; numpy_type: string } {
  if (column.kind === "categorical") return { pandas_type: "categorical", numpy_type: "int32" };
  if (column.kind === "string") return { pandas_type: "unicode", numpy_type: "object" };
  // Halves are stored as singles.
  const name = column.kind === "boolean" ? "bool" : typeOf(column).replace("float16", "float32");
  if (column.mask === undefined) return { pandas_type: name, numpy_type: name };
  const nullable = column.kind === "boolean"
    ? "boolean"
    : name.replace(/^u?int|^float/, (word) =>
      word === "uint" ? "UInt" : word === "int" ? "Int" : "Float");
  return { pandas_type: name, numpy_type: nullable };
}

/** The note for some columns, as JSON. */
export function pandasNote(
  columns: readonly (readonly [string, Column])[],
  indexName: string | undefined,
): string {
  const field = indexField(indexName);
  const index = { pandas_type: "unicode", numpy_type: "object", metadata: null };
  return JSON.stringify({
    index_columns: [field],
    column_indexes: [],
    columns: [
      ...columns.map(([name, column]) => ({
        name,
        field_name: name,
        ...pandasType(column),
        metadata: column.kind === "categorical"
          ? { num_categories: column.categories.length, ordered: column.ordered }
          : null,
      })),
      { name: indexName ?? null, field_name: field, ...index },
    ],
    creator: { library: "@scgpt/sdk", version: "1" },
    pandas_version: "2.0.0",
  });
}

/** What is read of a note. */
interface Note {
  readonly index_columns?: readonly unknown[];
  readonly columns?: readonly { readonly field_name?: string; readonly pandas_type?: string }[];
}

/** What a note says. */
export interface PandasNote {
  /** Column that holds the index; undefined where the rows have no names. */
  readonly index: string | undefined;
  /** Columns that were categorical. */
  readonly categorical: ReadonlySet<string>;
}

/** Reads a note; one that is absent or not understood says nothing. */
export function readPandasNote(text: string | undefined): PandasNote {
  let note: Note = {};
  try {
    note = JSON.parse(text ?? "{}") as Note;
  } catch {
    // A note that is no JSON is not pandas'.
  }
  const index = note.index_columns?.[0];
  const labels = (note.columns ?? []).filter(({ pandas_type }) => pandas_type === "categorical");
  return {
    index: typeof index === "string" ? index : undefined,
    categorical: new Set(labels.flatMap(({ field_name }) => field_name ?? [])),
  };
}

/** Name of the index that a column holds; undefined where it has none. */
export function indexNameOf(field: string): string | undefined {
  return /^__index_level_\d+__$/.test(field) ? undefined : field;
}
