/** Checks of memory and order: views, reads, writes, reuse, limits. */
import type { Device, DeviceBuffer } from "../../../gpu/device.ts";
import { DeviceError } from "../../../gpu/errors.ts";
import { run, update } from "../../../gpu/run.ts";
import { scope, Tensor } from "../../../gpu/tensor.ts";
import { normal, words } from "../ops_cases/draw.ts";
import type { DeviceCheck } from "./agreement.ts";
import {
  assertEqual,
  assertSameBits,
  fail,
  relativeError,
  throwsSync,
  TOLERANCE,
  upload,
} from "./check.ts";

/** The checks. */
export function queueChecks(): DeviceCheck[] {
  return [
    ["gather_rows reads a gene table of 60,697 x 512", wholeTableIsRead],
    ["scatter_rows and accumulate write a gene table of 60,697 x 512", wholeTableIsWritten],
    ["views that start anywhere are read right", viewsAreRead],
    ["views that start anywhere are changed right", viewsAreChanged],
    ["several reads overlap and keep their order", readsOverlap],
    ["a write waits for the ops before it", writesKeepOrder],
    ["an op sees what an op in place changed", updatesKeepOrder],
    ["more ops than a submission holds keep their order", longChains],
    ["freed memory is counted and reused", memoryIsCounted],
    ["a disposed tensor is refused", disposedIsRefused],
  ];
}

async function wholeTableIsRead(device: Device): Promise<void> {
  const V = 60697, D = 512, ends = normal([2, D]);
  using table = Tensor.empty(device, [V, D]);
  device.write(table.buffer, 0, new Uint8Array(ends.data.buffer, 0, 4 * D));
  device.write(table.buffer, 4 * D * (V - 1), new Uint8Array(ends.data.buffer, 4 * D));
  using index = upload(device, words([2], [0, V - 1]));
  using y = run("gather_rows", { table, index }, { paddingIdx: -1 }).y;
  assertSameBits(await y.data(), ends.data, "first and last row");
}

async function wholeTableIsWritten(device: Device): Promise<void> {
  const V = 60697, D = 512, given = normal([3, D]);
  using values = upload(device, given);
  using index = upload(device, words([3], [V - 1, 0, V - 2]));
  using table = run("scatter_rows", { values, index }, { rows: V, paddingIdx: 0 }).table;
  using sum = run("scale_add", { x: table }, { alpha: 2, beta: 0 }).y;
  update("accumulate", { x: table }, { sum }, { keep: 1, scale: 1 });
  const last = await sum.rows(V - 3, V).data();
  const row = (t: number) => given.data.slice(t * D, (t + 1) * D).map((value) => 3 * value);
  const zeros = new Float32Array(D);
  assertSameBits(await sum.rows(0, 1).data(), zeros, "row of the padding");
  assertSameBits(await sum.rows(V >> 1, (V >> 1) + 1).data(), zeros, "row without tokens");
  const error = relativeError(last, [...zeros, ...row(2), ...row(0)]);
  if (!(error <= TOLERANCE)) fail(`the last rows are off by ${error}`);
}

async function viewsAreRead(device: Device): Promise<void> {
  const x = normal([40, 13]), weight = normal([6, 13]);
  using whole = upload(device, x);
  using weights = upload(device, weight);
  using all = run("linear", { x: whole, weight: weights }, { activation: "none" }).y;
  const expected = await all.data();
  for (const start of [1, 4, 7, 33]) {
    using part =
      run("linear", { x: whole.rows(start, 40), weight: weights }, { activation: "none" }).y;
    assertSameBits(await part.data(), expected.slice(start * 6), `rows from ${start}`);
    using copy = run("unary", { x: whole.rows(start, 40) }, { fn: "none" }).y;
    assertSameBits(await copy.data(), x.data.slice(start * 13), `copy from ${start}`);
    assertSameBits(
      await whole.rows(start, 40).data(),
      x.data.slice(start * 13),
      `read from ${start}`,
    );
  }
}

async function viewsAreChanged(device: Device): Promise<void> {
  const before = normal([40, 13]), given = normal([3, 13]);
  using x = upload(device, given);
  for (const start of [0, 1, 6, 37]) {
    using whole = upload(device, before);
    const sum = whole.rows(start, start + 3);
    update("accumulate", { x }, { sum }, { keep: 0, scale: 1 });
    const expected = before.data.slice();
    expected.set(given.data, start * 13);
    assertSameBits(await whole.data(), expected, `rows from ${start}`);
  }
}

async function readsOverlap(device: Device): Promise<void> {
  const hosts = Array.from({ length: 12 }, (_, i) => normal([100 + i]));
  const tensors = hosts.map((host) => upload(device, host));
  const read = await Promise.all(tensors.map((tensor) => tensor.data()));
  for (const [i, data] of read.entries()) assertSameBits(data, hosts[i]!.data, `read ${i}`);
  for (const tensor of tensors) tensor[Symbol.dispose]();
}

