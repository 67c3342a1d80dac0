import assert from "node:assert/strict";
import { openWasmDevice, type Tensor } from "../../../gpu/mod.ts";
import { Adapters } from "../../../lib/model/adapters.ts";
import { bitsOf, freshModel } from "./fresh_model.ts";

const BATCH = {
  ids: Uint32Array.of(41, 3, 7, 9, 41, 2, 5),
  values: Float32Array.of(-2, 4, 9, 1, -2, 30, 12),
  offsets: Uint32Array.of(0, 4, 7),
};

function fill({ device, buffer, byteOffset, size }: Tensor, valueAt: (i: number) => number): void {
  const values = Float32Array.from({ length: size }, (_, i) => valueAt(i));
  device.write(buffer, byteOffset, new Uint8Array(values.buffer));
}

Deno.test("Adapters are for the attention and feed-forward matrices of every layer", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await freshModel(device);
  using adapters = new Adapters(device, model.parameters, { rank: 4, alpha: 8 });
  assert.deepEqual([adapters.rank, adapters.scale], [4, 2]);
  const matrices = [
    ["self_attn.in_proj_weight", 192, 64],
    ["self_attn.out_proj.weight", 64, 64],
    ["linear1.weight", 96, 64],
    ["linear2.weight", 64, 96],
  ] as const;
  const expected = [0, 1].flatMap((layer) =>
    matrices.flatMap(([name, outer, inner]) => {
      const at = `transformer_encoder.layers.${layer}.${name}`;
      return [[`${at}.lora_A`, [4, inner]], [`${at}.lora_B`, [outer, 4]]];
    })
  );
  const found = [...adapters.weights].map(([name, { shape }]) => [name, [...shape]]);
  const byName = (a: unknown[], b: unknown[]) => String(a[0]) < String(b[0]) ? -1 : 1;
  assert.deepEqual(found.sort(byName), expected.sort(byName));
  for (const [name, tensor] of adapters.weights) {
    const values = await tensor.data();
    const bound = name.endsWith("_B") ? 0 : 1 / Math.sqrt(tensor.shape[1]!);
    assert.ok(values.every((value) => Math.abs(value) <= bound), name);
    if (name.endsWith("_A")) assert.ok(Math.max(...values) > 0.9 * bound, name);
  }
});

Deno.test("ScGPT.adapt() starts as the model was, and evaluates W + scale B A", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const before = device.memory.liveBuffers;
  {
    using model = await freshModel(device);
    const embed = async () => {
      using cell = model.embedCells(BATCH);
      return bitsOf(await cell.data());
    };
    const plain = await embed();
    const { weights, scale } = model.adapt({ rank: 2, alpha: 3 });
    await model.refresh();
    assert.deepEqual(await embed(), plain);

    const name = "transformer_encoder.layers.1.linear2.weight";
    const b = weights.get(`${name}.lora_B`)!, a = weights.get(`${name}.lora_A`)!;
    fill(b, (i) => (i % 7 - 3) / 10);
    await model.refresh();
    assert.notDeepEqual(await embed(), plain);
    const [bs, as, ws] = [await b.data(), await a.data(), await model.parameters.get(name)!.data()];
    const merged = await model.weights.get(name)!.data();
    for (let i = 0; i < ws.length; i++) {
      const row = Math.floor(i / 96), column = i % 96;
      const product = bs[2 * row]! * as[column]! + bs[2 * row + 1]! * as[96 + column]!;
      assert.ok(Math.abs(merged[i]! - (ws[i]! + scale * product)) < 1e-6);
    }
    const other = "transformer_encoder.layers.0.linear2.weight";
    assert.deepEqual(
      await model.weights.get(other)!.data(),
      await model.parameters.get(other)!.data(),
    );
  }
  assert.equal(device.memory.liveBuffers, before);
});

Deno.test("ScGPT.forward() in training sees adapters as evaluation does", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await freshModel(device);
  for (const [name, tensor] of model.adapt({ rank: 2 }).weights) {
    if (name.endsWith("lora_B")) fill(tensor, (i) => (i % 5 - 2) / 20);
  }
  await model.refresh();
  const pass = { dropout: 0, seed: 0, step: 1, cellKeys: [[1, 0], [2, 0]] } as const;
  using learning = model.forward(BATCH, ["hidden"], pass).hidden;
  using evaluated = model.forward(BATCH, ["hidden"]).hidden;
  const expected = await evaluated.data();
  (await learning.data()).forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]!) < 1e-4, `${i}: ${value}, ${expected[i]}`)
  );
});

Deno.test("Adapters refuse other options and values", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await freshModel(device);
  const make = (options: object) => () => new Adapters(device, model.parameters, options);
  assert.throws(make({ r: 4 }), TypeError);
  assert.throws(make({ rank: 0 }), /rank must be an integer >= 1 and alpha > 0: got 0 and 16/);
  assert.throws(make({ alpha: 0 }), /got 8 and 0/);
});
