import assert from "node:assert/strict";
import {
  type Matrix,
  openH5ad,
  openSource,
  readSafetensors,
  type StoredTensor,
  VERSION,
  writeH5ad,
} from "../../mod.ts";
import { fixturePath, readFixture, readJson } from "../lib/fixtures.ts";
import { geneVocab } from "../lib/model/fresh_model.ts";
import { bloodVocab, openBlood, spreadRows } from "../tasks/blood_cells.ts";
import { CELL, CellsFolder, cellsOf } from "./cells_folder.ts";
import { namesIn, ON_CPU, scgpt, scgptProcess } from "./run_scgpt.ts";

Deno.test("scgpt --help lists commands, and each command its flags, on stderr", async () => {
  const { code, out, err } = await scgpt("--help");
  assert.equal(code, 0);
  assert.equal(out, "");
  for (
    const command of [
      ...["embed", "map", "annotate", "integrate", "init", "inspect", "convert"],
      ...["forward", "doctor"],
      ...["train", "evaluate"],
    ]
  ) {
    assert.match(err, new RegExp(`^  ${command}\\b`, "m"));
  }
  const embed = await scgpt("embed", "--help");
  assert.equal(embed.code, 0);
  for (
    const flag of [
      "--model <string>",
      "--input <string>",
      "--output <string>",
      "--force",
      "--layer <string>",
      "--batch-tokens <integer>",
      "--min-coverage <number>",
      "--device <string>",
      "--threads <integer>",
      "--config <file>",
      "--json",
    ]
  ) assert.ok(embed.err.includes(flag), `${flag} is not in the help`);
  assert.match(embed.err, /\(reference\s+\|\s+deterministic\s+\|\s+none\)/);
  const version = await scgpt("--version");
  assert.deepEqual([version.code, version.err.trim()], [0, VERSION]);
});

Deno.test("scgpt refuses unknown commands, surplus words and no command at all with 2", async () => {
  const unknown = await scgpt("embd");
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /unknown command 'embd'\s*\(Did you mean embed\?\)/);
  assert.equal((await scgpt("inspect", "a", "b")).code, 2);
  assert.equal((await scgpt("inspect")).code, 2);
  assert.equal((await scgpt()).code, 2);
});

Deno.test("scgpt embed --json prints one line of JSON to stdout and all else to stderr", async () => {
  using folder = new CellsFolder();
  const args = ["--model", await folder.model(), "--output", folder.file("out.h5ad")];
  const input = await folder.cells("in.h5ad", cellsOf([CELL, CELL.map(() => 0)]));
  const { code, out, err } = await scgptProcess(
    ["embed", ...args, "--input", input, "--json", ...ON_CPU],
  );
  assert.equal(code, 0, err);
  const lines = out.split("\n");
  assert.equal(lines.length, 2); // the line and the end of it
  assert.equal(lines[1], "");
  const summary = JSON.parse(lines[0]!);
  assert.deepEqual([summary.cells, summary.width, summary.genes.coverage], [2, 64, 1]);
  assert.equal(summary.output, folder.file("out.h5ad"));
  assert.equal(summary.manifest.task, "embed");
  assert.match(err, /^device: wasm, CPU, 1 thread/m);
  assert.match(err, /^genes: 12 of 12 in the vocabulary/m);
  assert.match(err, /^wrote /m);

  using written = await openH5ad(folder.file("out.h5ad"));
  const uns = await written.uns.need("scgpt") as Record<string, unknown>;
  assert.equal(uns["weights_sha256"], summary.manifest.weights_sha256);
  assert.deepEqual(JSON.parse(String(uns["options"])), {});
});

