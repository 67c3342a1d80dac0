/** Columns of texts as numbers, truth values and labels. */
import {
  BooleanColumn,
  CategoricalColumn,
  type Column,
  NumericColumn,
  StringColumn,
} from "../column.ts";
import type { ColumnType } from "../frame/schema.ts";
import { fitsFloat32 } from "../numbers.ts";
import type { NumericDtype } from "../storage.ts";

/** Texts that pandas takes for no value, apart from those that are numbers here. */
const MISSING = [
  ...["#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "None", "n/a", "null"],
];

const WHOLE = /^[-+]?\d+$/;
const NUMBER = /^[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf(inity)?|nan)$/i;
const TRUTH: ReadonlyMap<string, boolean> = new Map([
  ...["True", "TRUE", "true"].map((text) => [text, true] as const),
  ...["False", "FALSE", "false"].map((text) => [text, false] as const),
]);

/** Bounds of whole numbers; those of 64 bits are within 2^53 here. */
function bounds(dtype: NumericDtype): readonly [number, number] {
  const bits = Math.min(53, Number(dtype.replace(/\D/g, "")));
  const half = bits === 53 ? 2 ** 53 - 1 : 2 ** (bits - 1) - 1;
  if (dtype.startsWith("u")) return [0, bits === 53 ? half : 2 ** bits - 1];
  return [bits === 53 ? -half : -half - 1, half];
}

/** The number that a text is; undefined where it is none. */
function numberIn(text: string): number | undefined {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return undefined;
  if (/nan$/i.test(trimmed)) return NaN;
  if (/inf/i.test(trimmed)) return trimmed.startsWith("-") ? -Infinity : Infinity;
  return Number(trimmed);
}

/** The type that all texts are of. */
function inferType(texts: readonly string[], missing: Uint8Array): ColumnType {
  const is = { whole: true, number: true, truth: true };
  let any = false;
  for (let row = 0; row < texts.length; row++) {
    if (missing[row]) continue;
    any = true;
    const text = texts[row]!;
    const whole = WHOLE.test(text);
    is.whole &&= whole;
    // A whole number beyond 2^53 would be rounded: such a column stays text.
    is.number &&= whole ? Number.isSafeInteger(Number(text)) : numberIn(text) !== undefined;
    is.truth &&= TRUTH.has(text);
    if (!is.number && !is.truth) return "string";
  }
  if (!any) return "string";
  return is.whole && is.number ? "int64" : is.number ? "float64" : "boolean";
}

/** What a column of texts is made with. */
export interface TextColumnOptions {
  /** Name of the column, for messages. */
  readonly name: string;
  /** Its type; found in the texts where undefined. */
  readonly type: ColumnType | undefined;
  /** Texts that stand for no value, beside the empty one. */
  readonly missing: readonly string[] | undefined;
  /** Number of the first row, for messages. */
  readonly start: number;
}

/** What is wrong with a text. */
function misfit(row: number, type: string, text: string, options: TextColumnOptions): RangeError {
  return new RangeError(
    `Cannot read row ${options.start + row} of the column ${
      JSON.stringify(options.name)
    } as it must be ${type}: got ${JSON.stringify(text)}`,
  );
}

/** Numbers of texts. */
function numbers(
  texts: readonly string[],
  mask: Uint8Array,
  options: TextColumnOptions & { readonly dtype: NumericDtype },
): Column {
  const { dtype } = options;
  const data = fitsFloat32(dtype) ? new Float32Array(texts.length) : new Float64Array(texts.length);
  const whole = !dtype.startsWith("float");
  const [least, most] = whole ? bounds(dtype) : [-Infinity, Infinity];
  for (let row = 0; row < texts.length; row++) {
    if (mask[row]) continue;
    const value = numberIn(texts[row]!);
    const fits = value !== undefined &&
      (whole ? Number.isInteger(value) && value >= least && value <= most : true);
    if (!fits) throw misfit(row, dtype, texts[row]!, options);
    data[row] = value;
  }
  return new NumericColumn(data, { dtype, ...mask.includes(1) && { mask } });
}

/** A column of texts, some of which stand for no value. */
export function textColumn(texts: readonly string[], options: TextColumnOptions): Column {
  const none = new Set(["", ...options.missing ?? MISSING]);
  const mask = Uint8Array.from(texts, (text) => none.has(text) ? 1 : 0);
  const type = options.type ?? inferType(texts, mask);
  const masked = mask.includes(1) ? { mask } : {};
  if (type === "string") {
    return new StringColumn(texts.map((text, row) => mask[row] ? "" : text), masked);
  }
  if (type === "categorical") {
    return CategoricalColumn.from(texts.map((text, row) => mask[row] ? null : text));
  }
  if (type !== "boolean") {
    const stated = type === "numeric" ? inferType(texts, mask) : type;
    const dtype = stated === "string" || stated === "boolean" ? "float64" : stated as NumericDtype;
    return numbers(texts, mask, { ...options, dtype });
  }
  const values = texts.map((text, row) => {
    const value = mask[row] ? false : TRUTH.get(text);
    if (value === undefined) throw misfit(row, type, text, options);
    return value;
  });
  return new BooleanColumn(values, masked);
}
