/** What goes wrong in a training: a clear message, the right exit code, and nothing lost. */
import assert from "node:assert/strict";
import { BloodFolder, TINY } from "./blood_runs.ts";
import { namesIn, ON_CPU, type Outcome, scgpt, scgptProcess } from "./run_scgpt.ts";

function refused({ code, out, err }: Outcome, message: RegExp, expected = 2): void {
  assert.match(err, message);
  assert.equal(code, expected, err);
  assert.equal(out, "");
  assert.doesNotMatch(err, /^\s+at /m, "a stack trace is not for users");
}

function weights(folder: string): Promise<Uint8Array> {
  return Deno.readFile(`${folder}/model.safetensors`);
}

Deno.test("scgpt train keeps a run that is there, unless told to replace it", async () => {
  using folder = new BloodFolder();
  const args = folder.trainArgs(await folder.blood());
  assert.equal((await scgpt(...args)).code, 0);
  const run = folder.file("run");
  await Deno.writeTextFile(`${run}/notes.txt`, "mine");
  const names = namesIn(run), before = await weights(run);
  refused(
    await scgpt(...args, "--epochs", "1"),
    /as it is there already: give --resume .* or --force/,
  );
  refused(await scgpt(...args, "--resume", "--force"), /--resume and --force exclude each other/);
  assert.deepEqual([namesIn(run), await weights(run)], [names, before]);
  const again = await scgpt(...args, "--force", "--seed", "2");
  assert.equal(again.code, 0, again.err);
  assert.notDeepEqual(await weights(run), before);
  assert.equal(await Deno.readTextFile(`${run}/notes.txt`), "mine");
  assert.equal(namesIn(run).length, names.length);
});

Deno.test("scgpt train refuses labels, batches and options that do not fit, before any work", async () => {
  using folder = new BloodFolder();
  const cells = await folder.blood();
  const alone = await folder.blood("alone.h5ad", { batches: 1 });
  const config = folder.file("config.json");
  await Deno.writeTextFile(config, JSON.stringify({ "epoch": 3 }));
  const annotate = folder.trainArgs(cells);
  const integrate = [
    ...["train", "integrate", "--input", alone, "--batch-key", "batch"],
    ...["--output", folder.file("run"), ...TINY],
  ];
  const faults: [string[], RegExp][] = [
    [[...annotate, "--label-key", "type"], /Cannot read the column "type"/],
    [
      [...annotate, "--config", config],
      /"epoch" is no option of this command: did you mean "epochs"\?/,
    ],
    [[...annotate, "--epochs", "0"], /epochs must be an integer >= 1: got 0/],
    [
      [...annotate, "--trainable", "head"],
      /--trainable must be one of full, frozen-trunk, heads, lora/,
    ],
    [[...annotate, "--layer", "counts"], /the layer must be one of X: got "counts"/],
    [[...annotate, "--train", folder.file("no.h5ad")], /no\.h5ad as there is no such file/],
    [
      [...annotate, "--model", folder.file("no")],
      /Cannot open the model as .*no must hold args\.json/,
    ],
    [["train", "annotate", "--output", folder.file("run")], /--train is required/],
    [integrate, /obs\["batch"\] must have at least two batches: got 1/],
  ];
  const before = namesIn(folder.path);
  for (const [args, message] of faults) {
    refused(await scgpt(...args), message);
    assert.deepEqual(namesIn(folder.path), before, args.join(" "));
  }
});

Deno.test("scgpt train annotate leaves cells without a label out, and tells of classes of one cell", async () => {
  using folder = new BloodFolder();
  const relabel = (label: string | null, row: number) =>
    row < 9 ? null : row === 9 ? "a rare type" : label;
  const { code, err } = await scgpt(
    ...folder.trainArgs(await folder.blood("cells.h5ad", { relabel })),
  );
  assert.equal(code, 0, err);
  assert.match(err, /^left out: 9 cells without a label$/m);
  assert.match(
    err,
    /^note: classes of one cell, which learn and cannot be validated: .*a rare type$/m,
  );
  const { classes } = JSON.parse(await Deno.readTextFile(`${folder.file("run")}/task.json`));
  assert.ok(classes.includes("a rare type"));
});

