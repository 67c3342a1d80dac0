import assert from "node:assert/strict";
import { openWasmDevice, scope } from "../../../gpu/mod.ts";
import { perToken, requireValues, type TokenBatch, uploadBatch } from "../../../lib/model/batch.ts";

const LIMITS = { nTokens: 10, embsize: 4, padId: -1 };

/** Two cells of 2 and 3 tokens. */
const BATCH: TokenBatch = {
  ids: Uint32Array.of(9, 0, 9, 1, 2),
  values: Float32Array.of(-2, 1, -2, 3, 4),
  offsets: Uint32Array.of(0, 2, 5),
};

const device = await openWasmDevice({ threads: 1 });

Deno.test("uploadBatch() says of each token its cell and of each cell its first token", async () => {
  const known = Uint32Array.of(1, 2);
  const tensors = scope(device, () => {
    const on = uploadBatch(device, { ...BATCH, known }, LIMITS);
    return [on.ids, on.offsets, on.first, on.cellOf, on.known!];
  });
  const numbers = await Promise.all(tensors.map((tensor) => tensor.integers()));
  for (const tensor of tensors) tensor[Symbol.dispose]();
  assert.deepEqual(numbers.map((one) => [...one]), [
    [9, 0, 9, 1, 2],
    [0, 2, 5],
    [0, 2],
    [0, 0, 1, 1, 1],
    [1, 2],
  ]);
  assert.equal(device.memory.liveBuffers, 0);
});

const u32 = (...numbers: number[]) => Uint32Array.of(...numbers);

/** What is wrong with a batch, and the rule and value that the error names. */
const FAULTS: readonly [Partial<TokenBatch>, RegExp][] = [
  [{ offsets: u32() }, /offsets must begin with 0: got \[\]/],
  [{ offsets: u32(1, 2, 5) }, /offsets must begin with 0: got \[1,2,5\]/],
  [{ offsets: u32(0, 0, 5) }, /every cell must have a token \(cell 0\): got 0/],
  [{ offsets: u32(0, 5, 2) }, /every cell must have a token \(cell 1\): got -3/],
  [{ offsets: u32(0, 2, 6) }, /ids must have 6 elements: got 5/],
  [{ values: new Float32Array(4) }, /values must have 5 elements: got 4/],
  [{ ids: u32(9, 0, 10, 1, 2) }, /ids must be below 10 \(token 2\): got 10/],
  [{ known: u32(2) }, /known must have 2 elements: got 1/],
  [{ known: u32(0, 3) }, /known must be 1 \.\. 2 in cell 0: got 0/],
  [{ known: u32(2, 4) }, /known must be 1 \.\. 3 in cell 1: got 4/],
  [{ batchLabels: u32(0, 0, 0) }, /batchLabels must have 2 elements: got 3/],
  [{ modTypes: u32(0) }, /modTypes must have 5 elements: got 1/],
  [{ pertFlags: u32(0, 1) }, /pertFlags must have 5 elements: got 2/],
  [{ cellPrompt: new Float32Array(4) }, /cellPrompt must have 8 elements: got 4/],
];

for (const [change, message] of FAULTS) {
  Deno.test(`uploadBatch() refuses a batch: ${message.source.replaceAll("\\", "")}`, () => {
    const { liveBuffers } = device.memory;
    assert.throws(() => uploadBatch(device, { ...BATCH, ...change }, LIMITS), (error: unknown) => {
      assert.ok(error instanceof RangeError, String(error));
      assert.match(error.message, /^Cannot run the model on this batch as /);
      assert.match(error.message, message);
      return true;
    });
    assert.equal(device.memory.liveBuffers, liveBuffers);
  });
}

Deno.test("perToken() repeats a cell's value for its tokens", () => {
  assert.deepEqual([...perToken(u32(7, 8), BATCH.offsets)], [7, 7, 8, 8, 8]);
});

Deno.test("requireValues() names the part that cannot do without", () => {
  const { values: _, ...genesAlone } = BATCH;
  assert.throws(
    () => requireValues(genesAlone, "perturbation decoder"),
    /Cannot run the perturbation decoder as it needs the values of the batch: none given/,
  );
});
