import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import { generateExpression } from "../../../lib/model/generate.ts";
import { smallModel } from "../train/small_batch.ts";

const PROMPTS = [
  {
    knownIds: Uint32Array.of(0, 1),
    knownValues: Float32Array.of(3, 9),
    genes: Uint32Array.of(2, 3, 4, 5, 6),
  },
  { knownIds: new Uint32Array(), knownValues: new Float32Array(), genes: Uint32Array.of(7, 8) },
];
const KNOBS = { useBatchLabels: false, nBatch: 2 };

Deno.test("generateExpression() in one step gives the model's own predictions", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, KNOBS);
  const before = device.memory.liveBuffers;
  const [first] = await generateExpression(model, PROMPTS, { steps: 1 });
  using mlm = model.forward({
    ids: Uint32Array.of(model.vocab.require("<cls>"), 0, 1, 2, 3, 4, 5, 6),
    values: Float32Array.of(-2, 3, 9, 0, 0, 0, 0, 0),
    offsets: Uint32Array.of(0, 8),
    known: Uint32Array.of(3),
  }, ["mlm"]).mlm;
  assert.deepEqual([...first!.values], [...(await mlm.data()).subarray(3)]);
  assert.deepEqual([...first!.step], [1, 1, 1, 1, 1]);
  mlm[Symbol.dispose]();
  assert.equal(device.memory.liveBuffers, before);
});

Deno.test("generateExpression() fixes equal shares, the surest first, in each confidence", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, KNOBS);
  for (const confidence of ["agreement", "dropout"] as const) {
    const options = { steps: 3, confidence, seed: 1 };
    const made = await generateExpression(model, PROMPTS, options);
    assert.deepEqual([...made[0]!.step].sort(), [1, 1, 2, 2, 3]);
    assert.deepEqual([...made[1]!.step].sort(), [1, 2]);
    const whole = await generateExpression(model, PROMPTS, { ...options, steps: 1 });
    const own = made[0]!.step.indexOf(1), other = made[0]!.step.indexOf(3);
    assert.ok(whole[0]!.confidence[own]! >= whole[0]!.confidence[other]!);
    assert.deepEqual(await generateExpression(model, PROMPTS, options), made);
    const alone = await generateExpression(model, PROMPTS.slice(1), {
      ...options,
      confidence: "agreement",
    });
    if (confidence === "agreement") assert.deepEqual(alone[0], made[1]);
  }
});

Deno.test("generateExpression() follows a cell prompt", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, KNOBS);
  const from = (cellEmbedding: Float32Array) =>
    generateExpression(model, [{ ...PROMPTS[1]!, cellEmbedding }], { steps: 2 });
  const one = await from(new Float32Array(16).fill(1).map((x, i) => i % 2 ? x : -x));
  const two = await from(new Float32Array(16).map((_, i) => i % 3 ? 1 : -2));
  assert.notDeepEqual(one, two);
});

Deno.test("generateExpression() refuses what it cannot do", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, KNOBS);
  using plain = await smallModel(device, { ...KNOBS, generative: false });
  using certain = await smallModel(device, {
    ...KNOBS,
    mvc: false,
    dropout: 0,
    explicitZeroProb: false,
  });
  await assert.rejects(generateExpression(plain, PROMPTS), /must have the flag embedding/);
  await assert.rejects(
    generateExpression(model, PROMPTS, { steps: 0 }),
    /steps must be an integer/,
  );
  await assert.rejects(generateExpression(certain, PROMPTS), /needs a model with dropout/);
  const mixed = [{ ...PROMPTS[0]!, cellEmbedding: new Float32Array(16) }, PROMPTS[1]!];
  await assert.rejects(generateExpression(model, mixed), /a cell embedding or none: got 1 of 2/);
});
