import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import { loadModelWithReport } from "../../../lib/io/load_model.ts";
import { saveModelFolder } from "../../../lib/io/save_model_deno.ts";
import { TempFolder } from "../../data/fixtures.ts";
import { bitsOf, freshModel, geneVocab } from "../model/fresh_model.ts";

const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

Deno.test("saveModelFolder() writes a folder that loads to the same bits, adapters added in", async () => {
  using folder = new TempFolder();
  await using device = await openWasmDevice({ threads: 1 });
  const knobs = { nCls: 3, nBatch: 2, dar: true, domainSpecBatchnorm: "dsbn" } as const;
  using model = await freshModel(device, { config: knobs });
  const { weights } = model.adapt({ rank: 2 });
  for (const [name, { device, buffer, byteOffset, size }] of weights) {
    if (!name.endsWith("lora_B")) continue;
    device.write(buffer, byteOffset, new Uint8Array(new Float32Array(size).fill(0.01).buffer));
  }
  await model.refresh();
  await saveModelFolder(folder.file("model/"), model, { files: { "note.txt": "hello" } });
  assert.deepEqual(names(folder.path), ["model"]);
  assert.deepEqual(names(folder.file("model")), [
    "args.json",
    "model.safetensors",
    "note.txt",
    "vocab.json",
  ]);
  const { model: same, report } = await loadModelWithReport(folder.file("model"), device);
  using _same = same;
  assert.deepEqual(report.notes, []);
  assert.deepEqual(same.config, { ...model.config, nTokens: model.nTokens });
  assert.deepEqual(same.vocab.names(), model.vocab.names());
  assert.deepEqual([...same.parameters.keys()].sort(), [...model.parameters.keys()].sort());
  let adapted = 0;
  for (const [name, tensor] of model.weights) {
    const bits = bitsOf(await tensor.data());
    assert.deepEqual(bitsOf(await same.parameters.get(name)!.data()), bits, name);
    if (tensor !== model.parameters.get(name)) adapted++;
  }
  assert.equal(adapted, 8); // four matrices of two layers
});

Deno.test("saveModelFolder() uses a folder that exists only when told, and leaves its other files", async () => {
  using folder = new TempFolder();
  await using device = await openWasmDevice({ threads: 1 });
  using model = await freshModel(device, { vocab: geneVocab(4) });
  await Deno.writeTextFile(folder.file("metrics.jsonl"), "mine");
  await Deno.writeTextFile(folder.file("args.json"), "old");
  await assert.rejects(saveModelFolder(folder.path, model), Deno.errors.AlreadyExists);
  assert.equal(await Deno.readTextFile(folder.file("args.json")), "old");
  await saveModelFolder(folder.path, model, { force: true });
  assert.equal(await Deno.readTextFile(folder.file("metrics.jsonl")), "mine");
  assert.match(await Deno.readTextFile(folder.file("args.json")), /"embsize": 64/);
  assert.equal(names(folder.path).length, 4);
});

Deno.test("saveModelFolder() leaves nothing behind when it fails", async () => {
  using folder = new TempFolder();
  await using device = await openWasmDevice({ threads: 1 });
  using model = await freshModel(device, { vocab: geneVocab(4) });
  const { config, vocab } = model;
  const lost = { shape: [1], data: () => Promise.reject(new Error("device lost")) };
  const broken = { config, vocab, weights: [...model.weights, ["lost", lost] as const] };
  await assert.rejects(saveModelFolder(folder.file("model"), broken), /device lost/);
  const signal = AbortSignal.abort(new Error("stop"));
  await assert.rejects(saveModelFolder(folder.file("model"), model, { signal }), /stop/);
  await assert.rejects(
    saveModelFolder(folder.file("model"), model, { overwrite: true } as never),
    /TypeError: Cannot save a model as the option "overwrite" is not known/,
  );
  assert.deepEqual(names(folder.path), []);
});
