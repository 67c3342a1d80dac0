/** Tables and columns of anndata's encodings. */
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "./column.ts";
import { DataFrame } from "./dataframe.ts";
import type { Read, Reader } from "./encoding_roles.ts";
import { FormatError } from "./errors.ts";
import { type LazyEntry, LazyMap, storedEntry } from "./lazy_map.ts";
import { toFloats } from "./numbers.ts";
import { childArray } from "./stored_arrays.ts";
import type {
  ArrayData,
  Dtype,
  RawArray,
  StorageArray,
  StorageGroup,
  StorageNode,
} from "./storage.ts";

/** A column out of elements in memory. */
function columnOf(data: ArrayData, dtype: Dtype, place: StorageNode, mask?: Uint8Array): Column {
  const options = mask === undefined ? {} : { mask };
  if (dtype.kind === "string") return new StringColumn(data as string[], options);
  if (dtype.kind === "bool") return new BooleanColumn(data as Uint8Array, options);
  if (dtype.kind === "numeric") {
    return new NumericColumn(toFloats(data as RawArray, place), { ...options, dtype: dtype.name });
  }
  throw new FormatError(
    "encoding",
    `Cannot read a column as its elements are of type ${dtype.kind}`,
    place,
  );
}

/** Reads a plain array as a column; throws where it has more than one axis. */
export const readArrayColumn: Reader<Column> = async (node) => {
  if (node.node !== "array" || node.shape?.length !== 1) {
    throw new FormatError(
      "encoding",
      "Cannot read a column as it must be an array of one axis",
      node,
    );
  }
  return columnOf(await node.read(), node.dtype, node);
};

/** Reads a column of values and a mask of the missing ones. */
export const readNullable: Reader<Column> = async (node) => {
  const group = node as StorageGroup;
  const values = await childArray(group, "values");
  const mask = await childArray(group, "mask");
  return columnOf(await values.read(), values.dtype, node, await mask.read() as Uint8Array);
};

/** Labels out of their codes and categories. */
async function categorical(
  codes: StorageArray,
  categories: StorageNode,
  options: { ordered: boolean; read: Read },
): Promise<CategoricalColumn> {
  const labels = await options.read("column", categories);
  if (labels.kind === "categorical") {
    throw new FormatError("encoding", "Cannot read categories as they are categorical", categories);
  }
  const numbers = toFloats(await codes.read() as RawArray, codes);
  try {
    return new CategoricalColumn(
      Int32Array.from(numbers),
      labels,
      { ordered: options.ordered },
    );
  } catch (cause) {
    throw new FormatError("value", (cause as Error).message, {
      file: codes.file,
      key: codes.key,
      cause,
    });
  }
}

/** Reads a group of codes and categories. */
export const readCategorical: Reader<Column> = async (node, read) => {
  const group = node as StorageGroup;
  const categories = await childArray(group, "categories").catch(async (error) => {
    const masked = await group.get("categories");
    if (masked === undefined) throw error;
    return masked;
  });
  return await categorical(await childArray(group, "codes"), categories, {
    ordered: Boolean(node.attribute("ordered")),
    read,
  });
};

/** Reader of one column of a table; `categories` are those that anndata 0.7 keeps beside the codes. */
function columnEntry(
  node: StorageNode,
  categories: StorageNode | undefined,
  read: Read,
): LazyEntry<Column> {
  if (categories === undefined || node.node !== "array") {
    return storedEntry(node, () => read("column", node));
  }
  const ordered = Boolean(categories.attribute("ordered"));
  return { load: () => categorical(node, categories, { ordered, read }) };
}

/** Opens a column of a table; one that cannot be opened fails when it is asked for, so that the others can be read. */
async function openColumn(
  group: StorageGroup,
  name: string,
  options: { folder: StorageNode | undefined; read: Read },
): Promise<LazyEntry<Column>> {
  const { folder, read } = options;
  try {
    const column = await group.get(name);
    if (column === undefined) {
      const reason = `Cannot read the table as it has no column ${name}`;
      throw new FormatError("missing-key", reason, group);
    }
    const categories = folder?.node === "group" ? await folder.get(name) : undefined;
    return columnEntry(column, categories, read);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { load: () => Promise.reject(error) };
  }
}

/** Names in an attribute, which is an empty array of numbers where there is none. */
function namesIn(node: StorageNode, attribute: string): readonly string[] {
  const names = node.attribute(attribute);
  return Array.isArray(names) ? names.map(String) : [];
}

/** Names of the rows of a table. */
async function readIndex(
  group: StorageGroup,
  name: string,
  read: Read,
): Promise<readonly string[]> {
  const node = await group.get(name);
  if (node === undefined) {
    throw new FormatError("missing-key", `Cannot read the table as it has no index ${name}`, group);
  }
  const index = await read("column", node);
  if (index.kind === "string" && index.mask === undefined) return index.data;
  return Array.from(index.values(), String);
}

/** Opens a table that is a group of columns; reads its index. */
export const readTable: Reader<DataFrame> = async (node, read) => {
  const group = node as StorageGroup;
  const indexName = String(node.attribute("_index") ?? "_index");
  const folder = await group.get("__categories");
  const entries: [string, LazyEntry<Column>][] = [];
  for (const name of namesIn(node, "column-order")) {
    entries.push([name, await openColumn(group, name, { folder, read })]);
  }
  return new DataFrame({
    index: await readIndex(group, indexName, read),
    columns: new LazyMap("column", entries),
    ...indexName !== "_index" && { indexName },
  });
};

/** Reads a table that is one structured array, as anndata wrote before 0.7; a field holds the index. */
export const readStructFrame: Reader<DataFrame> = async (node) => {
  if (node.node !== "array" || node.dtype.kind !== "struct") {
    throw new FormatError("encoding", "Cannot read a table as it must be a structured array", node);
  }
  const data = await node.read() as { fields: Map<string, ArrayData> };
  const columns = new Map(
    node.dtype.fields.filter(({ shape }) => shape.length === 0)
      .map(({ name, dtype }) => [name, columnOf(data.fields.get(name)!, dtype, node)]),
  );
  const indexName = ["index", "_index"].find((name) => columns.has(name)) ?? [...columns.keys()][0];
  const index = indexName === undefined ? undefined : columns.get(indexName);
  if (indexName === undefined || index === undefined) {
    throw new FormatError("missing-key", "Cannot read a table as it has no index", node);
  }
  columns.delete(indexName);
  return new DataFrame({
    index: Array.from(index.values(), String),
    columns: Object.fromEntries(columns),
    ...indexName !== "_index" && { indexName },
  });
};
