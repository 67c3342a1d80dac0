import assert from "node:assert/strict";
import { openWasmDevice, scope } from "../../../gpu/mod.ts";
import { CheckpointError } from "../../../lib/io/errors.ts";
import { modelFingerprint } from "../../../lib/io/fingerprint.ts";
import { loadModel, loadModelWithReport } from "../../../lib/io/load_model.ts";
import { storedFloat32, type StoredTensor } from "../../../lib/io/stored_tensor.ts";
import { fixturePath } from "../fixtures.ts";
import {
  bitsOf,
  freshFiles,
  freshModel,
  type FreshOptions,
  geneVocab,
} from "../model/fresh_model.ts";

const device = await openWasmDevice({ threads: 1 });
const FOLDER = fixturePath("scgpt/small_checkpoint/");

function contents(...names: readonly string[]): Record<string, Uint8Array<ArrayBuffer>> {
  return Object.fromEntries(names.map((name) => [name, Deno.readFileSync(new URL(name, FOLDER))]));
}

/** Asserts that loading fails, that nothing stays on the device, and returns the error. */
async function refusal(options: FreshOptions): Promise<CheckpointError> {
  const { liveBuffers } = device.memory;
  const error = await freshModel(device, options).then(() => undefined, (cause) => cause);
  assert.ok(error instanceof CheckpointError, String(error));
  assert.equal(device.memory.liveBuffers, liveBuffers);
  return error;
}

Deno.test("loadModel() gives bitwise the same embedding from .pt and from .safetensors", async () => {
  const bits: Uint32Array[] = [];
  for (const weights of ["best_model.pt", "best_model.safetensors"]) {
    const files = contents("args.json", "vocab.json", weights);
    const { model, report } = await loadModelWithReport({ files }, device);
    using _model = model;
    assert.equal(report.weightFile, weights);
    assert.deepEqual([report.missing, report.extra, report.misshapen], [[], [], []]);
    assert.equal(report.matched.length, 43);
    using cells = scope(device, () =>
      model.embedCells({
        ids: Uint32Array.of(198, 3, 100, 198),
        values: Float32Array.of(-2, 12, 50, -2),
        offsets: Uint32Array.of(0, 3, 4),
      }));
    bits.push(bitsOf(await cells.data()));
  }
  assert.deepEqual(bits[0], bits[1]);
});

Deno.test("loadModel() lists every missing, misshapen and extra tensor at once", async () => {
  const missing = "transformer_encoder.layers.1.linear2.bias";
  const misshapen = "value_encoder.linear1.weight";
  const error = await refusal({
    change: (tensors) => [
      ...tensors.filter(({ name }) => name !== missing && name !== misshapen),
      storedFloat32(misshapen, [32, 2], new Float32Array(64)),
      storedFloat32("unheard.of", [3], new Float32Array(3)),
    ],
  });
  assert.equal(error.kind, "mismatch");
  assert.deepEqual(error.report?.missing, [missing]);
  assert.deepEqual(error.report?.extra, ["unheard.of"]);
  assert.deepEqual(error.report?.misshapen, [
    { name: misshapen, expected: [64, 1], found: [32, 2] },
  ]);
  for (
    const part of [
      "got 3 differences",
      `missing ${missing} [64]`,
      "extra unheard.of [3]",
      `misshapen ${misshapen}: [64,1] in the model, [32,2] in the file`,
    ]
  ) assert.ok(error.message.includes(part), `${part} is not in ${error.message}`);
});

Deno.test("loadModel() leaves extra tensors aside when told", async () => {
  const files = await freshFiles({
    change: (tensors) => [...tensors, storedFloat32("old.head", [1], new Float32Array(1))],
  });
  const { model, report } = await loadModelWithReport(files, device, { allowExtra: ["old."] });
  model[Symbol.dispose]();
  assert.deepEqual(report.extra, ["old.head"]);
});

Deno.test("loadModel() refuses a vocabulary larger than the gene table", async () => {
  const small = geneVocab(10);
  const error = await refusal({
    vocab: geneVocab(40),
    change: (tensors) =>
      tensors.map((tensor) =>
        tensor.name === "encoder.embedding.weight"
          ? storedFloat32(tensor.name, [small.size, 64], new Float32Array(small.size * 64))
          : tensor
      ),
  });
  assert.match(
    error.message,
    /its gene table must have a row for each of the 43 words of vocab\.json: got 13/,
  );
});

Deno.test("loadModel() takes a vocabulary smaller than the gene table", async () => {
  const { files } = await freshFiles({ vocab: geneVocab(40) });
  const vocab = new Blob([geneVocab(20).toJson()]);
  using model = await loadModel({
    files: { ...files, "vocab.json": vocab, "args.json": new Blob([argsWithout("ntoken")]) },
  }, device);
  assert.equal(model.nTokens, 43);
  assert.equal(model.vocab.size, 23);
});

