/** The commands that train, and those that use what was trained. */
import assert from "node:assert/strict";
import { type Matrix, openH5ad } from "../../mod.ts";
import { BloodFolder, TINY } from "./blood_runs.ts";
import { namesIn, ON_CPU, scgpt } from "./run_scgpt.ts";

/** The names of a run's files, the time of the event file left out. */
function runFiles(folder: string): string[] {
  return namesIn(folder).map((name) => name.replace(/tfevents.*/, "tfevents"));
}

const RUN_FILES = [
  "args.json",
  "best.safetensors",
  "config.json",
  "events.out.tfevents",
  "last.safetensors",
  "losses.svg",
  "metrics.jsonl",
  "model.safetensors",
  "task.json",
  "vocab.json",
];

Deno.test("scgpt train annotate leaves a run that scgpt annotate names cells by", async () => {
  using folder = new BloodFolder();
  const train = await folder.blood();
  const trained = await scgpt(
    ...folder.trainArgs(train),
    "--epochs",
    "8",
    "--lr",
    "0.01",
    "--json",
  );
  assert.equal(trained.code, 0, trained.err);
  const run = folder.file("run");
  assert.deepEqual(runFiles(run), RUN_FILES);
  const summary = JSON.parse(trained.out);
  assert.equal(summary.output, run);
  assert.equal(summary.steps, 8 * 7); // 109 of 120 cells learn, in batches of 16
  assert.match(trained.err, /^genes: 60, 60 highly variable genes \(cell_ranger\)$/m);
  assert.match(trained.err, /^epoch 8: loss/m);
  const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
  assert.deepEqual(
    [config.lr, config.epochs, config.nTopGenes, config.gamma, config.maxNorm],
    [0.01, 8, 60, 0.9, 1],
  );
  assert.equal(config.output, undefined);

  const output = folder.file("out.h5ad");
  const data = ["--model", run, "--input", train, "--output", output];
  const scores = ["--truth-key", "cell_type", "--figures", folder.file("figures")];
  const named = await scgpt("annotate", ...data, ...scores, ...ON_CPU, "--json");
  assert.equal(named.code, 0, named.err);
  const { metrics, panel } = JSON.parse(named.out);
  assert.deepEqual([panel.panel, panel.found], [60, 60]);
  assert.ok(metrics[0].accuracy > 0.5, `accuracy ${metrics[0].accuracy}`);
  assert.ok(namesIn(folder.file("figures")).includes("confusion.svg"));
  using written = await openH5ad(output);
  const probabilities = await written.obsm.need("scgpt_label_probabilities") as Matrix;
  assert.deepEqual(probabilities.shape, [120, summary.classes.length]);
  const labels = [...(await written.obs.column("scgpt_label")).values()];
  assert.ok(labels.every((label) => summary.classes.includes(label)));
});

Deno.test("scgpt train takes options from a file, in camel or kebab case, over which flags win", async () => {
  using folder = new BloodFolder();
  const config = folder.file("config.json");
  const train = await folder.blood();
  const options = { "n-top-genes": 40, labelKey: "cell_type", epochs: 1, train, stratify: false };
  await Deno.writeTextFile(config, JSON.stringify({ ...options, nlayers: 1, embsize: 16 }));
  const flags = ["--config", config, "--output", folder.file("run"), "--nheads", "2"];
  const { code, err } = await scgpt(
    ...["train", "annotate", ...flags, "--n-top-genes", "30", ...ON_CPU],
  );
  assert.equal(code, 0, err);
  assert.match(err, /^genes: 30, /m);
  const written = JSON.parse(await Deno.readTextFile(`${folder.file("run")}/config.json`));
  assert.deepEqual([written.nTopGenes, written.epochs, written.stratify], [30, 1, false]);
});

Deno.test("scgpt train starts from a pretrained model, and adapts it by low rank", async () => {
  using folder = new BloodFolder();
  const input = await folder.blood();
  const [base, run] = [folder.file("base"), folder.file("run")];
  const sizes = ["--nlayers", "1", "--embsize", "16", "--nheads", "2", "--d-hid", "16"];
  const pretrained = await scgpt(
    ...["train", "pretrain", "--input", input, input, "--output", base, ...sizes, "--epochs", "1"],
    ...["--max-length", "40", "--warmup", "0.1", "--validation", "0.1", ...ON_CPU, "--json"],
  );
  assert.equal(pretrained.code, 0, pretrained.err);
  assert.equal(JSON.parse(pretrained.out).words, 768); // 765 genes and 3 special tokens
  assert.match(pretrained.err, /^vocabulary: 768 words; cells: 120 \+ 120$/m);

  const data = ["--train", input, "--label-key", "cell_type", "--model", base, "--output", run];
  const small = ["--n-top-genes", "60", "--epochs", "1", "--trainable", "lora", "--lora-rank", "2"];
  const tuned = await scgpt("train", "annotate", ...data, ...small, ...ON_CPU);
  assert.equal(tuned.code, 0, tuned.err);
  assert.match(tuned.err, /^starting from the weights of /m);
  const vocab = (path: string) => Deno.readTextFile(`${path}/vocab.json`);
  assert.equal(await vocab(run), await vocab(base));
});

Deno.test("scgpt train integrate leaves a run that scgpt integrate embeds cells by", async () => {
  using folder = new BloodFolder();
  const input = await folder.blood();
  const run = folder.file("run"), output = folder.file("out.h5ad");
  const trained = await scgpt(
    ...["train", "integrate", "--input", input, "--batch-key", "batch", "--output", run],
    ...[...TINY, "--epochs", "1"],
  );
  assert.equal(trained.code, 0, trained.err);
  assert.match(trained.err, /^2 batches: b0 60, b1 60$/m);
  assert.deepEqual(runFiles(run), RUN_FILES);
  const embedded = await scgpt(
    ...["integrate", "--model", run, "--input", input, "--batch-key", "batch"],
    ...["--output", output, ...ON_CPU, "--json"],
  );
  assert.equal(embedded.code, 0, embedded.err);
  using written = await openH5ad(output);
  assert.deepEqual((await written.obsm.need("X_scGPT") as Matrix).shape, [120, 16]);
});
