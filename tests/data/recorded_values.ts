/** Unstructured values as scripts/dev/make_concat_fixtures.py writes them. */
import {
  AwkwardArray,
  BooleanColumn,
  CategoricalColumn,
  csrMatrix,
  DataFrame,
  type Matrix,
  NumericColumn,
  type NumericDtype,
  type UnsDict,
  type UnsValue,
} from "../../data/mod.ts";
import { asRecords } from "../../data/uns.ts";

type Plain = null | number | boolean | string;

interface Sparse {
  readonly sparse: readonly Plain[];
  readonly dtype: string;
  readonly shape: readonly [number, number];
  readonly format: "csr" | "csc";
}

/** A recorded value: its first key says of which kind. */
export type RecordedValue =
  | { readonly none: null }
  | { readonly text: string }
  | { readonly truth: boolean }
  | { readonly number: number | string }
  | { readonly array: readonly Plain[]; readonly dtype: string; readonly shape: readonly number[] }
  | { readonly records: Readonly<Record<string, RecordedValue>> }
  | {
    readonly categories: readonly string[];
    readonly ordered: boolean;
    readonly values: readonly (string | null)[];
  }
  | { readonly nullable: readonly Plain[]; readonly dtype: string }
  | {
    readonly columns: Readonly<Record<string, RecordedValue>>;
    readonly index: readonly string[];
  }
  | Sparse
  | { readonly lists: readonly (readonly number[])[]; readonly dtype: "float32" | "float64" }
  | RecordedDict;

/** A recorded dictionary. */
export interface RecordedDict {
  readonly dict: Readonly<Record<string, RecordedValue>>;
}

const ARRAYS = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
} as const;

/** A matrix of recorded values by rows: Number("NaN") is what it says. */
export function sparseFrom({ sparse, dtype, shape, format }: Sparse): Matrix {
  const values = sparse.map(Number);
  const [nRows, nCols] = shape;
  const there = [...values.keys()].filter((k) => values[k] !== 0);
  const indptr = Uint32Array.from(
    { length: nRows + 1 },
    (_, row) => there.filter((k) => k < row * nCols).length,
  );
  const data = Float64Array.from(there, (k) => values[k]!);
  const indices = Uint32Array.from(there, (k) => k % nCols);
  return { ...csrMatrix({ shape, indptr, indices, data }), dtype, format };
}

function arrayFrom(values: readonly Plain[], dtype: string, shape: readonly number[]): UnsValue {
  const data = dtype === "str" || dtype === "bool"
    ? values as string[] | boolean[]
    : new ARRAYS[dtype as keyof typeof ARRAYS](values.map(Number));
  return shape.length === 1 ? data : { shape, data };
}

function nullableFrom(values: readonly Plain[], dtype: string): UnsValue {
  const mask = Uint8Array.from(values, (value) => value === null ? 1 : 0);
  if (dtype === "boolean") {
    return new BooleanColumn(values.map((value) => value === true), { mask });
  }
  const name = dtype.toLowerCase() as NumericDtype;
  return new NumericColumn(Float64Array.from(values, Number), { dtype: name, mask });
}

function listsFrom(lists: readonly (readonly number[])[], primitive: "float32" | "float64") {
  const ends = lists.map((_, k) => lists.slice(0, k + 1).flat().length);
  const content = { class: "NumpyArray", primitive, form_key: "node1" };
  return new AwkwardArray({
    length: lists.length,
    form: { class: "ListOffsetArray", offsets: "i64", content, form_key: "node0" },
    buffers: new Map<string, BigInt64Array<ArrayBuffer> | Float64Array<ArrayBuffer>>([
      ["node0-offsets", BigInt64Array.from([0, ...ends].map(BigInt))],
      ["node1-data", Float64Array.from(lists.flat())],
    ]),
  });
}

/** A recorded dictionary as uns holds it. */
export function dictFrom(values: Readonly<Record<string, RecordedValue>>): UnsDict {
  return Object.fromEntries(Object.entries(values).map(([name, one]) => [name, valueFrom(one)]));
}

/** A recorded value as uns holds it. */
export function valueFrom(value: RecordedValue): UnsValue {
  if ("none" in value) return null;
  if ("text" in value) return value.text;
  if ("truth" in value) return value.truth;
  if ("number" in value) return Number(value.number);
  if ("array" in value) return arrayFrom(value.array, value.dtype, value.shape);
  if ("records" in value) return asRecords(dictFrom(value.records));
  if ("categories" in value) {
    const codes = Int32Array.from(
      value.values,
      (label) => label === null ? -1 : value.categories.indexOf(label),
    );
    return new CategoricalColumn(codes, value.categories, { ordered: value.ordered });
  }
  if ("nullable" in value) return nullableFrom(value.nullable, value.dtype);
  if ("sparse" in value) return sparseFrom(value);
  if ("lists" in value) return listsFrom(value.lists, value.dtype);
  if ("dict" in value) return dictFrom(value.dict);
  return Object.entries(dictFrom(value.columns)).reduce(
    (frame, [name, column]) => frame.with(name, column as string[] | Float64Array<ArrayBuffer>),
    new DataFrame({ index: value.index }),
  );
}