Deno.test("scgpt embed takes a configuration file, over which flags win", async () => {
  using folder = new CellsFolder();
  const model = await folder.model();
  const input = await folder.cells("in.h5ad", cellsOf([CELL]));
  const config = folder.file("config.json");
  const run = async (json: unknown, ...flags: string[]) => {
    await Deno.writeTextFile(config, JSON.stringify(json));
    return await scgpt("embed", "--config", config, "--json", "--force", ...flags);
  };
  const whole = {
    model,
    input,
    output: folder.file("out.h5ad"),
    device: "wasm",
    threads: 1,
    binning: "deterministic",
    maxLength: 5,
    seed: 4,
  };
  const { code, out, err } = await run(whole);
  assert.equal(code, 0, err);
  const options = (summary: string) => JSON.parse(JSON.parse(summary).manifest.options);
  assert.deepEqual(options(out), { maxLength: 5, binning: "deterministic", seed: 4 });
  const over = await run(whole, "--seed", "9", "--binning", "reference");
  assert.deepEqual(options(over.out), { maxLength: 5, binning: "reference", seed: 9 });

  const misspelt = await run({ ...whole, max_length: 5 });
  assert.equal(misspelt.code, 2);
  assert.match(
    misspelt.err,
    /"max_length" is no option of this command: did you mean "maxLength"\?/,
  );
  const wrong = await run({ ...whole, threads: "two" });
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--threads must be a number: got "two"/);
  assert.equal((await run([whole])).code, 2);
});

Deno.test("scgpt embed gives the same bits for any --batch-tokens and --threads", async () => {
  using folder = new CellsFolder();
  using cells = await openBlood();
  const model = await folder.model("model", { vocab: bloodVocab(cells) });
  const input = await folder.cells("in.h5ad", cells.select({ obs: spreadRows(24) }));
  const embedded: Float32Array[] = [];
  for (const [tokens, threads] of [["2000", "1"], ["20000", "2"]] as const) {
    const output = folder.file(`out${tokens}.h5ad`);
    const { code, err } = await scgpt(
      ...["embed", "--model", model, "--input", input, "--output", output, "--layer", "raw"],
      ...["--batch-tokens", tokens, "--device", "wasm", "--threads", threads],
    );
    assert.equal(code, 0, err);
    using written = await openH5ad(output);
    embedded.push(await (await written.obsm.need("X_scGPT") as Matrix).dense());
  }
  assert.equal(embedded[0]!.length, 24 * 64);
  assert.deepEqual(embedded[1], embedded[0]);
});

Deno.test("scgpt map labels a query and scores it beside four baselines", async () => {
  using folder = new CellsFolder();
  using cells = await openBlood();
  const model = await folder.model("model", { vocab: bloodVocab(cells) });
  const reference = await folder.cells("reference.h5ad", cells.select({ obs: spreadRows(90) }));
  const query = await folder.cells("query.h5ad", cells.select({ obs: spreadRows(30, 4) }));
  const labelMap = folder.file("labels.json");
  const common = { "CD4+/CD25 T Reg": "T", "CD8+ Cytotoxic T": "T", "CD34+": null };
  await Deno.writeTextFile(labelMap, JSON.stringify({ reference: common, query: common }));
  const output = folder.file("mapped.h5ad");
  const { code, out, err } = await scgpt(
    ...["map", "--model", model, "--reference", reference, "--query", query, "--output", output],
    ...["--label-key", "bulk_labels", "--truth-key", "bulk_labels", "--label-map", labelMap],
    ...["--layer", "raw", "--k", "5", "--json", ...ON_CPU],
  );
  assert.equal(code, 0, err);
  const { metrics, manifest } = JSON.parse(out);
  assert.equal(metrics.length, 5);
  for (const { accuracy, macro_f1 } of metrics) {
    assert.ok(accuracy >= 0 && accuracy <= 1 && macro_f1 >= 0 && macro_f1 <= 1);
  }
  assert.equal(JSON.parse(manifest.options).k, 5);
  assert.match(err, /mapped 30 cells onto \d+ labelled ones/);
  using written = await openH5ad(output);
  const labels = await written.obs.column("scgpt_label", "categorical");
  assert.equal(labels.length, 30);
  const names = new Set(labels.categories);
  assert.ok(names.has("T") && !names.has("CD34+") && !names.has("CD8+ Cytotoxic T"));
  assert.ok(written.obs.has("scgpt_label_confidence"));
  assert.deepEqual(namesIn(folder.path).filter((name) => /tmp|part/.test(name)), []);
});