Deno.test("scgpt annotate refuses cells that lack the model's genes, and folders that hold no annotator", async () => {
  using folder = new BloodFolder();
  assert.equal((await scgpt(...folder.trainArgs(await folder.blood()))).code, 0);
  const other = await folder.blood("other.h5ad", {
    rename: (gene, at) => at % 3 === 0 ? gene : `x${gene}`,
  });
  const output = folder.file("out.h5ad"), run = folder.file("run");
  const annotate = (model: string, ...flags: string[]) =>
    scgpt("annotate", "--model", model, "--input", other, "--output", output, ...flags, ...ON_CPU);
  const before = namesIn(folder.path);
  refused(await annotate(run), /50 % of the 60 that the model was trained on must be in the data/);
  refused(await annotate(await folder.model()), /must hold task\.json: no such file/);
  assert.deepEqual(namesIn(folder.path), [...before, "model"].sort());
  const lenient = await annotate(run, "--min-coverage", "0.1");
  assert.equal(lenient.code, 0, lenient.err);
});

Deno.test("scgpt train --resume refuses another recipe and goes on with more epochs of the same", async () => {
  using folder = new BloodFolder();
  const train = await folder.blood();
  assert.equal((await scgpt(...folder.trainArgs(train))).code, 0);
  const resume = ["train", "annotate", "--output", folder.file("run"), "--resume"];
  const config = await Deno.readTextFile(`${folder.file("run")}/config.json`);
  refused(await scgpt(...resume, "--lr", "0.1"), /lr: got 0\.1, saved 0\.001/);
  refused(await scgpt(...resume, "--n-top-genes", "59"), /genes: got \[62,\d+\], saved \[63,\d+\]/);
  refused(await scgpt(...resume, "--binning", "deterministic"), /tokens: got \d+, saved \d+/);
  assert.equal(await Deno.readTextFile(`${folder.file("run")}/config.json`), config);
  const longer = await scgpt(...resume, "--epochs", "3", "--json");
  assert.equal(longer.code, 0, longer.err);
  assert.equal(JSON.parse(longer.out).steps, 21);
  const whole = await scgpt(...folder.trainArgs(train, "whole"), "--epochs", "3");
  assert.equal(whole.code, 0, whole.err);
  assert.deepEqual(await weights(folder.file("run")), await weights(folder.file("whole")));
});

Deno.test("scgpt train stops when a loss is no number, and names the last good state", async () => {
  using folder = new BloodFolder();
  const args = folder.trainArgs(await folder.blood());
  const recipe = ["--lr", "1e30", "--schedule", "cosine", "--warmup", "3"]; // the first step's rate is 0
  const exploded = await scgpt(...args, ...recipe, "--save-every", "1");
  refused(
    exploded,
    /the losses of a step must be finite: .*the last good state is .*last\.safetensors/,
    1,
  );
  const names = namesIn(folder.file("run"));
  assert.ok(names.includes("last.safetensors") && !names.includes("model.safetensors"));
});

const LONG = ["--epochs", "12", "--lr", "0.01"];

for (
  const [name, signal, code] of [["Ctrl-C", "SIGINT", 130], ["kill -9", "SIGKILL", 137]] as const
) {
  Deno.test({
    name: `scgpt train --resume after ${name} ends with the bits of a run that was not stopped`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using folder = new BloodFolder();
      const train = await folder.blood();
      const args = [...folder.trainArgs(train), ...LONG, "--save-every", "3"];
      const stopped = await scgptProcess(args, { interruptAt: "epoch 3:", signal });
      assert.equal(stopped.code, code, stopped.err);
      assert.equal(stopped.out, "");
      const names = namesIn(folder.file("run"));
      assert.ok(names.includes("last.safetensors") && !names.includes("model.safetensors"));
      if (signal === "SIGINT") {
        assert.match(stopped.err, /^stopped after step \d+; its state is .*last\.safetensors$/m);
        assert.match(stopped.err, /^to go on: the same command with --resume$/m);
      }
      const resumed = await scgpt(...args, "--resume");
      assert.equal(resumed.code, 0, resumed.err);
      assert.match(resumed.err, /going on after step \d+/);
      assert.deepEqual(namesIn(folder.file("run")).filter((name) => name.endsWith(".tmp")), []);
      const whole = await scgpt(...folder.trainArgs(train, "whole"), ...LONG);
      assert.equal(whole.code, 0, whole.err);
      assert.deepEqual(await weights(folder.file("run")), await weights(folder.file("whole")));
    },
  });
}
