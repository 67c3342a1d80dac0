/** The commands that measure a task beside its baselines. */
import assert from "node:assert/strict";
import { BloodFolder, TINY } from "./blood_runs.ts";
import { namesIn, ON_CPU, scgpt } from "./run_scgpt.ts";

const QUICK = [...TINY.slice(0, -6), ...ON_CPU];

interface Results {
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly tables: Readonly<
    Record<string, {
      readonly rows: readonly {
        readonly name: string;
        readonly results: Readonly<Record<string, { readonly values: readonly number[] }>>;
      }[];
    }>
  >;
}

async function resultsIn(folder: string): Promise<Results> {
  return JSON.parse(await Deno.readTextFile(`${folder}/results.json`));
}

Deno.test("scgpt evaluate annotate reports all seeds beside the baselines", async () => {
  using folder = new BloodFolder();
  const data = [
    ...["--train", await folder.blood(), "--query", await folder.blood("query.h5ad", { first: 3 })],
    ...["--label-key", "cell_type", "--output", folder.file("report")],
  ];
  const { code, out, err } = await scgpt(
    ...["evaluate", "annotate", ...data, ...QUICK, "--epochs", "2", "--seeds", "1,2", "--json"],
  );
  assert.equal(code, 0, err);
  assert.deepEqual(namesIn(folder.file("report")), [
    "confusion.svg",
    "losses.svg",
    "report.html",
    "results.json",
    "scores.svg",
    "umap_predicted.svg",
    "umap_true.svg",
  ]);
  const { manifest, tables } = await resultsIn(folder.file("report"));
  assert.deepEqual(manifest["seeds"], [1, 2]);
  const { rows } = tables["scores"]!;
  assert.deepEqual(rows.map(({ name }) => name), [
    "scGPT, trained",
    "scGPT, mean of all seeds",
    "majority",
    "kNN (15) on log1p, PCA 50",
    "L1 logistic on log1p",
    "L2 logistic on log1p",
  ]);
  const values = rows.map(({ results }) => results["accuracy"]!.values);
  assert.deepEqual(values.map(({ length }) => length), [2, 1, 1, 1, 1, 1]);
  assert.ok(values[5]![0]! > values[2]![0]!, "logistic regression beats the majority");
  assert.match(err, /│ scGPT, trained .*± /);
  assert.match(JSON.parse(out).summary, /^scGPT, trained: accuracy 0\.\d{3}/);
  const again = await scgpt("evaluate", "annotate", ...data, ...QUICK);
  assert.deepEqual([again.code, again.out], [2, ""]);
  assert.match(again.err, /as it is there already: give --force/);
});

Deno.test("scgpt evaluate integrate reports metrics of trained, random and classical embeddings", async () => {
  using folder = new BloodFolder();
  const { code, err } = await scgpt(
    ...["evaluate", "integrate", "--input", await folder.blood(), "--batch-key", "batch"],
    ...["--label-key", "cell_type", "--output", folder.file("report"), ...QUICK],
    ...["--epochs", "1", "--seeds", "1"],
  );
  assert.equal(code, 0, err);
  const { tables } = await resultsIn(folder.file("report"));
  const { rows } = tables["scib"]!;
  assert.deepEqual(rows.map(({ name }) => name), [
    "scGPT, trained",
    "scGPT, random weights",
    "HVG",
    "HVG + PCA",
    "Harmony",
  ]);
  for (const { name, results } of rows) {
    const [nmi = NaN] = results["nmi"]!.values;
    assert.ok(nmi > 0 && nmi < 1, `${name}: ${nmi}`);
  }
  assert.ok(tables["scib_metrics"]!.rows[4]!.results["total"]!.values[0]! > 0);
});

Deno.test("scgpt evaluate map reports a model beside random weights and the baselines", async () => {
  using folder = new BloodFolder();
  const cells = await folder.blood();
  const run = folder.file("run");
  assert.equal((await scgpt(...folder.trainArgs(cells))).code, 0);
  const { code, err } = await scgpt(
    ...["evaluate", "map", "--model", run, "--reference", cells, "--label-key", "cell_type"],
    ...["--query", await folder.blood("query.h5ad", { first: 3 }), "--min-coverage", "0"],
    ...["--output", folder.file("report"), "--seeds", "1,2", ...ON_CPU],
  );
  assert.equal(code, 0, err);
  const { tables } = await resultsIn(folder.file("report"));
  const names = tables["scores"]!.rows.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 3), ["scGPT, mapped", "scGPT, random weights", "majority"]);
});
