import assert from "node:assert/strict";
import { openWasmDevice, RandomStream, scope, Tensor } from "../../../gpu/mod.ts";
import { storedFloat32, type StoredTensor } from "../../../lib/io/stored_tensor.ts";
import { uploadBatch } from "../../../lib/model/batch.ts";
import { encode, encodeFirstTokens } from "../../../lib/model/transformer.ts";
import { bitsOf, freshModel } from "./fresh_model.ts";

const device = await openWasmDevice({ threads: 1 });
const model = await freshModel(device, { config: { nlayers: 3 }, change: withBiases });
const { parameters, config } = model;
const D = config.embsize;
const LIMITS = { nTokens: model.nTokens, embsize: D, padId: -1 };

/** Fresh attention biases are zero, where a bias left out would not be seen. */
function withBiases(tensors: StoredTensor[]): StoredTensor[] {
  return tensors.map((tensor) => {
    if (!tensor.name.endsWith("bias")) return tensor;
    const random = new RandomStream(2, 9, [tensor.name.length, 0]);
    const values = Float32Array.from({ length: tensor.shape[0]! }, () => random.normal());
    return storedFloat32(tensor.name, tensor.shape, values);
  });
}

/** Tokens of cells with these lengths, and a random input for them. */
function input(lengths: readonly number[], seed = 1) {
  const offsets = Uint32Array.from([0, ...lengths]);
  for (let cell = 1; cell < offsets.length; cell++) offsets[cell]! += offsets[cell - 1]!;
  const tokens = offsets.at(-1)!;
  const random = new RandomStream(seed, 9);
  return {
    batch: { ids: Uint32Array.from({ length: tokens }, (_, t) => t % 40), offsets },
    x: Float32Array.from({ length: tokens * D }, () => random.normal()),
  };
}

/** Largest difference over the largest magnitude. */
function distance(got: Float32Array, wanted: Float32Array): number {
  assert.equal(got.length, wanted.length);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return got.reduce((worst, value, at) => Math.max(worst, Math.abs(value - wanted[at]!)), 0) /
    largest;
}

async function encoded(
  encoder: typeof encode,
  { batch, x }: { batch: Parameters<typeof uploadBatch>[1]; x: Float32Array<ArrayBuffer> },
  nlayers = config.nlayers,
): Promise<Float32Array<ArrayBuffer>> {
  using y = scope(device, () => {
    const on = uploadBatch(device, batch, LIMITS);
    const sizes = { nlayers, nheads: config.nheads };
    return encoder(parameters, sizes, Tensor.from(device, "f32", [x.length / D, D], x), on);
  });
  return await y.data();
}

Deno.test("encodeFirstTokens() equals the first row of encode() for each cell", async () => {
  for (const nlayers of [1, 2, 3]) {
    const given = input([1, 7, 130, 2]);
    const all = await encoded(encode, given, nlayers);
    const first = await encoded(encodeFirstTokens, given, nlayers);
    assert.equal(first.length, 4 * D);
    given.batch.offsets.slice(0, -1).forEach((token, cell) => {
      const error = distance(
        first.subarray(cell * D, (cell + 1) * D),
        all.subarray(token * D, (token + 1) * D),
      );
      assert.ok(error < 2e-6, `${nlayers} layers, cell ${cell}: ${error}`);
    });
  }
});

Deno.test("encode() gives each cell the bits it has alone", async () => {
  const lengths = [5, 33, 1, 64];
  const { batch: { offsets }, x } = input(lengths);
  const together = await encoded(encode, input(lengths));
  for (const [cell, length] of lengths.entries()) {
    const own = [offsets[cell]! * D, offsets[cell + 1]! * D] as const;
    const alone = await encoded(encode, { ...input([length]), x: x.slice(...own) });
    assert.deepEqual(bitsOf(alone), bitsOf(together.slice(...own)), `cell ${cell}`);
  }
});

Deno.test("encode() does not let known tokens see those to be generated", async () => {
  const { batch, x } = input([6, 9]);
  const known = Uint32Array.of(4, 2);
  const first = await encoded(encode, { batch: { ...batch, known }, x });
  // Other numbers in the tokens 4, 5 and 8 .. 14, which are to be generated.
  const changed = x.map((value, at) => {
    const token = Math.floor(at / D);
    return token === 4 || token === 5 || token >= 8 ? value + 1 : value;
  });
  const second = await encoded(encode, { batch: { ...batch, known }, x: changed });
  const rows = (all: Float32Array<ArrayBuffer>, from: number, to: number) =>
    bitsOf(all.slice(from * D, to * D));
  assert.deepEqual(rows(second, 0, 4), rows(first, 0, 4));
  assert.deepEqual(rows(second, 6, 8), rows(first, 6, 8));
  assert.notDeepEqual(rows(second, 4, 6), rows(first, 4, 6));
});

Deno.test("encode() lets a token to be generated see the known ones and itself alone", async () => {
  const { batch, x } = input([6]);
  const known = Uint32Array.of(3);
  const first = await encoded(encode, { batch: { ...batch, known }, x });
  const nudged = (token: number) =>
    x.map((value, at) => Math.floor(at / D) === token ? value + 1 : value);
  const row = (all: Float32Array<ArrayBuffer>, token: number) =>
    bitsOf(all.slice(token * D, (token + 1) * D));
  const otherUnknown = await encoded(encode, { batch: { ...batch, known }, x: nudged(5) });
  assert.deepEqual(row(otherUnknown, 4), row(first, 4));
  const aKnown = await encoded(encode, { batch: { ...batch, known }, x: nudged(1) });
  assert.notDeepEqual(row(aKnown, 4), row(first, 4));
});

Deno.test("encode() gives known tokens what they have when nothing is to be generated", async () => {
  const { batch, x } = input([6]);
  const masked = await encoded(encode, { batch: { ...batch, known: Uint32Array.of(4) }, x });
  const short = input([4]);
  const plain = await encoded(encode, { ...short, x: x.slice(0, 4 * D) });
  assert.ok(distance(masked.subarray(0, 4 * D), plain) < 2e-6);
});

Deno.test("encode() frees what it makes", async () => {
  const { liveBuffers } = device.memory;
  await encoded(encode, input([3, 4]));
  await encoded(encodeFirstTokens, input([3, 4]));
  assert.equal(device.memory.liveBuffers, liveBuffers);
});
