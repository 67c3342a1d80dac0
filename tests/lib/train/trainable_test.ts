import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import { trainableParameters } from "../../../lib/train/trainable.ts";
import { runSmall, smallModel } from "./small_run.ts";

Deno.test("trainableParameters() chooses weights by their part of the model", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, "full");
  const names = (
    choice: Parameters<typeof trainableParameters>[1],
  ) => [...trainableParameters(model, choice).keys()];
  const statistics = [...model.parameters.keys()].filter((name) => /running_/.test(name));
  assert.equal(statistics.length, 4);
  assert.deepEqual(
    names("full").sort(),
    [...model.parameters.keys()].filter((name) => !statistics.includes(name)).sort(),
  );
  const trunk = /^(encoder|value_encoder|transformer_encoder)\./;
  assert.deepEqual(
    names("frozen-trunk").sort(),
    names("full").filter((name) => !trunk.test(name)).sort(),
  );
  const heads = /^(decoder|mvc_decoder|cls_decoder|grad_reverse_discriminator)\./;
  assert.deepEqual(names("heads").sort(), names("full").filter((name) => heads.test(name)).sort());
  assert.deepEqual(names("lora"), names("heads"));
  const { weights } = model.adapt();
  assert.deepEqual(names("lora"), [...names("heads"), ...weights.keys()]);
  assert.throws(() => names("head" as never), /full, frozen-trunk, heads or lora: got "head"/);
});

for (const trainable of ["frozen-trunk", "heads", "lora"] as const) {
  Deno.test(`fit() moves the chosen weights alone: ${trainable}`, async () => {
    const options = { trainable, epochs: 1, keepBest: false, lora: { rank: 2 } } as const;
    const run = await runSmall("full", options);
    assert.equal(run.error, undefined);
    await using device = await openWasmDevice({ threads: 1 });
    using model = await smallModel(device, "full");
    if (trainable === "lora") model.adapt({ rank: 2 });
    const chosen = trainableParameters(model, trainable);
    const moved: string[] = [];
    for (const [name, tensor] of [...model.parameters, ...model.adapters?.weights ?? []]) {
      const before = new Uint32Array((await tensor.data()).buffer);
      if (before.join() !== run.weights.get(name)!.join()) moved.push(name);
    }
    const weights = moved.filter((name) => !/running_/.test(name));
    assert.ok(weights.every((name) => chosen.has(name)), `${weights}`);
    assert.ok(weights.length > 0.9 * chosen.size, `${weights.length} of ${chosen.size}`);
  });
}
