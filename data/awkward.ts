/** Awkward arrays: lists of any length, records and the like, as https://awkward-array.org keeps them. */
import { checkIndices } from "./checks.ts";
import type { RawArray } from "./storage.ts";

/** How the buffers of an awkward array belong together, as `ak.forms.Form.to_dict()` writes it. */
export interface AwkwardForm {
  /** Kind of node: "ListOffsetArray", "NumpyArray", "RecordArray", ... */
  readonly class: string;
  /** Start of the names of its buffers; null where it has none. */
  readonly form_key?: string | null;
  /** numpy's name of the elements of a NumpyArray. */
  readonly primitive?: string;
  /** Axes of the elements of a NumpyArray. */
  readonly inner_shape?: readonly number[];
  /** What the node wraps. */
  readonly content?: AwkwardForm;
  /** What a record or a union holds. */
  readonly contents?: readonly AwkwardForm[];
  /** Names of the fields of a record; null for a tuple. */
  readonly fields?: readonly string[] | null;
  /** Length of the lists of a RegularArray. */
  readonly size?: number;
  /** Whether 1 in the mask of a masked array means that a value is there. */
  readonly valid_when?: boolean;
  /** Whether the first bit of a mask's byte is its lowest. */
  readonly lsb_order?: boolean;
  /** Meaning of the node: `__array__` is "string" for lists of characters. */
  readonly parameters?: Readonly<Record<string, unknown>> | null;
  /** Element types of buffers, and what other kinds of nodes have. */
  readonly [name: string]: unknown;
}

/** A value of an awkward array; 64-bit integers beyond 2^53 are `bigint`. */
export type AwkwardValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly AwkwardValue[]
  | { readonly [field: string]: AwkwardValue };

/** Takes values out of nodes of every kind. */
type Taker = (form: AwkwardForm, at: number, source: AwkwardArray) => AwkwardValue;

/** A whole number of a buffer. */
function whole(source: AwkwardArray, form: AwkwardForm, part: string, at: number): number {
  return Number(source.buffer(form, part)[at]);
}

/** Values `from .. to` of the content; text where they are characters. */
function list(source: AwkwardArray, form: AwkwardForm, from: number, to: number): AwkwardValue {
  const content = form.content!;
  const kind = form.parameters?.["__array__"];
  if (kind === "string" || kind === "bytestring") {
    const bytes = source.buffer(content, "data").subarray(from, to) as Uint8Array<ArrayBuffer>;
    return new TextDecoder().decode(bytes);
  }
  return Array.from({ length: Math.max(0, to - from) }, (_, k) => take(content, from + k, source));
}

/** A number or truth value, or a list of them where the elements have axes. */
function primitive(form: AwkwardForm, at: number, source: AwkwardArray): AwkwardValue {
  const data = source.buffer(form, "data");
  const plain = (k: number): AwkwardValue => {
    const value = data[k]!;
    if (form.primitive === "bool") return value === 1;
    return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };
  const nest = (axes: readonly number[], start: number): AwkwardValue => {
    const [length, ...rest] = axes;
    if (length === undefined) return plain(start);
    const step = rest.reduce((a, b) => a * b, 1);
    return Array.from({ length }, (_, k) => nest(rest, start + k * step));
  };
  const axes = form.inner_shape ?? [];
  return nest(axes, at * axes.reduce((a, b) => a * b, 1));
}

/** Whether a bit of a mask is set. */
function bit(source: AwkwardArray, form: AwkwardForm, at: number): boolean {
  const byte = whole(source, form, "mask", at >> 3);
  return ((byte >> (form.lsb_order ? at & 7 : 7 - (at & 7))) & 1) === 1;
}

/** Value at `index` of the content; null below 0. */
function indexed(form: AwkwardForm, at: number, source: AwkwardArray): AwkwardValue {
  const index = whole(source, form, "index", at);
  return index < 0 ? null : take(form.content!, index, source);
}