async function writesKeepOrder(device: Device): Promise<void> {
  const first = normal([64]), second = normal([64]);
  using x = upload(device, first);
  using early = run("unary", { x }, { fn: "none" }).y;
  const pending = x.data();
  device.write(x.buffer, 0, new Uint8Array(second.data.buffer));
  using late = run("unary", { x }, { fn: "none" }).y;
  assertSameBits(await late.data(), second.data, "op after the write");
  assertSameBits(await early.data(), first.data, "op before the write");
  assertSameBits(await pending, first.data, "read before the write");
}

async function updatesKeepOrder(device: Device): Promise<void> {
  const weights = normal([12, 8]), step = normal([12, 8]);
  using x = upload(device, normal([5, 8]));
  using weight = upload(device, weights);
  using moved = upload(device, step);
  using early = run("linear", { x, weight }, { activation: "none" }).y; // engines keep packed weights
  update("accumulate", { x: moved }, { sum: weight }, { keep: 1, scale: 1 });
  using late = run("linear", { x, weight }, { activation: "none" }).y;
  using fresh = upload(device, {
    ...weights,
    data: weights.data.map((value, i) => value + step.data[i]!),
  });
  using expected = run("linear", { x, weight: fresh }, { activation: "none" }).y;
  assertSameBits(await late.data(), await expected.data(), "product after the update");
  if ((await early.data())[0] === (await late.data())[0]) fail("the update changed nothing");
}

async function longChains(device: Device): Promise<void> {
  const one = normal([3, 5]);
  using x = upload(device, one);
  using last = scope(device, () => {
    let sum = run("binary", { a: x, b: x }, { fn: "sub" }).y;
    for (let i = 0; i < 100; i++) sum = run("binary", { a: sum, b: x }, { fn: "add" }).y;
    return sum;
  });
  const error = relativeError(await last.data(), one.data.map((value) => 100 * value));
  if (error > TOLERANCE) fail(`sum is off by ${error}`);
}

async function memoryIsCounted(device: Device): Promise<void> {
  const before = device.memory;
  const tensors = Array.from({ length: 5 }, () => Tensor.empty(device, [1000, 10]));
  assertEqual(device.memory.liveBuffers, before.liveBuffers + 5, "live buffers");
  if (device.memory.liveBytes < before.liveBytes + 200_000) fail("live bytes did not grow");
  if (device.memory.peakBytes < device.memory.liveBytes) fail("the peak is below the live bytes");
  for (const tensor of tensors) tensor[Symbol.dispose]();
  assertEqual(device.memory.liveBuffers, before.liveBuffers, "live buffers after");
  assertEqual(device.memory.liveBytes, before.liveBytes, "live bytes after");
  const pooled = device.memory.pooledBytes;
  for (let i = 0; i < 50; i++) Tensor.empty(device, [1000, 10])[Symbol.dispose]();
  assertEqual(device.memory.pooledBytes, pooled, "pooled bytes after reuse");
  using zero = upload(device, normal([0]));
  assertEqual((await zero.data()).length, 0, "elements of an empty tensor");
}

async function disposedIsRefused(device: Device): Promise<void> {
  const x = upload(device, normal([4, 4]));
  x[Symbol.dispose]();
  x[Symbol.dispose]();
  assertEqual(x.disposed, true, "disposed");
  throwsSync(() => run("unary", { x }, { fn: "relu" }), TypeError);
  throwsSync(() => device.free(x.buffer), Error);
  const error = await x.data().then(() => undefined, (error: unknown) => error);
  if (!(error instanceof TypeError)) fail("reading a disposed tensor did not fail");
}

/** The memory limit is an error with a kind, and the pool makes room for a large buffer. */
export async function limitIsHeld(
  open: (options: { memoryLimitBytes: number }) => Promise<Device>,
): Promise<void> {
  const limit = 64 * 2 ** 20;
  await using device = await open({ memoryLimitBytes: limit });
  assertEqual(device.memory.limitBytes, limit, "limit");
  const buffers: DeviceBuffer[] = [];
  const error = throwsSync(() => {
    for (let i = 0; i < 100; i++) buffers.push(device.alloc(3 * 2 ** 20));
  }, DeviceError) as DeviceError;
  assertEqual(error.kind, "memory", "kind");
  if (buffers.length < 10) fail(`only ${buffers.length} buffers of 3 MiB fitted 64 MiB`);
  for (const buffer of buffers) device.free(buffer);
  device.free(device.alloc(40 * 2 ** 20)); // the pool makes room
}
