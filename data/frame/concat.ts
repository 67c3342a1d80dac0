/** Columns one below the other. */
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "../column.ts";
import { fitsFloat32, promote } from "../numbers.ts";
import { labelTexts } from "./factorize.ts";
import { naturalOrder } from "./text_order.ts";

/** A column of a part, or nothing where the part lacks it; and the rows of the part. */
export interface Part {
  /** The column. */
  readonly column: Column | undefined;
  /** Rows of the part. */
  readonly length: number;
}

/** Mask of the rows that have no value, undefined where none is masked. */
function stackedMask(parts: readonly Part[]): { mask?: Uint8Array } {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const mask = new Uint8Array(length);
  let at = 0, masked = false;
  for (const { column, length } of parts) {
    const own = column === undefined || column.kind === "categorical" ? undefined : column.mask;
    if (column === undefined) mask.fill(1, at, at + length);
    else if (own !== undefined) mask.set(own, at);
    masked ||= own !== undefined || column === undefined && length > 0;
    at += length;
  }
  return masked ? { mask } : {};
}

function stackNumbers(parts: readonly Part[]): Column {
  const columns = parts.map(({ column }) => column as NumericColumn | undefined);
  const dtype = columns.flatMap((column) => column ? [column.dtype] : []).reduce(promote);
  const narrow = fitsFloat32(dtype) &&
    columns.every((column) => column === undefined || column.data instanceof Float32Array);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const data = narrow ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const [k, { length }] of parts.entries()) {
    if (columns[k]) data.set(columns[k].data, at);
    at += length;
  }
  return new NumericColumn(data, { dtype, ...stackedMask(parts) });
}

function stackBooleans(parts: readonly Part[]): Column {
  const data = parts.flatMap(({ column, length }) =>
    column ? [...(column as BooleanColumn).data] : new Array<number>(length).fill(0)
  );
  return new BooleanColumn(Uint8Array.from(data), stackedMask(parts));
}

/** A column of texts or labels as texts. */
function asTexts(column: Column): StringColumn {
  if (column.kind === "string") return column;
  const values = [...column.values()];
  const missing = values.map((value) => value === null ? 1 : 0);
  const texts = values.map((value) => value === null ? "" : String(value));
  return new StringColumn(texts, missing.includes(1) ? { mask: Uint8Array.from(missing) } : {});
}

function stackTexts(parts: readonly Part[]): Column {
  const texts = parts.map(({ column, length }) => ({
    column: column && asTexts(column),
    length,
  }));
  const data: string[] = [];
  for (const { column, length } of texts) {
    for (let row = 0; row < length; row++) data.push(column?.data[row] ?? "");
  }
  return new StringColumn(data, stackedMask(texts));
}

/** Whether all columns have the same categories in the same order. */
function sameCategories([first, ...rest]: readonly CategoricalColumn[]): boolean {
  return rest.every(({ categories }) =>
    categories.length === first!.categories.length &&
    categories.every((category, code) => category === first!.categories[code])
  );
}

/** The labels of all columns, each once; undefined where they do not mix. */
function unionLabels(
  columns: readonly CategoricalColumn[],
  natural: boolean,
): Column | undefined {
  const [first] = columns as [CategoricalColumn, ...CategoricalColumn[]];
  if (columns.some(({ ordered }) => ordered !== first.ordered)) return undefined;
  const equal = sameCategories(columns);
  if (equal && (first.ordered || !natural)) return first.labels;
  if (first.ordered || columns.some(({ labels }) => labels.kind !== first.labels.kind)) {
    return undefined;
  }
  const all = stackColumns(
    columns.map(({ labels }) => ({ column: labels, length: labels.length })),
  );
  const texts = labelTexts(all);
  const firsts = new Map(texts.map((text, row) => [text, row] as const).reverse());
  const rows = [...firsts.values()].sort((a, b) => a - b);
  return all.take(natural ? rows.sort((a, b) => naturalOrder(texts[a]!, texts[b]!)) : rows);
}

/** Labels of all parts over one list of categories; texts where their orders or kinds differ. */
function stackLabels(parts: readonly Part[], natural: boolean): Column {
  const columns = parts.flatMap(({ column }) => column ? [column as CategoricalColumn] : []);
  const labels = unionLabels(columns, natural) as StringColumn | undefined;
  if (labels === undefined) return stackTexts(parts);
  const places = new Map(Array.from(labels.values(), (label, code) => [String(label), code]));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const codes = new Int32Array(length).fill(-1);
  let at = 0;
  for (const { column, length } of parts) {
    if (column?.kind === "categorical") {
      const renamed = column.categories.map((category) => places.get(category)!);
      column.codes.forEach((code, row) => code >= 0 && (codes[at + row] = renamed[code]!));
    }
    at += length;
  }
  return new CategoricalColumn(codes, labels, { ordered: columns[0]!.ordered });
}

/**
 * Stacks columns; numbers take the type that holds all of them, labels all categories.
 *
 * @param parts The columns from top to bottom; rows of a part without the column have no value.
 * @param options `natural`: categories in natural order, as anndata has them, in place of the order in which they come.
 * @throws {TypeError} Where numbers, truth values and texts would mix.
 */
export function stackColumns(
  parts: readonly Part[],
  options: { natural?: boolean } = {},
): Column {
  const kinds = new Set(parts.flatMap(({ column }) => column ? [column.kind] : []));
  if (kinds.size === 1 && kinds.has("numeric")) return stackNumbers(parts);
  if (kinds.size === 1 && kinds.has("boolean")) return stackBooleans(parts);
  if (kinds.size === 1 && kinds.has("categorical")) {
    return stackLabels(parts, options.natural ?? false);
  }
  if (!kinds.has("numeric") && !kinds.has("boolean")) return stackTexts(parts);
  throw new TypeError(
    `Cannot stack columns as they must be of one kind: got ${[...kinds].join(" and ")}`,
  );
}
