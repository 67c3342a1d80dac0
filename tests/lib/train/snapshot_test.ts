import assert from "node:assert/strict";
import { openWasmDevice, Tensor } from "../../../gpu/mod.ts";
import { readFloat32 } from "../../../lib/io/stored_tensor.ts";
import { Adam } from "../../../lib/train/optimizer.ts";
import { MemoryStore, restore, snapshotOf } from "../../../lib/train/snapshot.ts";
import { bitsOfModel, smallModel } from "./small_run.ts";

const STATE = { step: 2, epoch: 0, batch: 2, sums: {}, best: undefined, stale: 0, recipe: "{}" };

Deno.test("MemoryStore keeps copies, slot by slot", async () => {
  const store = new MemoryStore();
  assert.equal(await store.load("last"), undefined);
  const values = Float32Array.of(1, 2);
  const read = () => Promise.resolve(new Uint8Array(values.slice().buffer));
  const tensors = [{ name: "w", dtype: "F32", shape: [2], read }] as const;
  await store.save("last", { state: STATE, tensors });
  values.fill(9);
  const kept = (await store.load("last"))!;
  assert.deepEqual(kept.state, STATE);
  assert.deepEqual(await readFloat32(kept.tensors[0]!), Float32Array.of(1, 2));
  assert.equal(await store.load("best"), undefined);
  assert.equal(store.place("best"), "memory (best)");
});

Deno.test("restore() puts weights, running statistics, adapters and slots back", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, "full");
  const { weights } = model.adapt({ rank: 2 });
  using adam = new Adam(device);
  const [name, weight] = [...weights][0]!;
  const ones = new Float32Array(weight.size).fill(1);
  using gradient = Tensor.from(device, "f32", weight.shape, ones);
  using _ = adam.step(new Map([[name, weight]]), new Map([[weight, gradient]]), 0.1);
  const store = new MemoryStore();
  await store.save("last", snapshotOf(model, adam, STATE));
  const snapshot = (await store.load("last"))!;
  assert.ok(snapshot.tensors.some(({ name }) => name === "dsbn.bns.1.running_mean"));

  using other = await smallModel(device, "full");
  other.adapt({ rank: 2, seed: 9 });
  using second = new Adam(device);
  assert.notDeepEqual(await bitsOfModel(other), await bitsOfModel(model));
  await restore(other, second, snapshot);
  assert.deepEqual(await bitsOfModel(other), await bitsOfModel(model));
  const [found, expected] = [second.slots.get(name)!, adam.slots.get(name)!];
  assert.equal(found.step, expected.step);
  assert.deepEqual(await found.m.data(), await expected.m.data());
  assert.deepEqual(await found.v.data(), await expected.v.data());
});

Deno.test("restore() refuses the state of another model and changes nothing", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  using model = await smallModel(device, "full");
  using other = await smallModel(device, "generative");
  const before = await bitsOfModel(model);
  await assert.rejects(
    restore(model, undefined, snapshotOf(other, undefined, STATE)),
    /RangeError: Cannot take up the run as .* must have shape \[.*\]: got /,
  );
  assert.deepEqual(await bitsOfModel(model), before);
});
