/** Files from before encodings were written (anndata < 0.7), and the nodes that 0.7 left without one. */
import { CategoricalColumn, type Column } from "./column.ts";
import { DataFrame } from "./dataframe.ts";
import { FormatError } from "./errors.ts";
import { LazyMap } from "./lazy_map.ts";
import type { Matrix } from "./matrix.ts";
import { denseMatrix } from "./matrix_memory.ts";
import { toFloats } from "./numbers.ts";
import type { RawArray, StorageArray, StorageGroup, StorageNode } from "./storage.ts";

/** Registry key of a node that names no encoding. */
export function legacyKey(node: StorageNode): string {
  if (node.node === "array") return node.dtype.kind === "struct" ? "legacy/table" : "legacy/array";
  const format = node.attribute("h5sparse_format");
  if (format === "csr" || format === "csc") return `legacy/${format}`;
  return node.attribute("h5sparse_format") === undefined ? "legacy/dict" : `h5sparse ${format}`;
}

/** The array of categories that an old file keeps in `uns` for a column. */
async function categoriesOf(
  uns: StorageGroup | undefined,
  name: string,
): Promise<readonly string[] | undefined> {
  const node = await uns?.get(`${name}_categories`);
  if (node?.node !== "array") return undefined;
  const values = await node.read();
  if (Array.isArray(values)) return values;
  return "fields" in values ? undefined : Array.from(values, String);
}

/** The table with labels in place of codes wherever `uns` has categories of a column's name. */
export function withUnsCategories(frame: DataFrame, uns: StorageGroup | undefined): DataFrame {
  const keys = new Set(uns?.keys());
  const columns = frame.columns().map((name) =>
    [name, {
      load: async (): Promise<Column> => {
        const column = await frame.column(name);
        if (!keys.has(`${name}_categories`) || column.kind !== "numeric") return column;
        const categories = await categoriesOf(uns, name);
        return categories === undefined
          ? column
          : new CategoricalColumn(Int32Array.from(column.data), categories);
      },
    }] as const
  );
  const { index, indexName } = frame;
  return new DataFrame({
    index,
    columns: new LazyMap("column", columns),
    ...indexName !== undefined && { indexName },
  });
}

/** Names in `uns` that belong to a table's labels rather than to the user. */
export function unsCategoryKeys(frames: readonly DataFrame[]): ReadonlySet<string> {
  return new Set(frames.flatMap((frame) => frame.columns().map((name) => `${name}_categories`)));
}

/** The matrices of an old obsm or varm: one structured array with one field each. */
export function structMatrices(array: StorageArray): LazyMap<Matrix> {
  if (array.dtype.kind !== "struct") {
    throw new FormatError("encoding", "Cannot read the arrays as they must be one table", array);
  }
  const nRows = array.shape?.[0] ?? 0;
  const entries = array.dtype.fields.map(({ name, shape }) =>
    [name, {
      load: async (): Promise<Matrix> => {
        const data = await array.read();
        const field = "fields" in data ? data.fields.get(name) : undefined;
        const values = toFloats(field as RawArray, array);
        const nCols = shape.reduce((product, length) => product * length, 1);
        return denseMatrix(values, [nRows, nCols]);
      },
    }] as const
  );
  return new LazyMap(array.key, entries);
}
