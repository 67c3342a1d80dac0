import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import type { ConfigOverrides } from "../../../lib/config.ts";
import type { TrainingPass } from "../../../lib/model/batch.ts";
import { batchGradients, batchLosses } from "../../../lib/train/gradients.ts";
import type { Objective } from "../../../lib/train/objective.ts";
import { cce, cls, dar, ecs } from "../../../lib/train/objectives/cells.ts";
import { cellPrompt, gep, gepc, zeroLogProb } from "../../../lib/train/objectives/expression.ts";
import { trainableParameters } from "../../../lib/train/trainable.ts";
import { smallBatch, smallModel, TOTALS } from "./small_batch.ts";

const PASS: Omit<TrainingPass, "step" | "cellKeys"> = { dropout: 0.2, seed: 3 };

interface Slope {
  readonly objectives: readonly Objective[];
  readonly config?: ConfigOverrides;
  readonly pass?: typeof PASS;
  /** Weights along which the slope is taken; all by default. */
  readonly along?: RegExp;
}

/** The loss's slope along a fixed direction of the weights, from gradients and from two losses. */
async function slopes(
  { objectives, config, pass = PASS, along = /./ }: Slope,
): Promise<[number, number]> {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, config);
  const batch = smallBatch(model);
  const trainable = trainableParameters(model, "full");
  const common = { objectives, totals: TOTALS, step: 1, pass };
  const { losses, total, gradients } = batchGradients(model, batch, { ...common, trainable });
  const moved = [...trainable].filter(([name]) => along.test(name) && !/^dsbn/.test(name));
  let expected = 0;
  const directions = new Map(moved.map(([name, { size }], k) => [
    name,
    Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i * (k + 1))),
  ]));
  for (const [name, weight] of moved) {
    const gradient = await gradients.get(weight)?.data();
    gradient?.forEach((g, i) => expected += g * directions.get(name)![i]!);
  }
  for (const tensor of [...losses.values(), total, ...gradients.values()]) tensor[Symbol.dispose]();
  const h = 2e-4;
  const at = async (step: number) => {
    for (const [name, { buffer, byteOffset, device }] of moved) {
      const values = await model.parameters.get(name)!.data();
      values.forEach((_, i) => values[i]! += step * directions.get(name)![i]!);
      device.write(buffer, byteOffset, new Uint8Array(values.buffer));
    }
    const found = batchLosses(model, batch, common);
    const [loss = 0] = await found.total.data();
    for (const tensor of [...found.losses.values(), found.total]) tensor[Symbol.dispose]();
    return loss;
  };
  const up = await at(h), down = await at(-2 * h);
  return [expected, (up - down) / (2 * h)];
}

const CASES: Readonly<Record<string, Slope>> = {
  "gep": { objectives: [gep()] },
  "gepc": { objectives: [gepc()] },
  "gepc, detached": {
    objectives: [gepc()],
    config: { mvcDecoderStyle: "inner product, detach" },
    along: /^(mvc_decoder|transformer_encoder)/,
  },
  "gepc, concat query": { objectives: [gepc()], config: { mvcDecoderStyle: "concat query" } },
  "gepc, sum query": { objectives: [gepc()], config: { mvcDecoderStyle: "sum query" } },
  "zero log prob": { objectives: [zeroLogProb(), zeroLogProb({ of: "gepc" })] },
  "cls": { objectives: [cls()] },
  "ecs": { objectives: [ecs({ beta: 0.6 })] },
  "ecs of the paper": { objectives: [ecs({ beta: 0.6, form: "paper" })] },
  "cce": { objectives: [cce()] },
  "dar, on the discriminator": { objectives: [dar()], along: /^grad_reverse/ },
  "batch norm of a domain": { objectives: [gep()], config: { domainSpecBatchnorm: "dsbn" } },
  "batch norm with pads": {
    objectives: [gep()],
    config: { domainSpecBatchnorm: "batchnorm" },
    pass: { ...PASS, batchNorm: "padded" },
  },
  "category values": { objectives: [gep()], config: { inputEmbStyle: "category" } },
  "average pooling": { objectives: [cls()], config: { cellEmbStyle: "avg-pool" } },
  "weighted pooling": { objectives: [cls()], config: { cellEmbStyle: "w-pool" } },
  "layers recomputed": { objectives: [gep(), cls()], pass: { ...PASS, checkpoint: true } },
};

