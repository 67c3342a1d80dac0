import assert from "node:assert/strict";
import {
  type DanfoFrame,
  type DanfoModule,
  fromDanfo,
  toDanfo,
} from "../../../data/interchange/danfo.ts";
import {
  BooleanColumn,
  CategoricalColumn,
  DataFrame,
  NumericColumn,
  StringColumn,
} from "../../../data/mod.ts";
import { loadDanfo } from "./danfo_package.ts";

/** What is used of danfojs here beside the adapter's own needs. */
interface Danfo extends DanfoFrame {
  iloc(rows: { rows: number[] }): Danfo;
  column(name: string): { mean(): number };
}

const danfo = await loadDanfo<DanfoModule<Danfo>>();

const mask = Uint8Array.of(0, 1, 0);
const frame = new DataFrame({
  index: ["x", "y", "z"],
  columns: {
    n: new NumericColumn(Float64Array.of(1, 2, 3), { dtype: "int32" }),
    score: new NumericColumn(Float64Array.of(0.5, NaN, 2)),
    rank: new NumericColumn(Float64Array.of(7, 0, 9), { dtype: "int64", mask }),
    label: CategoricalColumn.from(["T", "B", "T"]),
    remark: new StringColumn(["a", "", "b"], { mask }),
    kept: new BooleanColumn([true, false, true]),
  },
});

Deno.test({
  name: "toDanfo() makes a frame of the real danfojs, and fromDanfo() reads one",
  ignore: danfo === undefined,
  async fn() {
    const made = await toDanfo(frame, danfo!);
    assert.deepEqual([made.columns, made.index], [frame.columns(), frame.index]);
    assert.equal(made.column("score").mean(), 1.25);
    const some = fromDanfo(made.iloc({ rows: [1, 2] }));
    assert.deepEqual(await some.toRecords({ index: "cell" }), [
      { cell: "y", n: 2, score: NaN, rank: null, label: "B", remark: null, kept: false },
      { cell: "z", n: 3, score: 2, rank: 9, label: "T", remark: "b", kept: true },
    ]);
    assert.equal((await some.column("n", "int32")).dtype, "int32");
  },
});
