import assert from "node:assert/strict";
import { openWasmDevice, Tensor } from "../../../gpu/mod.ts";
import { Adam, type AdamOptions } from "../../../lib/train/optimizer.ts";

const GRADIENTS = [[0.1, -0.2, 0.3], [3, 0, -4], [-0.5, 0.25, 0.125]];

/** Three steps with rate 0.1 from [1, -2, 0.5]. */
async function steps(options: AdamOptions): Promise<{ weights: number[][]; norms: number[] }> {
  await using device = await openWasmDevice({ threads: 1 });
  using weight = Tensor.from(device, "f32", [3], Float32Array.of(1, -2, 0.5));
  using adam = new Adam(device, options);
  const weights: number[][] = [], norms: number[] = [];
  for (const values of GRADIENTS) {
    using gradient = Tensor.from(device, "f32", [3], Float32Array.from(values));
    using squares = adam.step(new Map([["w", weight]]), new Map([[weight, gradient]]), 0.1);
    norms.push(Math.sqrt((await squares.data())[0]!));
    weights.push([...await weight.data()]);
  }
  return { weights, norms };
}

// torch 2.13: torch.optim.Adam and AdamW after clip_grad_norm_(1)
const TORCH: readonly [string, AdamOptions, readonly number[][]][] = [
  ["Adam", {}, [[0.9, -1.9, 0.4], [0.8155875, -1.8329941, 0.446163], [
    0.8057678,
    -1.8505597,
    0.4722182,
  ]]],
  [
    "Adam with an L2 penalty",
    { weightDecay: 0.1, eps: 1e-4, betas: [0.8, 0.95] },
    [[0.90005, -1.900025, 0.4000286], [0.8080993, -1.8088278, 0.4447216], [
      0.785951,
      -1.7540861,
      0.4626203,
    ]],
  ],
  [
    "AdamW",
    { kind: "adamw", weightDecay: 0.1 },
    [[0.89, -1.88, 0.395], [0.7966875, -1.7941941, 0.437213], [0.7789009, -1.7938178, 0.4588961]],
  ],
];

for (const [name, options, expected] of TORCH) {
  Deno.test(`Adam.step() is torch's ${name}`, async () => {
    const { weights, norms } = await steps(options);
    weights.forEach((row, i) =>
      row.forEach((value, j) =>
        assert.ok(Math.abs(value - expected[i]![j]!) < 1e-6, `step ${i + 1}: ${row}`)
      )
    );
    assert.ok(Math.abs(norms[1]! - 5) < 1e-6, "the norm is that before clipping");
  });
}

Deno.test("Adam.step() clips only where told", async () => {
  const clipped = await steps({}), free = await steps({ maxNorm: Infinity });
  assert.deepEqual(free.weights[0], clipped.weights[0]); // norm 0.37
  assert.notDeepEqual(free.weights[1], clipped.weights[1]); // norm 5
});

Deno.test("Adam.step() leaves weights without a gradient, and their slots", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const before = device.memory.liveBuffers;
  {
    using a = Tensor.from(device, "f32", [1], Float32Array.of(1));
    using b = Tensor.from(device, "f32", [1], Float32Array.of(1));
    using gradient = Tensor.from(device, "f32", [1], Float32Array.of(1));
    using adam = new Adam(device);
    using _ = adam.step(new Map([["a", a], ["b", b]]), new Map([[a, gradient]]), 0.1);
    assert.deepEqual([...adam.slots.keys()], ["a"]);
    assert.equal((await b.data())[0], 1);
  }
  assert.equal(device.memory.liveBuffers, before);
});

Deno.test("Adam.restore() goes on where another optimiser stood", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const run = async (resumeAt: number | undefined) => {
    using weight = Tensor.from(device, "f32", [3], Float32Array.of(1, -2, 0.5));
    let adam = new Adam(device);
    for (const [i, values] of GRADIENTS.entries()) {
      if (i === resumeAt) {
        const { m, v, step } = adam.slots.get("w")!;
        const copy = async (x: Tensor) => Tensor.from(device, "f32", [3], await x.data());
        const slot = { m: await copy(m), v: await copy(v), step };
        adam[Symbol.dispose]();
        adam = new Adam(device);
        adam.restore("w", slot);
      }
      using gradient = Tensor.from(device, "f32", [3], Float32Array.from(values));
      using _ = adam.step(new Map([["w", weight]]), new Map([[weight, gradient]]), 0.1);
    }
    adam[Symbol.dispose]();
    return await weight.data();
  };
  assert.deepEqual(await run(2), await run(undefined));
});

Deno.test("Adam refuses other options and kinds", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  assert.throws(() => new Adam(device, { decay: 1 } as never), TypeError);
  assert.throws(() => new Adam(device, { kind: "sgd" } as never), /"adam" or "adamw": got "sgd"/);
});