const TAKERS: Readonly<Record<string, Taker>> = {
  NumpyArray: primitive,
  EmptyArray: () => null,
  ListOffsetArray: (form, at, source) =>
    list(source, form, whole(source, form, "offsets", at), whole(source, form, "offsets", at + 1)),
  ListArray: (form, at, source) =>
    list(source, form, whole(source, form, "starts", at), whole(source, form, "stops", at)),
  RegularArray: (form, at, source) =>
    list(source, form, at * (form.size ?? 0), (at + 1) * (form.size ?? 0)),
  RecordArray(form, at, source) {
    const values = (form.contents ?? []).map((content) => take(content, at, source));
    if (!form.fields) return values;
    return Object.fromEntries(form.fields.map((field, k) => [field, values[k]!]));
  },
  IndexedArray: indexed,
  IndexedOptionArray: indexed,
  ByteMaskedArray: (form, at, source) =>
    (whole(source, form, "mask", at) === 1) === form.valid_when
      ? take(form.content!, at, source)
      : null,
  BitMaskedArray: (form, at, source) =>
    bit(source, form, at) === form.valid_when ? take(form.content!, at, source) : null,
  UnmaskedArray: (form, at, source) => take(form.content!, at, source),
  UnionArray: (form, at, source) =>
    take(
      form.contents![whole(source, form, "tags", at)]!,
      whole(source, form, "index", at),
      source,
    ),
};

/** The value of a node at a place. */
function take(form: AwkwardForm, at: number, source: AwkwardArray): AwkwardValue {
  const taker = TAKERS[form.class];
  if (taker !== undefined) return taker(form, at, source);
  throw new TypeError(`Cannot read an awkward array as its node ${form.class} is not known`);
}

/** Rows of values of any length and nesting, kept as flat buffers: offsets, values, indices, masks. */
export class AwkwardArray {
  /** Number of rows. */
  readonly length: number;
  /** How the buffers belong together. */
  readonly form: AwkwardForm;
  /** The buffers by name: "node0-offsets", "node1-data". */
  readonly buffers: ReadonlyMap<string, RawArray>;

  /**
   * Makes an array of its parts, which are not copied.
   *
   * @param parts Rows, form and buffers, as `ak.to_buffers` gives them.
   *
   * @example Lists of numbers
   * ```ts
   * import assert from "node:assert/strict";
   * import { AwkwardArray } from "@scgpt/sdk/data";
   *
   * const content = { class: "NumpyArray", primitive: "float64", form_key: "node1" };
   * const ragged = new AwkwardArray({
   *   length: 3,
   *   form: { class: "ListOffsetArray", offsets: "i64", content, form_key: "node0" },
   *   buffers: new Map<string, BigInt64Array<ArrayBuffer> | Float64Array<ArrayBuffer>>([
   *     ["node0-offsets", BigInt64Array.of(0n, 2n, 2n, 3n)],
   *     ["node1-data", Float64Array.of(1, 2, 3)],
   *   ]),
   * });
   * assert.deepEqual([...ragged.values()], [[1, 2], [], [3]]);
   * ```
   */
  constructor(
    parts: {
      readonly length: number;
      readonly form: AwkwardForm;
      readonly buffers: ReadonlyMap<string, RawArray>;
    },
  ) {
    this.length = parts.length;
    this.form = parts.form;
    this.buffers = parts.buffers;
  }

  /** The buffer of a node; throws `RangeError` where there is none. */
  buffer(form: AwkwardForm, part: string): RawArray {
    const name = `${form.form_key}-${part}`;
    const buffer = this.buffers.get(name);
    if (buffer !== undefined) return buffer;
    throw new RangeError(
      `Cannot read an awkward array as it has no buffer ${name}: it has ${
        [...this.buffers.keys()].join(", ") || "none"
      }`,
    );
  }

  /** Value of a row. */
  at(row: number): AwkwardValue {
    return take(this.form, row, this);
  }

  /** All values in order. */
  *values(): Generator<AwkwardValue> {
    for (let row = 0; row < this.length; row++) yield this.at(row);
  }

  /** The array of some rows, over the same buffers. */
  take(rows: ArrayLike<number>): AwkwardArray {
    checkIndices(rows, this.length, { act: "take rows of an awkward array", unique: false });
    let key = "rows";
    while (this.buffers.has(`${key}-index`)) key += "_";
    const index = BigInt64Array.from(Array.from(rows, BigInt));
    return new AwkwardArray({
      length: rows.length,
      form: {
        class: "IndexedArray",
        index: "i64",
        content: this.form,
        parameters: {},
        form_key: key,
      },
      buffers: new Map([...this.buffers, [`${key}-index`, index]]),
    });
  }
}
