import assert from "node:assert/strict";
import { AwkwardArray, type AwkwardForm } from "../../data/mod.ts";

const numbers = { class: "NumpyArray", primitive: "int64", form_key: "n" };
const chars = {
  class: "NumpyArray",
  primitive: "uint8",
  parameters: { __array__: "char" },
  form_key: "c",
};
const texts: AwkwardForm = {
  class: "ListOffsetArray",
  content: chars,
  parameters: { __array__: "string" },
  form_key: "t",
};

const buffers = new Map<string, BigInt64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>([
  ["n-data", BigInt64Array.of(1n, 2n, 3n, 2n ** 60n)],
  ["c-data", new TextEncoder().encode("aübc") as Uint8Array<ArrayBuffer>],
  ["t-offsets", BigInt64Array.of(0n, 3n, 3n, 5n)],
  ["l-offsets", BigInt64Array.of(0n, 2n, 2n, 4n)],
  ["l-starts", BigInt64Array.of(3n, 0n)],
  ["l-stops", BigInt64Array.of(4n, 2n)],
  ["i-index", BigInt64Array.of(2n, -1n, 0n)],
  ["m-mask", Uint8Array.of(1, 0, 1)],
  ["b-mask", Uint8Array.of(0b101)],
  ["u-tags", Uint8Array.of(0, 1)],
  ["u-index", BigInt64Array.of(2n, 0n)],
]);

/** All values of an array over the buffers above. */
function read(form: AwkwardForm, length: number): unknown[] {
  return [...new AwkwardArray({ length, form, buffers }).values()];
}

Deno.test("AwkwardArray reads every kind of node", () => {
  assert.deepEqual(read(numbers, 4), [1, 2, 3, 2n ** 60n]);
  assert.deepEqual(read({ ...numbers, inner_shape: [2] }, 2), [[1, 2], [3, 2n ** 60n]]);
  assert.deepEqual(read(texts, 3), ["aü", "", "bc"]);
  const wrap = (kind: string, key: string, more = {}): AwkwardForm => ({
    class: kind,
    content: numbers,
    form_key: key,
    ...more,
  });
  assert.deepEqual(read(wrap("ListOffsetArray", "l"), 3), [[1, 2], [], [3, 2n ** 60n]]);
  assert.deepEqual(read(wrap("ListArray", "l"), 2), [[2n ** 60n], [1, 2]]);
  assert.deepEqual(read(wrap("RegularArray", "r", { size: 2 }), 2), [[1, 2], [3, 2n ** 60n]]);
  assert.deepEqual(read(wrap("IndexedOptionArray", "i"), 3), [3, null, 1]);
  assert.deepEqual(read(wrap("ByteMaskedArray", "m", { valid_when: true }), 3), [1, null, 3]);
  const bits = { valid_when: false, lsb_order: true };
  assert.deepEqual(read(wrap("BitMaskedArray", "b", bits), 3), [null, 2, null]);
  const record = { class: "RecordArray", fields: ["x", "y"], contents: [numbers, texts] };
  assert.deepEqual(read(record, 2), [{ x: 1, y: "aü" }, { x: 2, y: "" }]);
  const union = { class: "UnionArray", contents: [numbers, texts], form_key: "u" };
  assert.deepEqual(read(union, 2), [3, "aü"]);
});

Deno.test("AwkwardArray.take() takes rows, and refuses those that are not there", () => {
  const array = new AwkwardArray({ length: 3, form: texts, buffers });
  assert.deepEqual([...array.take([2, 0]).take([1, 1]).values()], ["aü", "aü"]);
  assert.throws(() => array.take([3]), /indices must be integers in 0 \.\. 2: got 3/);
});

Deno.test("AwkwardArray names a node or buffer that it lacks", () => {
  assert.throws(() => read({ class: "Future" }, 1), /its node Future is not known/);
  assert.throws(() => read({ ...numbers, form_key: "z" }, 1), /it has no buffer z-data/);
});
