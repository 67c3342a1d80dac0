import assert from "node:assert/strict";
import { type Matrix, openH5ad } from "../../mod.ts";
import { demo } from "../../scripts/demo.ts";
import { TempFolder } from "../data/fixtures.ts";
import { bitsOf } from "../lib/model/fresh_model.ts";
import { namesIn } from "./run_scgpt.ts";

/** Runs the demo and returns what it said. */
async function runDemo(folder: string): Promise<string> {
  const lines: string[] = [];
  await demo(folder, {
    say: (line) => void lines.push(line),
    signal: new AbortController().signal,
    terminal: false,
  });
  return lines.join("\n");
}

interface Row {
  readonly method: string;
  readonly accuracy: number;
  readonly seconds: number;
}

/** Scores without wall times, which differ from run to run. */
async function scoresIn(folder: string): Promise<Omit<Row, "seconds">[]> {
  const rows: Row[] = JSON.parse(await Deno.readTextFile(`${folder}/metrics.json`));
  return rows.map(({ seconds: _, ...scores }) => scores);
}

async function embeddingBits(folder: string): Promise<Uint32Array> {
  using written = await openH5ad(`${folder}/query.h5ad`);
  const matrix = await written.obsm.need("X_scGPT") as Matrix;
  assert.deepEqual(matrix.shape, [210, 64]);
  return bitsOf(await matrix.dense());
}

Deno.test("demo() labels real cells, says that its weights are random, and repeats itself", async () => {
  using folder = new TempFolder();
  const one = folder.file("out");
  const said = await runDemo(one);
  assert.match(said, /700 real cells/);
  assert.match(said, /RANDOM weights/);
  assert.match(said, /nothing was learnt/);
  assert.deepEqual(namesIn(one), [
    "confusion.png",
    "confusion.svg",
    "manifest.json",
    "metrics.json",
    "model",
    "query.h5ad",
    "umap_predicted.png",
    "umap_predicted.svg",
    "umap_true.png",
    "umap_true.svg",
  ]);
  for (const name of namesIn(one)) {
    assert.ok(Deno.statSync(`${one}/${name}`).size > 0, name);
    assert.ok(
      said.includes(name.replace(".png", ".svg")) || name === "model",
      `${name} is not told`,
    );
  }
  const scores = await scoresIn(one);
  assert.equal(scores.length, 4);
  assert.match(scores[0]!.method, /RANDOM weights/);
  assert.ok(scores.every(({ accuracy }) => accuracy > 0.2 && accuracy < 1));
  assert.ok(scores[3]!.accuracy > scores[1]!.accuracy, "logistic regression beats the majority");
  for (const figure of ["umap_predicted", "umap_true"]) {
    assert.match(await Deno.readTextFile(`${one}/${figure}.svg`), /random weights/);
  }

  const repeated = ["manifest.json", "umap_predicted.svg", "model/model.safetensors"];
  const read = () => Promise.all(repeated.map((name) => Deno.readFile(`${one}/${name}`)));
  const bits = await embeddingBits(one), files = await read();
  await runDemo(one); // over its own folder
  assert.deepEqual(await scoresIn(one), scores);
  assert.deepEqual(await embeddingBits(one), bits);
  assert.deepEqual(await read(), files);
  assert.equal(namesIn(one).length, 10);
});

Deno.test("demo() stops on abort and leaves no unfinished file", async () => {
  using folder = new TempFolder();
  const reason = new Error("stop now");
  const controller = new AbortController();
  const say = (line: string) => {
    if (line.startsWith("device:")) controller.abort(reason);
  };
  const context = { say, signal: controller.signal, terminal: false };
  await assert.rejects(demo(folder.file("out"), context), reason);
  assert.deepEqual(namesIn(folder.file("out")), ["model"]);
});
