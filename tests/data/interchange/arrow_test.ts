import assert from "node:assert/strict";
import {
  DateDay,
  makeVector,
  Table,
  tableFromIPC,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";
import { fromArrow, readArrow, toArrow, writeArrow } from "../../../data/interchange/arrow.ts";
import { CategoricalColumn, DataFrame, NumericColumn } from "../../../data/mod.ts";
import {
  assertColumn,
  recorded,
  type RecordedColumn,
  type RecordedTable,
} from "../frame/recorded.ts";
import { assertSameFrame, everyKind } from "./kinds.ts";

Deno.test("readArrow() gives back what writeArrow() wrote, every type as it was", async () => {
  const frame = everyKind();
  await assertSameFrame(readArrow(await writeArrow(frame)), frame);
  await assertSameFrame(fromArrow(await toArrow(frame.take([2, 0]))), frame.take([2, 0]));
  const empty = new DataFrame({ index: [] }).with("label", CategoricalColumn.from([]));
  assert.deepEqual(readArrow(await writeArrow(empty)).columns(), ["label"]);
});

Deno.test("readArrow() reads what pandas wrote", async () => {
  const bytes = await Deno.readFile(new URL("../../fixtures/frame/pandas.arrow", import.meta.url));
  const { frame } = await recorded<{ frame: RecordedTable }>("pandas");
  const read = readArrow(bytes);
  assert.equal(read.indexName, "cell");
  assert.deepEqual(read.index, frame.index.filter((_, row) => row % 2 === 0));
  for (const [name, column] of Object.entries(frame.columns)) {
    const values = column.values.filter((_, row) => row % 2 === 0);
    assertColumn(await read.column(name), { ...column, values } as RecordedColumn, name);
  }
  const label = await read.column("stage", "categorical");
  assert.deepEqual([label.categories, label.ordered], [["early", "mid", "late"], true]);
});

Deno.test("fromArrow() joins batches, those with dictionaries of their own too", async () => {
  const parts = [["T", "B", null], ["NK", "T"]].map((labels, k) =>
    new DataFrame({ index: labels.map((_, row) => `${k}${row}`) })
      .with("label", CategoricalColumn.from(labels))
      .with("n", new NumericColumn(Float64Array.from(labels.keys()), { dtype: "uint8" }))
  );
  const tables = await Promise.all(parts.map(toArrow));
  const stacked = (name: string) =>
    makeVector(tables.flatMap((table) => table.getChild(name)!.data));
  const both = fromArrow(new Table({ label: stacked("label"), n: stacked("n") }));
  const label = await both.column("label", "categorical");
  assert.deepEqual([...label.values()], ["T", "B", null, "NK", "T"]);
  assert.deepEqual([...(await both.column("n", "uint8")).values()], [0, 1, 2, 0, 1]);
  assert.deepEqual(both.index, ["0", "1", "2", "3", "4"]);
});

Deno.test("fromArrow() numbers rows without names, and refuses what a frame cannot hold", () => {
  const table = new Table({ n: vectorFromArray([1n, 2n]), text: vectorFromArray(["a", null]) });
  const copy = tableFromIPC(tableToIPC(table));
  assert.deepEqual([fromArrow(copy).index, fromArrow(copy).columns()], [["0", "1"], ["n", "text"]]);
  const days = new Table({ day: vectorFromArray([new Date(0)], new DateDay()) });
  assert.throws(() => fromArrow(days), /column "day" of an Arrow table .* it holds Date/);
  const large = new Table({ id: vectorFromArray([2n ** 60n]) });
  assert.throws(() => fromArrow(large), /within 2\^53: got 1152921504606846976 \(key id/);
});