Deno.test("scgpt init makes a folder, refuses one that exists, and keeps foreign files with --force", async () => {
  using folder = new CellsFolder();
  const vocab = folder.file("vocab.json");
  await Deno.writeTextFile(vocab, geneVocab(20).toJson());
  const output = folder.file("made/model");
  const args = ["init", "--output", output, "--vocab", vocab];
  const made = await scgpt(...args, "--seed", "7", "--json");
  assert.equal(made.code, 0, made.err);
  assert.deepEqual(namesIn(output), ["args.json", "model.safetensors", "vocab.json"]);
  assert.equal(JSON.parse(made.out).words, 23);
  const first = await Deno.readFile(`${output}/model.safetensors`);

  await Deno.writeTextFile(`${output}/notes.txt`, "mine");
  const again = await scgpt(...args, "--seed", "8");
  assert.equal(again.code, 2);
  assert.match(again.err, /Cannot write .*model as it is there already: give --force/);
  assert.deepEqual(await Deno.readFile(`${output}/model.safetensors`), first);

  assert.equal((await scgpt(...args, "--seed", "8", "--force")).code, 0);
  assert.notDeepEqual(await Deno.readFile(`${output}/model.safetensors`), first);
  assert.equal(await Deno.readTextFile(`${output}/notes.txt`), "mine");
  assert.equal((await scgpt(...args, "--seed", "7", "--force")).code, 0);
  assert.deepEqual(await Deno.readFile(`${output}/model.safetensors`), first);
  assert.deepEqual(namesIn(folder.file("made")), ["model"]);

  const none = await scgpt("init", "--output", folder.file("x"), "--vocab", folder.file("no.json"));
  assert.equal(none.code, 2);
  assert.match(none.err, /Cannot read .*no\.json as there is no such file/);
  assert.equal((await scgpt(...args, "--force", "--preset", "huge")).code, 2);
  assert.equal((await scgpt(...args, "--force", "--seed", "-1")).code, 2);
  assert.deepEqual(namesIn(folder.path), ["made", "vocab.json"]);
});

Deno.test("scgpt inspect tells what a file and a model folder hold", async () => {
  using folder = new CellsFolder();
  const path = await folder.cells("in.h5ad", cellsOf([CELL, CELL]));
  const file = await scgpt("inspect", path, "--json");
  assert.equal(file.code, 0, file.err);
  const { cells, genes, X, obs, first_cells } = JSON.parse(file.out);
  assert.deepEqual([cells, genes, X], [2, 12, "2 x 12 dense float32"]);
  assert.deepEqual(obs, { kind: "string" });
  assert.deepEqual(first_cells, ["cell0", "cell1"]);
  assert.match(file.err, /^cells: 2$/m);

  const model = await scgpt("inspect", await folder.model(), "--json");
  assert.equal(model.code, 0, model.err);
  const report = JSON.parse(model.out);
  assert.match(report.weights, /^model\.safetensors \(safetensors\): \d+ tensors, \d+ numbers$/);
  assert.deepEqual([report.missing, report.extra, report.misshapen], [[], [], []]);
  assert.equal(report.args.embsize, 64);

  const torch = fixturePath("scgpt/small_checkpoint").pathname;
  assert.equal((await scgpt("inspect", torch)).code, 0);
  const none = await scgpt("inspect", folder.file("none"));
  assert.equal(none.code, 2);
  assert.match(none.err, /Cannot read .*none as there is no such file/);
});

/** A model folder of a recorded case. */
async function recordedModel(folder: CellsFolder, name: string): Promise<string> {
  const model = folder.file(name);
  await Deno.mkdir(model);
  const { config } = readJson(`scgpt/${name}/config.json`);
  await Deno.writeTextFile(`${model}/args.json`, JSON.stringify(config));
  await Deno.writeTextFile(`${model}/vocab.json`, geneVocab(197).toJson());
  const weights = fixturePath(`scgpt/${name}/weights.safetensors`);
  await Deno.copyFile(weights, `${model}/model.safetensors`);
  return model;
}

async function outputsOf(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  return (await readSafetensors(await openSource(await Deno.readFile(path)))).tensors;
}

