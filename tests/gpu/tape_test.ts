import assert from "node:assert/strict";
import type { Device } from "../../gpu/device.ts";
import { run } from "../../gpu/run.ts";
import { checkpoint, detach, scaleGradient, Tape } from "../../gpu/tape.ts";
import { scope, Tensor } from "../../gpu/tensor.ts";
import { openWasmDevice } from "../../gpu/wasm/device.ts";
import { normal, offsetsOf, rowKeys } from "./ops_cases/draw.ts";
import { assertSameBits, relativeError, upload, uploadAll } from "./suite/check.ts";

/** Runs a test on a device of its own, on which nothing may be left. */
function test(name: string, body: (device: Device) => Promise<void> | void): void {
  Deno.test(name, async () => {
    await using device = await openWasmDevice({ threads: 1 });
    await body(device);
    assert.equal(device.memory.liveBuffers, 0, "live buffers at the end");
  });
}

function row(device: Device, ...values: number[]): Tensor {
  return Tensor.from(device, "f32", [1, values.length], Float32Array.from(values));
}

const times = (a: Tensor, b: Tensor) => run("binary", { a, b }, { fn: "mul" }).y;
const plus = (a: Tensor, b: Tensor) => run("binary", { a, b }, { fn: "add" }).y;
const scaled = (x: Tensor, alpha: number) => run("scale_add", { x }, { alpha, beta: 0 }).y;

/** Numbers of a gradient, which is freed. */
async function taken(gradients: ReadonlyMap<Tensor, Tensor>, leaf: Tensor): Promise<number[]> {
  using gradient = gradients.get(leaf)!;
  return [...await gradient.data()];
}

test("Tape.backward() sums the gradients of a tensor with several uses", async (device) => {
  using x = row(device, 3, 4);
  using tape = new Tape(device, [x]);
  using loss = tape.record(() => {
    const square = times(x, x);
    const cube = times(square, x);
    return plus(plus(plus(square, cube), plus(square, square)), x); // x³ + 3x² + x
  });
  assert.deepEqual(await taken(tape.backward(loss), x), [27 + 18 + 1, 48 + 24 + 1]);
});

test("Tape.backward() passes on a sum of several uses to one tensor that takes it twice", async (device) => {
  using x = row(device, 3, 4);
  using tape = new Tape(device, [x]);
  using loss = tape.record(() => {
    const double = plus(x, x); // gets a sum of three gradients, and hands it to x as it is, twice
    return plus(plus(double, double), double);
  });
  assert.deepEqual(await taken(tape.backward(loss), x), [6, 6]);
});

test("Tape.backward() gives leaves with one gradient tensors of their own", async (device) => {
  using x = row(device, 1, 2);
  using y = row(device, 3, 4);
  using tape = new Tape(device, [x, y]);
  using loss = tape.record(() => plus(x, y));
  const gradients = tape.backward(loss, { scale: 2 });
  assert.notEqual(gradients.get(x)!.buffer, gradients.get(y)!.buffer);
  gradients.get(x)![Symbol.dispose]();
  assert.deepEqual(await taken(gradients, y), [2, 2]);
});

test("Tape.backward() gives the gradient of a leaf by itself, and leaves the seed alone", async (device) => {
  using x = row(device, 1, 2);
  using seed = row(device, 5, 6);
  using tape = new Tape(device, [x]);
  assert.deepEqual(await taken(tape.backward(x), x), [1, 1]);
  assert.deepEqual(await taken(tape.backward(x, { seed }), x), [5, 6]);
  assert.deepEqual([...await seed.data()], [5, 6]);
});