for (const [name, slope] of Object.entries(CASES)) {
  Deno.test(`batchGradients() gives the slope of the loss: ${name}`, async () => {
    const [expected, measured] = await slopes(slope);
    const error = Math.abs(expected - measured) / Math.max(Math.abs(measured), 0.1);
    assert.ok(error < 0.02, `slope ${expected}, measured ${measured}`);
  });
}

Deno.test("dar() reverses the gradient of the cell embedding", async () => {
  const slope = { objectives: [dar()], along: /^transformer_encoder/ };
  const [expected, measured] = await slopes(slope);
  const error = Math.abs(expected + measured) / Math.max(Math.abs(measured), 0.1);
  assert.ok(error < 0.05, `slope ${expected}, measured ${measured}`);
});

Deno.test("cellPrompt() begins after its step and stops the gradient of the prompt", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, { dropout: 0 });
  const known = Uint32Array.of(3, 2, 4);
  const batch = { ...smallBatch(model), known };
  const objectives = [gep(), cellPrompt({ afterStep: 1 })];
  const trainable = trainableParameters(model, "full");
  const pass = { dropout: 0, seed: 0 };
  for (const [step, names] of [[1, ["gep"]], [2, ["gep", "cell_prompt"]]] as const) {
    const options = { objectives, totals: TOTALS, step, pass, trainable };
    const { losses, total, gradients } = batchGradients(model, batch, options);
    assert.deepEqual([...losses.keys()], names);
    for (const tensor of [...losses.values(), total, ...gradients.values()]) {
      tensor[Symbol.dispose]();
    }
  }
});

Deno.test("batchGradients() of layers kept and layers recomputed are the same bits", async () => {
  await using device = await openWasmDevice({ threads: 2 });
  using model = await smallModel(device);
  const trainable = trainableParameters(model, "full");
  const gradientsOf = async (checkpoint: boolean) => {
    const options = {
      objectives: [gep(), gepc(), cls()],
      totals: TOTALS,
      step: 4,
      pass: { ...PASS, checkpoint },
      trainable,
    };
    const { losses, total, gradients } = batchGradients(model, smallBatch(model), options);
    const all = await Promise.all([...gradients.values()].map((tensor) => tensor.data()));
    for (const tensor of [...losses.values(), total, ...gradients.values()]) {
      tensor[Symbol.dispose]();
    }
    return all;
  };
  assert.deepEqual(await gradientsOf(true), await gradientsOf(false));
});

Deno.test("batchGradients() frees all but what it gives", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, { domainSpecBatchnorm: "dsbn" });
  const before = device.memory.liveBuffers;
  const options = {
    objectives: [gep(), gepc(), zeroLogProb(), cls(), dar(), ecs(), cce()],
    totals: TOTALS,
    step: 1,
    pass: PASS,
    trainable: trainableParameters(model, "full"),
  };
  const { losses, total, gradients } = batchGradients(model, smallBatch(model), options);
  const given = [...losses.values(), total, ...gradients.values()];
  assert.equal(device.memory.liveBuffers, before + given.length);
  for (const tensor of given) tensor[Symbol.dispose]();
  assert.equal(device.memory.liveBuffers, before);
});

Deno.test("batchGradients() names what a batch lacks", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device);
  const { classes: _, ...batch } = smallBatch(model);
  const options = {
    objectives: [cls()],
    totals: TOTALS,
    step: 1,
    pass: PASS,
    trainable: trainableParameters(model, "full"),
  };
  assert.throws(
    () => batchGradients(model, batch, options),
    /objective cls as the batch must have classes: got none/,
  );
  const wrong = { ...batch, classes: Uint32Array.of(0, 3, 1) };
  assert.throws(
    () => batchGradients(model, wrong, options),
    /below the 3 classes of the head: got 3 in cell 1/,
  );
  assert.throws(
    () => batchGradients(model, batch, { ...options, objectives: [] }),
    /at least one objective/,
  );
});
