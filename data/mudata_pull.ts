/** Columns of modalities as columns of the joint tables. */
import type { AnnData } from "./anndata.ts";
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "./column.ts";
import { columnsOf, DataFrame } from "./dataframe.ts";
import { type LazyEntry, LazyMap } from "./lazy_map.ts";
import { isShared, type Shared } from "./mudata_index.ts";

/** Where joint rows come from. */
interface Pull {
  /** The modalities. */
  readonly mod: Readonly<Record<string, AnnData>>;
  /** Which of their tables. */
  readonly shared: Shared;
  /** What they share. */
  readonly axis: 0 | 1 | -1;
  /** Place of each joint row in every modality, from 1. */
  readonly maps: Readonly<Record<string, Uint32Array>>;
}

/** A column of a modality and where its rows go. */
interface Part {
  readonly column: Column;
  readonly map: Uint32Array;
}

/** For each joint row the part that has it and the row there; -1 where none has. */
interface Sources {
  readonly part: Int32Array;
  readonly row: Int32Array;
  readonly missing: Uint8Array;
  readonly gaps: boolean;
}

/** Finds where each joint row comes from: the first part that has it, with a value that is not missing. */
function sourcesOf(parts: readonly Part[], length: number): Sources {
  const part = new Int32Array(length).fill(-1);
  const row = new Int32Array(length).fill(-1);
  const missing = new Uint8Array(length).fill(1);
  parts.forEach(({ column, map }, p) => {
    for (let joint = 0; joint < length; joint++) {
      const place = map[joint]!;
      if (place === 0 || part[joint] !== -1) continue;
      part[joint] = p;
      row[joint] = place - 1;
      missing[joint] = column.at(place - 1) === null ? 1 : 0;
    }
  });
  return { part, row, missing, gaps: missing.includes(1) };
}

/** Numbers: missing ones are NaN among floats, masked among integers, as pandas' `convert_dtypes` has them. */
function joinNumbers(columns: readonly NumericColumn[], sources: Sources): NumericColumn {
  const { part, row, missing, gaps } = sources;
  const dtypes = new Set(columns.map(({ dtype }) => dtype));
  const dtype = dtypes.size === 1 ? columns[0]!.dtype : "float64";
  const floats = dtype.startsWith("float");
  const data = columns.every((column) => column.data instanceof Float32Array)
    ? new Float32Array(part.length)
    : new Float64Array(part.length);
  for (let joint = 0; joint < data.length; joint++) {
    const from = columns[part[joint]!];
    data[joint] = missing[joint] || from === undefined ? floats ? NaN : 0 : from.data[row[joint]!]!;
  }
  const masked = columns.some(({ mask }) => mask !== undefined);
  return new NumericColumn(data, { dtype, ...(masked || (gaps && !floats)) && { mask: missing } });
}

/** Labels whose categories are the same in all parts. */
function joinLabels(columns: readonly CategoricalColumn[], sources: Sources): CategoricalColumn {
  const { part, row } = sources;
  const codes = Int32Array.from(part, (p, joint) => columns[p]?.codes[row[joint]!] ?? -1);
  const [first] = columns;
  return new CategoricalColumn(codes, first!.labels, { ordered: first!.ordered });
}

/** Whether two columns have the same categories in the same order. */
function sameCategories(a: CategoricalColumn, b: CategoricalColumn): boolean {
  return a.ordered === b.ordered && a.categories.length === b.categories.length &&
    a.categories.every((category, code) => category === b.categories[code]);
}

/** One column of the columns of one name in several modalities; kinds that differ become texts. */
export function joinColumns(parts: readonly Part[], length: number): Column {
  const sources = sourcesOf(parts, length);
  const { part, row, missing, gaps } = sources;
  const columns = parts.map(({ column }) => column);
  const mask = gaps ? { mask: missing } : {};
  if (columns.every((column) => column instanceof NumericColumn)) {
    return joinNumbers(columns, sources);
  }
  if (
    columns.every((column) => column instanceof CategoricalColumn) &&
    columns.every((column) => sameCategories(column, columns[0]!))
  ) return joinLabels(columns, sources);
  if (columns.every((column) => column instanceof BooleanColumn)) {
    const truths = Uint8Array.from(part, (p, joint) => columns[p]?.data[row[joint]!] ?? 0);
    return new BooleanColumn(truths, mask);
  }
  const texts = Array.from(part, (p, joint) => String(columns[p]?.at(row[joint]!) ?? ""));
  return new StringColumn(texts, mask);
}

/** A reader of a joint column. */
function pullEntry(name: string, modalities: readonly string[], pull: Pull): LazyEntry<Column> {
  const { mod, shared, maps } = pull;
  return {
    async load() {
      const parts: Part[] = [];
      for (const modality of modalities) {
        const column = await mod[modality]![shared].column(name);
        parts.push({ column, map: maps[modality]! });
      }
      return joinColumns(parts, parts[0]!.map.length);
    },
  };
}

/** Names of columns that every modality has, where no name of a row is in two modalities: they are joined under their own name. */
function commonColumns({ mod, shared, axis }: Pull): ReadonlySet<string> {
  const frames = Object.values(mod).map((adata) => adata[shared]);
  if (isShared(axis, shared)) return new Set();
  const total = frames.reduce((sum, { length }) => sum + length, 0);
  const names = new Set(frames.flatMap(({ index }) => index));
  if (names.size < total) return new Set();
  return new Set(frames[0]!.columns().filter((name) => frames.every((frame) => frame.has(name))));
}

/** The joint table with the columns of the modalities, as mudata's `update` makes it: theirs first, then its own. */
export function pulledFrame(own: DataFrame, pull: Pull): DataFrame {
  const { mod, shared } = pull;
  const modalities = Object.keys(mod);
  const common = commonColumns(pull);
  const entries: [string, LazyEntry<Column>][] = [];
  for (const modality of modalities) {
    for (const name of mod[modality]![shared].columns()) {
      if (common.has(name)) continue;
      entries.push([`${modality}:${name}`, pullEntry(name, [modality], pull)]);
    }
  }
  for (const name of common) entries.push([name, pullEntry(name, modalities, pull)]);
  const pulled = new Set(entries.map(([name]) => name));
  for (const [name, entry] of columnsOf(own).entries()) {
    if (!pulled.has(name)) entries.push([name, entry]);
  }
  const { index, indexName } = own;
  return new DataFrame({
    index,
    columns: new LazyMap("column", entries),
    ...indexName !== undefined && { indexName },
  });
}
