import assert from "node:assert/strict";
import { type AggregateName, type JoinHow, NumericColumn } from "../../../data/mod.ts";
import { assertColumn, assertTable, frameOf, recorded, type RecordedTable } from "./recorded.ts";

interface Fixture {
  readonly frame: RecordedTable;
  readonly sorts: readonly {
    readonly by: string[];
    readonly ascending: boolean[];
    readonly naPosition: "first" | "last";
    readonly index: string[];
  }[];
  readonly groups: readonly {
    readonly by: string[];
    readonly observed: boolean;
    readonly table: RecordedTable;
  }[];
  readonly joins: readonly (RecordedTable & {
    readonly left: RecordedTable;
    readonly right: RecordedTable;
    readonly how: JoinHow;
    readonly self?: boolean;
    readonly table: RecordedTable;
  })[];
  readonly counts: readonly {
    readonly name: string;
    readonly options: { normalize?: boolean };
    readonly index: string[];
    readonly values: number[];
  }[];
  readonly crosstabs: readonly {
    readonly rows: string;
    readonly columns: string;
    readonly normalize: "all" | "index" | "columns" | null;
    readonly table: RecordedTable;
  }[];
  readonly concats: readonly {
    readonly top: RecordedTable;
    readonly bottom: RecordedTable;
    readonly join: "inner" | "outer";
    readonly table: RecordedTable;
  }[];
  readonly queries: readonly { readonly text: string; readonly index: string[] }[];
  readonly describe: RecordedTable;
  readonly describeLabels: RecordedTable;
}

const fixture = await recorded<Fixture>("pandas");
const frame = frameOf(fixture.frame);

/** The fixture's scores with the values that pandas cannot average replaced, as its maker does. */
async function finite() {
  const score = await frame.column("score", "numeric");
  const data = Float64Array.from(score.data, (x) => x === Infinity ? 3.5 : x === 1e20 ? 100 : x);
  return frame.with("score", data);
}

Deno.test("DataFrame.sort() orders rows as pandas' stable sort_values", async () => {
  for (const { by, ascending, naPosition, index } of fixture.sorts) {
    const sorted = await frame.sort(by, { ascending, naPosition });
    assert.deepEqual(sorted.index, index, `${by} ${ascending} ${naPosition}`);
  }
});

Deno.test("DataFrame.groupBy() aggregates as pandas", async () => {
  const cells = await finite();
  for (const { by, observed, table } of fixture.groups) {
    const free = (name: string) => by.includes(name) ? "score" : name;
    const of = (how: AggregateName) => ["score", how] as const;
    const result = await cells.groupBy(by, { observed }).agg({
      size: "size",
      score_count: of("count"),
      score_nunique: of("nunique"),
      score_sum: of("sum"),
      score_mean: of("mean"),
      score_std: of("std"),
      score_var: of("var"),
      score_median: of("median"),
      score_min: of("min"),
      score_max: of("max"),
      score_first: of("first"),
      score_last: of("last"),
      rank_sum: ["rank", "sum"],
      kept_mean: [free("kept"), "mean"],
      donor_nunique: [free("donor"), "nunique"],
      donor_first: [free("donor"), "first"],
    });
    await assertTable(result, table, { where: `${by} ${observed}`, index: false });
  }
});

Deno.test("DataFrame.join() pairs rows by name as pandas", async () => {
  const [{ left, right }, ...cases] = fixture.joins as [Fixture["joins"][0], ...Fixture["joins"]];
  for (const { how, self, table } of cases) {
    const joined = self
      ? frameOf(left).join(frameOf(left), { how, lsuffix: "_l", rsuffix: "_r" })
      : frameOf(left).join(frameOf(right), { how });
    await assertTable(joined, table, { where: how });
  }
});

Deno.test("DataFrame.valueCounts() counts as pandas, categories without rows included", async () => {
  for (const { name, options, index, values } of fixture.counts) {
    const counted = await frame.valueCounts(name, options);
    const counts = await counted.column(
      options.normalize ? "proportion" : "count" as never,
    ) as NumericColumn;
    assert.deepEqual([counted.index, [...counts.data]], [index.map(short), values], name);
  }
});

/** Numbers of a masked column appear in pandas' index as they do here; NaN never does. */
function short(text: string): string {
  return text.replace(/\.0$/, "");
}

Deno.test("DataFrame.crosstab() counts pairs as pandas", async () => {
  for (const { rows, columns, normalize, table } of fixture.crosstabs) {
    const made = await frame.crosstab(rows, columns, normalize ? { normalize } : {});
    await assertTable(made, table, { where: `${rows} ${columns}` });
  }
});

Deno.test("DataFrame.concat() stacks frames as pandas", async () => {
  const [{ top, bottom }, ...cases] = fixture.concats as [
    Fixture["concats"][0],
    ...Fixture["concats"],
  ];
  const { DataFrame } = await import("../../../data/mod.ts");
  for (const { join, table } of cases) {
    const stacked = DataFrame.concat([frameOf(top), frameOf(bottom)], { join });
    await assertTable(stacked, table, { where: join });
  }
});

Deno.test("DataFrame.filter() keeps the rows that pandas' query keeps", async () => {
  for (const { text, index } of fixture.queries) {
    assert.deepEqual((await frame.filter(text)).index, index, text);
  }
});

Deno.test("DataFrame.describe() summarizes as pandas", async () => {
  const score = await frame.column("score", "numeric");
  const data = score.data.map((x) => x === Infinity ? 3 : x) as Float64Array<ArrayBuffer>;
  const numbers = frame.select(["n_genes", "rank"]).with("score", data);
  await assertTable(await numbers.describe(), fixture.describe, { where: "numbers" });
  const labels = await frame.select(["cell_type", "donor"]).describe();
  await assertTable(labels, fixture.describeLabels, { where: "labels" });
});

Deno.test("assertColumn() tells a wrong value from a right one", () => {
  const column = new NumericColumn(Float64Array.of(1, 2));
  assert.throws(() => assertColumn(column, { dtype: "float64", values: [1, 2.0001] }, ""));
});