test("Tape.backward() goes through rows() and reshape()", async (device) => {
  using x = Tensor.from(device, "f32", [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
  using tape = new Tape(device, [x]);
  using loss = tape.record(() => {
    const rows = x.rows(1, 3);
    const square = times(rows, rows);
    const last = x.reshape([6, 1]).rows(5, 6).reshape([1, 1]);
    return plus(square.reshape([4, 1]).rows(3, 4), last); // 6² + 6
  });
  assert.deepEqual(await taken(tape.backward(loss), x), [0, 0, 0, 0, 0, 13]);
});

test("detach() stops gradients, scaleGradient() multiplies them, both give the same numbers", async (device) => {
  using x = row(device, 3, 4);
  using tape = new Tape(device, [x]);
  using loss = tape.record(() => plus(times(x, detach(x)), scaleGradient(x, -0.5)));
  assert.deepEqual([...await loss.data()], [12, 20]);
  assert.deepEqual(await taken(tape.backward(loss), x), [2.5, 3.5]);
});

test("Tape.backward() computes no gradient that no leaf needs", (device) => {
  using x = row(device, 3, 4);
  using other = row(device, 5, 6);
  using tape = new Tape(device, [x]);
  using loss = tape.record(() => times(x, times(other, other)));
  const ops: string[] = [];
  const right = device.run.bind(device);
  device.run = (op, ...given) => (ops.push(op), right(op, ...given));
  const gradients = tape.backward(loss);
  assert.deepEqual([ops, gradients.size], [["binary"], 1]);
  for (const gradient of gradients.values()) gradient[Symbol.dispose]();
});

test("Tape.backward() adds to the gradients of earlier batches", async (device) => {
  const [x, weight] = [normal([8, 5]), normal([3, 5])];
  using weights = upload(device, weight);
  using inputs = upload(device, x);
  using tape = new Tape(device, [weights]);
  const loss = (start: number, end: number) =>
    tape.record(() => {
      const y = run("linear", { x: inputs.rows(start, end), weight: weights }, {
        activation: "tanh",
      }).y;
      return times(y, y);
    });
  const into = new Map<Tensor, Tensor>();
  for (const start of [0, 3, 6]) {
    using part = loss(start, Math.min(start + 3, 8));
    assert.equal(tape.backward(part, { into, scale: 0.5 }), into);
  }
  using whole = loss(0, 8);
  using expected = tape.backward(whole, { scale: 0.5 }).get(weights)!;
  const error = relativeError(await taken(into, weights), await expected.data());
  assert(error < 1e-6, `${error}`);
});

const D = 32, T = 400;
const LEAVES = {
  x: normal([T, D]),
  qkv: normal([3 * D, D], D ** -0.5),
  up: normal([4 * D, D], D ** -0.5),
  down: normal([D, 4 * D], D ** -0.5),
  gain: normal([D]),
  bias: normal([D]),
};
const ROW_KEYS = rowKeys(T);

/** Four layers with dropout, as a transformer has them: their weights are leaves, the keys of rows are not. */
function stackOf(device: Device) {
  const leaves = uploadAll(device, LEAVES);
  const offsets = upload(device, offsetsOf([T >> 2, T - (T >> 2)]));
  const row_key = upload(device, ROW_KEYS);
  const layer = (x: Tensor, stream: number) => {
    const dropout = { p: 0.2, seed: 3, stream };
    const qkv = run("linear", { x, weight: leaves.qkv }, { activation: "none" }).y;
    const { context } = run("attention", { qkv, offsets, row_key }, { heads: 2, dropout });
    const norm = { weight: leaves.gain, bias: leaves.bias };
    const h = run("layer_norm", { x: context, residual: x, ...norm }, { eps: 1e-5 }).y;
    const wide = run("linear", { x: h, weight: leaves.up }, { activation: "relu" }).y;
    const dropped = run("dropout", { x: wide, row_key }, { ...dropout, stream: stream + 1 }).y;
    return plus(h, run("linear", { x: dropped, weight: leaves.down }, { activation: "none" }).y);
  };
  return { leaves: Object.values(leaves), x: leaves.x, layer, others: [offsets, row_key] };
}

/** Bits of the gradients of the stack, and the memory that it took. */
async function stackGradients(wrap: (x: Tensor, layer: () => Tensor) => Tensor) {
  await using device = await openWasmDevice({ threads: 1 });
  const { leaves, x, layer, others } = stackOf(device);
  const before = device.memory.liveBytes;
  const tape = new Tape(device, leaves);
  const loss = tape.record(() => {
    let h = x;
    for (let at = 0; at < 4; at++) {
      const input = h;
      h = wrap(input, () => layer(input, 10 * at));
    }
    return h;
  });
  const kept = device.memory.liveBytes - before;
  const gradients = tape.backward(loss);
  const bits: Float32Array[] = [];
  for (const leaf of leaves) bits.push(await gradients.get(leaf)!.data());
  const peak = device.memory.peakBytes - before;
  for (const tensor of [...leaves, ...others, ...gradients.values(), loss]) {
    tensor[Symbol.dispose]();
  }
  assert.equal(device.memory.liveBuffers, 0);
  return { bits, kept, peak };
}

Deno.test("checkpoint() gives the bits of the whole tape, dropout included, for less memory", async () => {
  const plain = await stackGradients((_, layer) => layer());
  const once = await stackGradients((x, layer) => checkpoint([x], layer));
  const nested = await stackGradients((x, layer) => checkpoint([x], () => checkpoint([x], layer)));
  for (const [i, expected] of plain.bits.entries()) {
    assertSameBits(once.bits[i]!, expected, `gradient ${i}`);
    assertSameBits(nested.bits[i]!, expected, `gradient ${i}, nested`);
  }
  assert(once.kept < plain.kept / 5, `${once.kept} of ${plain.kept} bytes kept`);
  assert(once.peak < plain.peak / 1.5, `peaks of ${once.peak} and ${plain.peak} bytes`);
});

test("checkpoint() without a tape runs its body", async (device) => {
  using x = row(device, 3, 4);
  using y = checkpoint([x], () => times(x, x));
  assert.deepEqual([...await y.data()], [9, 16]);
});

test("checkpoint() refuses a body that reads past its inputs", (device) => {
  using x = row(device, 3, 4);
  using tape = new Tape(device, [x]);
  tape.record(() => {
    const square = times(x, x), cube = times(square, x);
    assert.throws(
      () => checkpoint([square], () => times(square, cube)),
      /Cannot checkpoint as the body reads a tensor \[1,2\] that is not among the inputs/,
    );
    assert.throws(() => checkpoint([square], () => cube.reshape([2, 1])), /Cannot checkpoint/);
  });
});

test("Tape keeps what it needs past using, scopes and the end of record(), and no more", async (device) => {
  using x = row(device, 3, 4);
  using tape = new Tape(device, [x]);
  using loss = tape.record(() => {
    using square = times(x, x); // kept: the product below needs it
    using sum = scope(device, () => plus(plus(square, x), x)); // inner sum: not kept
    using view = sum.reshape([2, 1]);
    return times(view.reshape([1, 2]), square); // x⁴ + 2x³
  });
  assert.equal(device.memory.liveBuffers, 4); // x, square, sum, loss
  assert.deepEqual(await taken(tape.backward(loss), x), [4 * 27 + 6 * 9, 4 * 64 + 6 * 16]);
  assert.equal(device.memory.liveBuffers, 2);
});

test("Tape gives back what it kept when it is disposed without backward()", (device) => {
  using x = row(device, 3, 4);
  {
    using tape = new Tape(device, [x]);
    using _loss = tape.record(() => times(times(x, x), checkpoint([x], () => times(x, x))));
    assert(device.memory.liveBuffers > 2);
  }
  assert.equal(device.memory.liveBuffers, 1);
});

test("Tape gives back what it kept when backward() or record() fails", (device) => {
  using x = row(device, 3, 4);
  {
    using tape = new Tape(device, [x]);
    using loss = tape.record(() => times(times(x, x), times(x, x)));
    const right = device.run.bind(device);
    let left = 3;
    device.run = (...given) => {
      if (left-- === 0) throw new Error("lost");
      right(...given);
    };
    assert.throws(() => tape.backward(loss), /lost/);
    device.run = right;
    const failing = () => {
      times(x, x);
      throw new Error("stop");
    };
    assert.throws(() => tape.record(failing), /stop/);
  }
  assert.equal(device.memory.liveBuffers, 1);
});

test("gradients belong to the innermost open scope", (device) => {
  using x = row(device, 3, 4);
  scope(device, () => {
    const tape = new Tape(device, [x]);
    const gradients = tape.backward(tape.record(() => times(x, x)));
    assert.equal(gradients.get(x)!.disposed, false);
    assert.equal(device.memory.liveBuffers, 3);
  });
  assert.equal(device.memory.liveBuffers, 1);
});

test("Tape records again after backward()", async (device) => {
  using x = row(device, 3, 4);
  using tape = new Tape(device, [x]);
  for (let round = 0; round < 2; round++) {
    using loss = tape.record(() => scaled(x, 7));
    assert.deepEqual(await taken(tape.backward(loss), x), [7, 7]);
    assert.throws(() => tape.backward(loss), /did not see it depend on a leaf/);
  }
});

test("Tape.backward() refuses a loss without a leaf and a seed of another shape", (device) => {
  using x = row(device, 3, 4);
  using other = row(device, 5, 6);
  using tape = new Tape(device, [x]);
  using loss = tape.record(() => times(other, other));
  assert.throws(
    () => tape.backward(loss),
    /Cannot take gradients of a tensor \[1,2\] as this tape did not see it depend on a leaf/,
  );
  using right = tape.record(() => times(x, other));
  using seed = row(device, 1);
  assert.throws(() => tape.backward(right, { seed }), /loss's shape \[1,2\]: got \[1,1\]/);
});
