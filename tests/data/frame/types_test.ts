/** What the compiler knows of frames: each line after `@ts-expect-error` must not compile, which `deno task check` verifies. */
import assert from "node:assert/strict";
import {
  type AnnData,
  type BooleanColumn,
  CategoricalColumn,
  type Column,
  DataFrame,
  type NumericColumn,
  type StringColumn,
} from "../../../data/mod.ts";
import { openH5ad } from "../../../data/h5ad/mod.ts";
import { fixture } from "../fixtures.ts";

/** Compiles where both types are the same. */
function same<A, B>(
  ..._same: (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? [] : [never]
): void {}

/** Compiles where the value is of the type. */
function takes<T>(_value: T): void {}

const open = new DataFrame({ index: ["a", "b", "c"] })
  .with("cell_type", CategoricalColumn.from(["T", "B", "T"]))
  .with("n_genes", Int32Array.of(3, 1, 2))
  .with("kept", [true, false, true])
  .with("note", ["x", "y", "z"]);

const schema = {
  cell_type: "categorical",
  n_genes: "int32",
  kept: "boolean",
  note: "string",
} as const;

Deno.test("DataFrame.typed() makes columns known to the compiler", async () => {
  const frame = await open.typed(schema);
  const cell_type = frame.column("cell_type");
  same<typeof cell_type, Promise<CategoricalColumn>>();
  const n_genes = frame.column("n_genes");
  same<typeof n_genes, Promise<NumericColumn<"int32">>>();
  const kept = frame.column("kept");
  same<typeof kept, Promise<BooleanColumn>>();
  const note = frame.column("note");
  same<typeof note, Promise<StringColumn>>();
  // @ts-expect-error the schema has no such column
  await assert.rejects(frame.column("n_gene"), RangeError);
  // @ts-expect-error it is not a categorical column
  takes<Promise<CategoricalColumn>>(n_genes);
  // @ts-expect-error what is expected of a column does not make it so
  takes<Promise<CategoricalColumn>>(frame.column("n_genes"));
  // @ts-expect-error nor of a frame
  takes<DataFrame<{ note: "int32" }>>(frame.select(["note"]));
  // @ts-expect-error there is no such type
  await assert.rejects(open.typed({ n_genes: "integer" }), TypeError);
  const more = await (await open.typed({ n_genes: "numeric" })).typed({ kept: "boolean" });
  const numbers = more.column("n_genes");
  same<typeof numbers, Promise<NumericColumn>>();
  // @ts-expect-error not stated
  await more.column("note");
});

Deno.test("DataFrame verbs keep and change what the compiler knows", async () => {
  const frame = await open.typed(schema);
  const some = await frame.filter("kept").sort("n_genes").select(["n_genes", "note"]).head();
  const n_genes = some.column("n_genes");
  same<typeof n_genes, Promise<NumericColumn<"int32">>>();
  // @ts-expect-error left out by select
  await assert.rejects(some.column("kept"), RangeError);
  // @ts-expect-error there is no such column
  assert.throws(() => frame.select(["n_gene"]), RangeError);
  // @ts-expect-error there is no such column
  await assert.rejects(async () => await frame.sort("n_gene"), RangeError);
  const added = frame.with("score", Float32Array.of(1, 2, 3)).column("score");
  same<typeof added, Promise<NumericColumn<"float32">>>();
  const groups = await frame.groupBy("cell_type").agg({
    cells: "size",
    mean: ["n_genes", "mean"],
    most: ["n_genes", "max"],
  });
  const [cells, mean, most, key] = [
    groups.column("cells"),
    groups.column("mean"),
    groups.column("most"),
    groups.column("cell_type"),
  ];
  same<typeof cells, Promise<NumericColumn<"int64">>>();
  same<typeof mean, Promise<NumericColumn<"float64">>>();
  same<typeof most, Promise<NumericColumn<"int32">>>();
  same<typeof key, Promise<CategoricalColumn>>();
  // @ts-expect-error there is no such aggregation
  await assert.rejects(frame.groupBy("cell_type").agg({ m: ["n_genes", "mode"] }), RangeError);
  // @ts-expect-error neither a key nor an output
  await assert.rejects(groups.column("note"), RangeError);
  const counted = (await frame.valueCounts("cell_type")).column("count");
  same<typeof counted, Promise<NumericColumn<"int64">>>();
  const joined = frame.select(["note"]).join(groups.select(["mean"]));
  const both = [joined.column("note"), joined.column("mean")] as const;
  same<typeof both, readonly [Promise<StringColumn>, Promise<NumericColumn<"float64">>]>();
  const [record] = await frame.toRecords({ index: "name" });
  takes<string | null>(record!.cell_type);
  takes<string>(record!.name);
  // @ts-expect-error a number or null
  takes<string | null>(record!.n_genes);
});

Deno.test("DataFrame of a schema is a DataFrame, and one without takes any name", async () => {
  const frame = await open.typed(schema);
  takes<DataFrame>(frame);
  takes<DataFrame<{ n_genes: "int32" }>>(frame);
  // @ts-expect-error a frame of fewer columns is not one of more
  takes<DataFrame<{ n_genes: "int32"; other: "string" }>>(frame);
  // @ts-expect-error of another type
  takes<DataFrame<{ n_genes: "string" }>>(frame);
  const any = open.column("anything");
  same<typeof any, Promise<Column>>();
  const stated = open.column("n_genes", "int32");
  same<typeof stated, Promise<NumericColumn<"int32">>>();
  await assert.rejects(any, RangeError);
});

Deno.test("openH5ad() checks a schema and makes it known to the compiler", async () => {
  using adata = await openH5ad(fixture("columns"), {
    obs: {
      label: "categorical",
      n_genes: "int64",
      rank: "int64",
      checked: "boolean",
      cluster: "categorical",
    },
    var: { mean: "numeric" },
  });
  takes<AnnData>(adata);
  const label = adata.obs.column("label");
  same<typeof label, Promise<CategoricalColumn>>();
  const mean = adata.var.column("mean");
  same<typeof mean, Promise<NumericColumn>>();
  // @ts-expect-error the schema has no such column
  await assert.rejects(adata.obs.column("labels"), RangeError);
  const view = adata.select({ obs: [1, 0] }).obs.column("n_genes");
  same<typeof view, Promise<NumericColumn<"int64">>>();
  assert.deepEqual([...(await view).values()], [0, 3]);
  const changed = adata.with({ obs: adata.obs.with("new", ["a", "b", "c", "d"]) });
  const added = changed.obs.column("new");
  same<typeof added, Promise<StringColumn>>();
  await assert.rejects(openH5ad(fixture("columns"), { obs: { labels: "categorical" } }), {
    name: "RangeError",
    message: /Cannot type the column "labels" as there is none: did you mean "label"\?/,
  });
  await assert.rejects(openH5ad(fixture("columns"), { obs: { n_genes: "int32" } }), {
    name: "TypeError",
    message: 'Cannot read the column "n_genes" as int32: it is int64',
  });
});
