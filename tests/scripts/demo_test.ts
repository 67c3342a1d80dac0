import assert from "node:assert/strict";
import { type Matrix, openH5ad } from "../../mod.ts";
import { demo } from "../../scripts/demo.ts";
import { TempFolder } from "../data/fixtures.ts";
import { bitsOf } from "../lib/model/fresh_model.ts";
import { namesIn } from "./run_scgpt.ts";

/** Runs the demo with a shortened training and returns what it said. */
async function runDemo(folder: string): Promise<string> {
  const lines: string[] = [];
  const context = {
    say: (line: string) => void lines.push(line),
    signal: new AbortController().signal,
    terminal: false,
  };
  await demo(folder, context, { epochs: 3 });
  return lines.join("\n");
}

/** Scores by method, without wall times, which differ from run to run. */
async function scoresIn(folder: string): Promise<Record<string, Record<string, number>>> {
  const { tables } = JSON.parse(await Deno.readTextFile(`${folder}/results.json`));
  return Object.fromEntries(
    tables.scores.rows.map((
      { name, results }: { name: string; results: Record<string, { mean: number }> },
    ) => [name, { accuracy: results["accuracy"]!.mean, macro_f1: results["macro_f1"]!.mean }]),
  );
}

async function probabilityBits(folder: string): Promise<Uint32Array> {
  using written = await openH5ad(`${folder}/query.h5ad`);
  const matrix = await written.obsm.need("scgpt_label_probabilities") as Matrix;
  assert.deepEqual(matrix.shape, [210, 10]);
  return bitsOf(await matrix.dense());
}

Deno.test("demo() trains on real cells, names others beside the baselines, and repeats itself", async () => {
  using folder = new TempFolder();
  const one = folder.file("out");
  const said = await runDemo(one);
  assert.match(said, /700 real cells/);
  assert.match(said, /learning from 490 of them, to name the other 210/);
  assert.match(said, /^epoch 3: loss /m);
  assert.deepEqual(namesIn(one), [
    "confusion.svg",
    "losses.svg",
    "manifest.json",
    "model_seed1",
    "model_seed2",
    "model_seed3",
    "query.h5ad",
    "report.html",
    "results.json",
    "scores.svg",
    "umap_predicted.svg",
    "umap_true.svg",
  ]);
  for (const name of namesIn(one)) {
    assert.ok(Deno.statSync(`${one}/${name}`).size > 0, name);
    assert.ok(said.includes(`${one}/${name}`), `${name} is not told`);
  }
  const scores = await scoresIn(one);
  assert.equal(Object.keys(scores).length, 6);
  const [ours, majority] = [scores["scGPT, trained"]!, scores["majority"]!];
  assert.ok(ours["accuracy"]! > majority["accuracy"]! + 0.1, "three epochs beat the majority");
  assert.ok(ours["macro_f1"]! > majority["macro_f1"]!);

  const repeated = ["manifest.json", "umap_predicted.svg", "model_seed3/model.safetensors"];
  const read = () => Promise.all(repeated.map((name) => Deno.readFile(`${one}/${name}`)));
  const bits = await probabilityBits(one), files = await read();
  await runDemo(one); // over its own folder
  assert.deepEqual(await scoresIn(one), scores);
  assert.deepEqual(await probabilityBits(one), bits);
  assert.deepEqual(await read(), files);
});

Deno.test("demo() stops on abort and leaves no unfinished file", async () => {
  using folder = new TempFolder();
  const reason = new Error("stop now");
  const controller = new AbortController();
  const say = (line: string) => {
    if (line.startsWith("epoch 1:")) controller.abort(reason);
  };
  const context = { say, signal: controller.signal, terminal: false };
  await assert.rejects(demo(folder.file("out"), context), reason);
  assert.deepEqual(namesIn(folder.file("out")), []);
});
