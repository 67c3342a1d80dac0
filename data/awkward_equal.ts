/** Whether two awkward arrays are equal, as `ak.almost_equal` says. */
import type { AwkwardArray, AwkwardForm, AwkwardValue } from "./awkward.ts";

/** Difference of two numbers that is taken for none: absolute, and for each unit of the second. */
const TOLERANCE = { absolute: 1e-8, relative: 1e-5 };

const OPTIONS = new Set([
  ...["IndexedOptionArray", "ByteMaskedArray", "BitMaskedArray", "UnmaskedArray"],
]);

/** Type of a form: what its values are, however its buffers keep them. */
function typeText(form: AwkwardForm): string {
  const { parameters, content, contents = [], fields } = form;
  if (form.class === "IndexedArray") return typeText(content!);
  const own = Object.entries(parameters ?? {}).filter(([, value]) => value !== null);
  const meaning = own.length === 0 ? "" : JSON.stringify(own.sort());
  const inner = content && typeText(content);
  if (OPTIONS.has(form.class)) return `?(${inner})${meaning}`;
  switch (form.class) {
    case "NumpyArray":
      return (form.inner_shape ?? []).reduceRight<string>(
        (text, size) => `${size}*(${text})`,
        `${form.primitive}`,
      ) + meaning;
    case "ListOffsetArray":
    case "ListArray":
      return `var*(${inner})${meaning}`;
    case "RegularArray":
      return `${form.size}*(${inner})${meaning}`;
    case "RecordArray": {
      const named = contents.map((part, k) =>
        `${JSON.stringify(fields?.[k] ?? k)}:${typeText(part)}`
      );
      return `{${(fields ? named.sort() : named).join()}}${meaning}`;
    }
    default:
      return `${form.class}[${contents.map(typeText).join()}]${meaning}`;
  }
}

/** Whether two values of one type are close. */
function close(a: AwkwardValue | undefined, b: AwkwardValue | undefined): boolean {
  if (typeof a === "number" && typeof b === "number") {
    const { absolute, relative } = TOLERANCE;
    return a === b || Number.isFinite(b) && Math.abs(a - b) <= absolute + relative * Math.abs(b);
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [left, right] = [a, b] as Readonly<Record<string, AwkwardValue>>[];
  const names = Object.keys(left!);
  return names.length === Object.keys(right!).length &&
    names.every((name) => close(left![name], right![name]));
}

/** Whether two arrays have the same type, and values that are equal within rounding; NaN equals nothing. */
export function equalAwkward(a: AwkwardArray, b: AwkwardArray): boolean {
  if (a.length !== b.length || typeText(a.form) !== typeText(b.form)) return false;
  for (let row = 0; row < a.length; row++) if (!close(a.at(row), b.at(row))) return false;
  return true;
}
