import assert from "node:assert/strict";
import type { Device } from "../../gpu/device.ts";
import { scope, Tensor } from "../../gpu/tensor.ts";
import { openWasmDevice } from "../../gpu/wasm/device.ts";

async function withDevice(body: (device: Device) => void | Promise<void>): Promise<void> {
  await using device = await openWasmDevice({ threads: 1 });
  await body(device);
  assert.equal(device.memory.liveBuffers, 0, "live buffers at the end");
}

function counting(device: Device, ...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return Tensor.from(device, "f32", shape, Float32Array.from({ length: size }, (_, i) => i));
}

Deno.test("Tensor.from() and data() give back what was put in, and refuse a wrong number of elements", () =>
  withDevice(async (device) => {
    using x = counting(device, 2, 3);
    assert.deepEqual([...await x.data()], [0, 1, 2, 3, 4, 5]);
    using ids = Tensor.from(device, "u32", [2], new Uint32Array([7, 4294967295]));
    assert.deepEqual([...await ids.integers()], [7, 4294967295]);
    assert.throws(
      () => Tensor.from(device, "f32", [2, 2], new Float32Array(3)),
      /needs 4 elements: got 3/,
    );
    await assert.rejects(async () => await ids.data(), /Cannot read a u32 tensor as f32/);
  }));

Deno.test("Tensor.rows() and reshape() borrow memory", () =>
  withDevice(async (device) => {
    using x = counting(device, 4, 3);
    const middle = x.rows(1, 3);
    assert.deepEqual([...await middle.data()], [3, 4, 5, 6, 7, 8]);
    assert.deepEqual([...await middle.rows(1, 2).reshape([3, 1]).data()], [6, 7, 8]);
    middle[Symbol.dispose]();
    assert.equal(x.disposed, false);
    assert.throws(() => x.rows(2, 5), /Cannot take rows 2..5 as the tensor has shape \[4,3\]/);
    assert.throws(() => x.reshape([5]), /Cannot reshape \[4,3\] to \[5\]/);
  }));

Deno.test("scope() frees all tensors but those it returns, in any nesting", () =>
  withDevice((device) => {
    using x = counting(device, 4);
    const kept = scope(device, () => {
      counting(device, 8);
      const inner = scope(
        device,
        () => [counting(device, 1), new Map([["a", counting(device, 2)]])] as const,
      );
      assert.equal(device.memory.liveBuffers, 4);
      return { one: inner[0].reshape([1, 1]) };
    });
    assert.equal(device.memory.liveBuffers, 2);
    assert.equal(kept.one.disposed, false);
    assert.equal(x.disposed, false);
    device.free(kept.one.buffer);
  }));

Deno.test("scope() frees all tensors when its body throws or returns a Promise", () =>
  withDevice((device) => {
    const fail = () => {
      counting(device, 8);
      throw new Error("stop");
    };
    assert.throws(() => scope(device, fail), /stop/);
    assert.throws(
      () => scope(device, () => Promise.resolve(counting(device, 8))),
      /Cannot return a Promise/,
    );
  }));
