import assert from "node:assert/strict";
import type { Device } from "../../gpu/device.ts";
import { run, update } from "../../gpu/run.ts";
import { Tape } from "../../gpu/tape.ts";
import { Tensor } from "../../gpu/tensor.ts";
import { openWasmDevice } from "../../gpu/wasm/device.ts";
import { normal } from "./ops_cases/draw.ts";
import { upload } from "./suite/check.ts";

/** Runs a test on a device of its own, on which nothing may be left. */
function test(name: string, body: (device: Device) => Promise<void> | void): void {
  Deno.test(name, async () => {
    await using device = await openWasmDevice({ threads: 1 });
    await body(device);
    assert.equal(device.memory.liveBuffers, 0, "live buffers at the end");
  });
}

test("run() refuses disposed inputs, inputs of two devices and wrong shapes before it allocates", async (device) => {
  await using other = await openWasmDevice({ threads: 1 });
  using x = upload(device, normal([2, 3]));
  using far = upload(other, normal([2, 3]));
  const gone = upload(device, normal([2, 3]));
  gone[Symbol.dispose]();
  const before = device.memory.liveBuffers;
  assert.throws(
    () => run("row_dot", { a: x, b: gone }, {}),
    /Cannot row_dot a tensor \[2,3\] as it was disposed/,
  );
  assert.throws(() => run("row_dot", { a: x, b: far }, {}), /different devices/);
  assert.throws(() => run("row_dot", { a: x, b: x.reshape([3, 2]) }, {}), RangeError);
  assert.equal(device.memory.liveBuffers, before);
});

test("update() refuses targets of another shape or type, disposed ones and shared memory", (device) => {
  using x = upload(device, normal([2, 3]));
  using integers = Tensor.empty(device, [2, 3], "u32");
  using long = upload(device, normal([4, 3]));
  const into = (sum: Tensor) => () => update("accumulate", { x }, { sum }, { keep: 1, scale: 1 });
  assert.throws(into(long), /Cannot run accumulate as sum must be f32 \[2,3\]: got f32 \[4,3\]/);
  assert.throws(into(integers), /sum must be f32 \[2,3\]: got u32 \[2,3\]/);
  assert.throws(into(x), /sum must not share memory with another tensor/);
  const gone = upload(device, normal([2, 3]));
  gone[Symbol.dispose]();
  assert.throws(into(gone), TypeError);
  using squares = upload(device, normal([1]));
  using weight = upload(device, normal([2, 3]));
  const both = { weight, m: long.rows(0, 2), v: long.rows(2, 4) };
  const step = { lr: 1, beta1: 0, beta2: 0, eps: 1, weightDecay: 0, decoupled: false, step: 1 };
  assert.throws(
    () => update("adam", { gradient: x, squares }, both, { ...step, maxNorm: 1 }),
    /v must not share memory/,
  );
});

test("update() is not recorded by a tape", (device) => {
  using x = upload(device, normal([2]));
  using sum = upload(device, normal([2]));
  using tape = new Tape(device, [x]);
  tape.record(() => update("accumulate", { x }, { sum }, { keep: 1, scale: 1 }));
  assert.equal(tape.tracks(sum), false);
});
