/** `scgpt generate`, from a pretraining to layers of a file. */
import assert from "node:assert/strict";
import { type AxisArray, LazyMap, openH5ad } from "../../mod.ts";
import { BloodFolder } from "./blood_runs.ts";
import { namesIn, ON_CPU, scgpt } from "./run_scgpt.ts";

/** A run of `train pretrain` on 120 blood cells, which takes a second. */
async function pretrained(folder: BloodFolder): Promise<{ input: string; run: string }> {
  const input = await folder.blood(), run = folder.file("base");
  const { code, err } = await scgpt(
    ...["train", "pretrain", "--input", input, "--output", run, "--epochs", "1", "--nlayers", "1"],
    ...["--embsize", "16", "--nheads", "2", "--d-hid", "16", "--max-length", "60"],
    ...["--warmup", "0.1", "--validation", "0.1", ...ON_CPU],
  );
  assert.equal(code, 0, err);
  return { input, run };
}

Deno.test("scgpt generate writes values, confidence and step as layers, and scores what it held out", async () => {
  using folder = new BloodFolder();
  const { input, run } = await pretrained(folder);
  const output = folder.file("out.h5ad");
  const data = ["generate", "--model", run, "--input", input, "--output", output, ...ON_CPU];
  const made = await scgpt(...data, "--hold-out", "0.5", "--prompt", "both", "--json");
  assert.equal(made.code, 0, made.err);
  const { scores, values, cells, manifest } = JSON.parse(made.out);
  assert.equal(cells, 120);
  assert.equal(scores.values, values);
  assert.deepEqual(scores.steps.map(({ step }: { step: number }) => step), [1, 2, 3]);
  assert.match(made.err, /^held out: \d+ values, correlation /m);
  assert.match(made.err, /^controls: truth shuffled among a gene's cells /m);
  assert.match(manifest.options, /"holdOut":0.5/);
  using written = await openH5ad(output);
  using before = await openH5ad(input);
  assert.deepEqual(await written.X!.dense(), await before.X!.dense());
  const step = await (await written.layers.need("scgpt_generated_step")).dense();
  const truth = await (await written.layers.need("scgpt_generated_truth")).dense();
  assert.equal(step.filter((one) => one > 0).length, values);
  step.forEach((one, at) => assert.equal(one > 0, truth[at]! > 0));
  assert.equal(Math.max(...step), 3);
});

Deno.test("scgpt generate takes known genes, or genes to generate, from a file", async () => {
  using folder = new BloodFolder();
  const { input, run } = await pretrained(folder);
  using cells = await openH5ad(input);
  const [known, genes] = [cells.varNames.slice(0, 700), cells.varNames.slice(700, 705)];
  await Deno.writeTextFile(folder.file("known.txt"), `${known.join("\n")}\n`);
  await Deno.writeTextFile(folder.file("genes.txt"), genes.join("\r\n"));
  const data = ["generate", "--model", run, "--input", input, ...ON_CPU, "--json"];
  const others = folder.file("others.h5ad"), five = folder.file("five.h5ad");
  const all = await scgpt(...data, "--output", others, "--known", folder.file("known.txt"));
  assert.equal(all.code, 0, all.err);
  assert.equal(JSON.parse(all.out).genes, 65);
  const some = await scgpt(
    ...[...data, "--output", five, "--known", folder.file("known.txt")],
    ...["--genes", folder.file("genes.txt"), "--prompt", "cell", "--confidence", "dropout"],
  );
  assert.equal(some.code, 0, some.err);
  using written = await openH5ad(five);
  assert.deepEqual(written.varNames, genes);
  assert.deepEqual(written.obs.columns(), ["cell_type", "batch"]);
  assert.equal((await (await written.layers.need("scgpt_generated")).dense()).length, 600);
});

Deno.test("scgpt generate reads raw, whose genes are others than the file's columns", async () => {
  using folder = new BloodFolder();
  const { input, run } = await pretrained(folder);
  using cells = await openH5ad(input);
  const few = cells.select({ var: [...Array(10).keys()] });
  const raw = { X: cells.X!, var: cells.var, varm: LazyMap.of<AxisArray>("raw/varm", {}) };
  const path = await folder.cells("raw.h5ad", few.with({ raw })), output = folder.file("out.h5ad");
  const made = await scgpt(
    ...["generate", "--model", run, "--input", path, "--output", output, "--layer", "raw"],
    ...["--hold-out", "0.2", ...ON_CPU],
  );
  assert.equal(made.code, 0, made.err);
  using written = await openH5ad(output);
  assert.equal(written.nVars, 765);
  assert.deepEqual(written.obsNames, cells.obsNames);
});

Deno.test("scgpt generate refuses wrong usage before any work, and leaves no file", async () => {
  using folder = new BloodFolder();
  const { input, run } = await pretrained(folder);
  const names = [...namesIn(folder.file(".")), "empty.txt"].sort();
  await Deno.writeTextFile(folder.file("empty.txt"), "\n");
  const data = [
    ...["generate", "--model", run, "--input", input, "--output", folder.file("out.h5ad")],
    ...ON_CPU,
  ];
  const faults: [string[], RegExp][] = [
    [[], /one of known, genes and holdOut must say what is given/],
    [["--hold-out", "2"], /holdOut must be in \(0, 1\): got 2/],
    [["--hold-out", "0.5", "--prompt", "genes"], /--prompt must be one of gene, cell, both/],
    [["--known", folder.file("empty.txt")], /must have names of genes, one a line: got none/],
    [["--known", folder.file("no.txt")], /no\.txt as there is no such file/],
    [["--hold-out", "0.5", "--steps", "0"], /steps must be an integer from 1 to 255: got 0/],
  ];
  for (const [flags, message] of faults) {
    const { code, err, out } = await scgpt(...data, ...flags);
    assert.match(err, message);
    assert.deepEqual([code, out], [2, ""], err);
  }
  assert.deepEqual(namesIn(folder.file(".")), names);
});