/** args.json of the small sizes without a key. */
function argsWithout(key: string): string {
  const args = { embsize: 64, nheads: 4, d_hid: 96, nlayers: 2, ntoken: 43 };
  return JSON.stringify(Object.fromEntries(Object.entries(args).filter(([name]) => name !== key)));
}

const without = (prefix: string) => (tensors: StoredTensor[]) =>
  tensors.filter(({ name }) => !name.startsWith(prefix));

Deno.test("loadModel() turns off heads whose weights are absent as a whole, and notes it", async () => {
  for (
    const [prefix, knob, options] of [
      ["mvc_decoder.", "mvc", {}],
      ["flag_encoder.", "generative", {}],
      ["cls_decoder.", "nCls", { nCls: 4 }],
      ["grad_reverse_discriminator.", "dar", { dar: true, nBatch: 2 }],
    ] as const
  ) {
    const files = await freshFiles({ config: options, change: without(prefix) });
    const { model, report } = await loadModelWithReport(files, device);
    using _model = model;
    assert.ok(!model.config[knob], knob);
    assert.deepEqual(report.notes, [
      `args.json asks for ${knob}, the checkpoint has no weights for it: it is off`,
    ]);
  }
});

Deno.test("loadModel() finds heads that args.json does not name", async () => {
  const { files } = await freshFiles({ config: { nCls: 5, dar: true, nBatch: 2 } });
  const { model, report } = await loadModelWithReport(
    { files: { ...files, "args.json": new Blob([argsWithout("")]) } },
    device,
  );
  using _model = model;
  assert.equal(model.config.nCls, 5);
  assert.equal(model.config.nBatch, 2);
  assert.ok(model.outputs.has("cls") && model.outputs.has("dab"));
  assert.deepEqual(report.notes, []);
});

Deno.test("loadModel() refuses a head that is there in part", async () => {
  const error = await refusal({ change: without("mvc_decoder.W.") });
  assert.deepEqual(error.report?.missing, ["mvc_decoder.W.weight"]);
});

Deno.test("loadModel() refuses damaged files of a model folder and says which", async () => {
  const { files } = await freshFiles();
  const load = async (name: string, content: string | Uint8Array<ArrayBuffer>) => {
    const { liveBuffers } = device.memory;
    const damaged = { files: { ...files, [name]: new Blob([content]) } };
    const error = await loadModel(damaged, device).catch((cause) => cause);
    assert.ok(error instanceof Error);
    assert.equal(device.memory.liveBuffers, liveBuffers);
    return error;
  };
  const notJson = await load("args.json", "{");
  assert.ok(notJson instanceof SyntaxError);
  assert.match(notJson.message, /args\.json/);
  assert.match((await load("args.json", '{"embsize": 64}')).message, /must say "nheads"/);
  assert.ok(await load("vocab.json", "[") instanceof SyntaxError);
  assert.match((await load("vocab.json", '{"A": 0, "B": 2}')).message, /contiguous: 1 is missing/);
  const weights = new Uint8Array(await (files["model.safetensors"] as Blob).arrayBuffer());
  for (const bytes of [weights.slice(0, -4), weights.slice(0, 5), new Uint8Array(100)]) {
    assert.ok(await load("model.safetensors", bytes) instanceof CheckpointError);
  }
});

Deno.test("loadModel() stops on abort, frees what it loaded, and refuses unknown options", async () => {
  const { liveBuffers } = device.memory;
  const files = await freshFiles();
  const reason = new Error("stop now");
  await assert.rejects(loadModel(files, device, { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(device.memory.liveBuffers, liveBuffers);
  await assert.rejects(
    loadModel(files, device, { allowExtras: [] } as object),
    /"allowExtras" is not known: did you mean "allowExtra"\?/,
  );
});

Deno.test("modelFingerprint() is the same for the same weights and another for any other", async () => {
  const fingerprint = async (options: FreshOptions = {}) => {
    using model = await freshModel(device, options);
    return await modelFingerprint(model);
  };
  const one = await fingerprint();
  for (const hash of Object.values(one)) assert.match(hash, /^[0-9a-f]{64}$/);
  assert.deepEqual(await fingerprint({ change: (tensors) => tensors.toReversed() }), one);
  const seed = await fingerprint({ seed: 2 });
  assert.notEqual(seed.weights, one.weights);
  assert.deepEqual([seed.vocab, seed.config], [one.vocab, one.config]);
  const knob = await fingerprint({ config: { maxSeqLen: 77 } });
  assert.deepEqual([knob.weights, knob.vocab], [one.weights, one.vocab]);
  assert.notEqual(knob.config, one.config);
});

Deno.test("modelFingerprint() is the same for .pt and .safetensors of one model", async () => {
  const prints: unknown[] = [];
  for (const weights of ["best_model.pt", "best_model.safetensors"]) {
    using model = await loadModel({
      files: contents("args.json", "vocab.json", weights),
    }, device);
    prints.push(await modelFingerprint(model));
  }
  assert.deepEqual(prints[0], prints[1]);
});