Deno.test("scgpt forward gives the recorded outputs of the reference within 1e-5", async () => {
  using folder = new CellsFolder();
  const name = "small_annotation";
  const output = folder.file("out.safetensors");
  const batch = fixturePath(`scgpt/${name}/io.safetensors`).pathname;
  const { code, err } = await scgpt(
    ...["forward", "--model", await recordedModel(folder, name), "--batch", batch],
    ...["--output", output, "--outputs", "cell,mlm,cls,hidden", ...ON_CPU],
  );
  assert.equal(code, 0, err);
  const recorded = await readFixture(`scgpt/${name}/io.safetensors`);
  const tensors = await outputsOf(output);
  const pads = recorded("in.src_key_padding_mask").values;
  for (
    const [ours, truth] of [
      ["cell", "cell_emb"],
      ["cls", "cls_output"],
      ["mlm", "mlm_output"],
    ] as const
  ) {
    const { values, shape } = recorded(`out_f64.${truth}`);
    const tensor = tensors.get(`out.${ours}`)!;
    assert.deepEqual(tensor.shape, shape, ours);
    const got = new Float32Array((await tensor.read()).slice().buffer);
    const isPad = (at: number) => ours === "mlm" && pads[at] !== 0;
    let worst = 0, largest = 0;
    values.forEach((value, at) => {
      if (isPad(at)) return assert.equal(got[at], 0);
      worst = Math.max(worst, Math.abs(value - got[at]!));
      largest = Math.max(largest, Math.abs(value));
    });
    assert.ok(worst / largest < 1e-5, `${ours}: ${worst / largest}`);
  }
  assert.deepEqual(tensors.get("out.hidden")!.shape, [...recorded("in.src").shape, 64]);
});

Deno.test("scgpt forward refuses outputs that the model or the command does not know", async () => {
  using folder = new CellsFolder();
  const model = await recordedModel(folder, "small_annotation");
  const batch = fixturePath("scgpt/small_annotation/io.safetensors").pathname;
  const run = (outputs: string, file = batch) =>
    scgpt(
      ...["forward", "--model", model, "--batch", file, "--output", folder.file("out.safetensors")],
      ...["--outputs", outputs, ...ON_CPU],
    );
  const misspelt = await run("cells");
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.err, /Cannot compute "cells": outputs are cell, hidden, mlm/);
  const headless = await run("mvc");
  assert.equal(headless.code, 2);
  assert.match(headless.err, /Cannot compute "mvc" as this model has no such head/);
  const noBatch = await run(
    "cell",
    fixturePath("scgpt/small_annotation/weights.safetensors").pathname,
  );
  assert.equal(noBatch.code, 2);
  assert.match(noBatch.err, /must hold src and values: it holds /);
  assert.deepEqual(namesIn(folder.path), ["small_annotation"]);
});

Deno.test("scgpt doctor reports each engine and what auto takes", async () => {
  const { code, out, err } = await scgpt("doctor", "--json");
  assert.equal(code, 0, err);
  const { auto, findings } = JSON.parse(out);
  assert.deepEqual(
    findings.map(({ engine }: { engine: string }) => engine),
    ["wasm", "webgpu", "webgpu, software"],
  );
  assert.equal(findings[0].ok, true);
  for (const { ok, problem, advice } of findings) {
    if (!ok) assert.ok(problem.length > 0 && advice.length > 0);
  }
  assert.equal(auto, findings[1].ok ? "webgpu" : "wasm");
  assert.match(err, /^ok +wasm: CPU/m);
  assert.match(err, /^--device auto takes: /m);
});

Deno.test("a file that scgpt embed writes keeps everything the input had", async () => {
  using folder = new CellsFolder();
  using cells = await openBlood();
  const rows = cells.select({ obs: spreadRows(5) });
  const input = folder.file("in.h5ad");
  await writeH5ad(rows, input);
  const model = await folder.model("model", { vocab: bloodVocab(cells) });
  const args = ["--model", model, "--input", input, "--output", folder.file("out.h5ad")];
  const { code, err } = await scgpt("embed", ...args, "--layer", "raw", ...ON_CPU);
  assert.equal(code, 0, err);
  using written = await openH5ad(folder.file("out.h5ad"));
  using before = await openH5ad(input);
  assert.deepEqual(written.obs.columns(), before.obs.columns());
  assert.deepEqual([...written.obsm.keys()].sort(), [...before.obsm.keys(), "X_scGPT"].sort());
  assert.deepEqual([...written.uns.keys()].sort(), [...before.uns.keys(), "scgpt"].sort());
  assert.deepEqual(await written.raw!.X.dense(), await before.raw!.X.dense());
  assert.deepEqual(await written.X!.dense(), await before.X!.dense());
});
