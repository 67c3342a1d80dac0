/** What any device must hold, as named checks that run in Deno and in a page. */
import type { Device, DeviceBuffer } from "../../gpu/device.ts";
import { DeviceError } from "../../gpu/errors.ts";
import type { OpInputs, OpName, OpParams } from "../../gpu/ops.ts";
import { RandomStream } from "../../gpu/random.ts";
import { run, scope, Tensor } from "../../gpu/tensor.ts";
import { CASES, normal, offsetsOf, type OpCase, words } from "./ops_cases.ts";
import type { HostTensor } from "./oracle/host.ts";
import { ORACLE } from "./oracle/table.ts";

/** One check. */
export interface Check {
  readonly name: string;
  run(): Promise<void>;
}

/** Largest error of forward results, relative to the tensor's largest magnitude. */
const TOLERANCE = 1e-5;

/**
 * All checks of one device.
 *
 * @param open Opens a device with 1 GiB of memory, or the limit given; each check opens and disposes its own unless it is shared
 */
export function deviceSuite(
  open: (options?: { memoryLimitBytes: number }) => Promise<Device>,
): Check[] {
  let shared: Promise<Device> | undefined;
  const device = () => shared ??= open();
  const checks: Check[] = [];
  for (const op of Object.keys(CASES) as OpName[]) {
    for (const [at, { name }] of CASES[op].entries()) {
      checks.push({
        name: `${op}: ${name}`,
        run: async () => await agrees(await device(), op, at),
      });
    }
  }
  const add = (name: string, check: (device: Device) => Promise<void> | void) =>
    checks.push({ name, run: async () => await check(await device()) });
  add("linear gives a row the same bits in any batch", rowsAreAlone);
  add("matmul gives an element the same bits under any tile", tilesAreAlike);
  add(
    "attention, attention_pool and segment_pool give a cell the same bits in any batch",
    cellsAreAlone,
  );
  add("attention agrees on ragged cells with any known mask", raggedCellsAgree);
  add("gather_rows reads a gene table of 60,697 x 512", wholeTableIsRead);
  add("views that start anywhere are read right", viewsAreRead);
  add("several reads overlap and keep their order", readsOverlap);
  add("a write waits for the ops before it", writesKeepOrder);
  add("more ops than a submission holds keep their order", longChains);
  add("freed memory is counted and reused", memoryIsCounted);
  add("a disposed tensor is refused", disposedIsRefused);
  checks.push({ name: "the memory limit is held", run: async () => await limitIsHeld(open) });
  checks.push({
    name: "dispose ends the device",
    run: async () => {
      const opened = await device();
      await opened[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
      throwsSync(() => opened.alloc(4), Error);
    },
  });
  return checks;
}

/** Fails with a message. */
function fail(message: string): never {
  throw new Error(message);
}

function assertEqual(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) fail(`${what}: got ${actual}, not ${expected}`);
}

function throwsSync(act: () => unknown, kind: new (...args: never[]) => Error): Error {
  try {
    act();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  return fail(`expected a ${kind.name}`);
}

function assertSameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  assertEqual(actual.length, expected.length, `${what}, length`);
  const at = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  if (at >= 0) fail(`${what}: element ${at} is ${actual[at]}, not ${expected[at]}`);
}

/** Puts a host tensor on a device. */
export function upload(device: Device, { dtype, shape, data }: HostTensor): Tensor {
  return dtype === "u32"
    ? Tensor.from(device, "u32", shape, Uint32Array.from(data))
    : Tensor.from(device, "f32", shape, Float32Array.from(data));
}

function uploadAll<K extends OpName>(
  device: Device,
  inputs: OpInputs<K, HostTensor>,
): OpInputs<K, Tensor> {
  const entries = Object.entries(inputs) as [string, HostTensor][];
  return Object.fromEntries(
    entries.map(([name, host]) => [name, upload(device, host)]),
  ) as OpInputs<K, Tensor>;
}

/** Largest difference, relative to the largest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0, error = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    const difference = actual[i] === expected[i] ? 0 : Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= error)) error = difference; // NaN counts
  }
  return error === 0 ? 0 : error / (Number.isFinite(largest) && largest > 0 ? largest : 1);
}

async function agrees<K extends OpName>(device: Device, op: K, at: number): Promise<void> {
  const { inputs, params } = CASES[op][at] as OpCase<K>;
  const before = device.memory.liveBuffers;
  const expected = ORACLE[op](inputs, params) as Record<string, HostTensor>;
  const outputs = scope(device, () => run(op, uploadAll(device, inputs), params)) as Record<
    string,
    Tensor
  >;
  for (const [name, { dtype, shape, data }] of Object.entries(expected)) {
    const output = outputs[name]!;
    assertEqual(output.shape.join(), shape.join(), `shape of ${name}`);
    assertEqual(output.dtype, dtype, `element type of ${name}`);
    const actual = dtype === "u32" ? await output.integers() : await output.data();
    const error = relativeError(actual, data);
    if (!(error <= (dtype === "u32" ? 0 : TOLERANCE))) fail(`${name} is off by ${error}`);
    output[Symbol.dispose]();
  }
  assertEqual(device.memory.liveBuffers, before, "live buffers");
}

/** Runs an op and reads its first output. */
async function compute<K extends OpName>(
  device: Device,
  op: K,
  given: { inputs: OpInputs<K, HostTensor>; params: OpParams<K> },
): Promise<Float32Array> {
  const outputs = scope(device, () => run(op, uploadAll(device, given.inputs), given.params));
  const [first, ...others] = Object.values(outputs) as Tensor[];
  const data = await first!.data();
  for (const tensor of [first!, ...others]) tensor[Symbol.dispose]();
  return data;
}

async function rowsAreAlone(device: Device): Promise<void> {
  const [M, N, K] = [1500, 1040, 96]; // enough for the large tiles of a GPU
  const x = normal([M, K]), weight = normal([N, K]), bias = normal([N]);
  const params = { activation: "gelu" } as const;
  const all = await compute(device, "linear", { inputs: { x, weight, bias }, params });
  for (const [start, end] of [[0, 1], [63, 66], [700, 765], [1499, 1500]] as const) {
    const part = { ...x, shape: [end - start, K], data: x.data.slice(start * K, end * K) };
    const alone = await compute(device, "linear", { inputs: { x: part, weight, bias }, params });
    assertSameBits(alone, all.slice(start * N, end * N), `rows ${start}..${end}`);
  }
}

async function tilesAreAlike(device: Device): Promise<void> {
  const a = normal([1, 40, 70]), b = normal([1, 70, 50]);
  const params = { transposeA: false, transposeB: false };
  const one = await compute(device, "matmul", { inputs: { a, b }, params });
  const groups = 40; // the same product many times
  const repeat = (host: HostTensor): HostTensor => ({
    ...host,
    shape: [groups, ...host.shape.slice(1)],
    data: Float32Array.from(
      { length: groups * host.data.length },
      (_, i) => host.data[i % host.data.length]!,
    ),
  });
  const many = await compute(device, "matmul", { inputs: { a: repeat(a), b: repeat(b) }, params });
  assertSameBits(many.slice(-one.length), one, "last product");
}

async function cellsAreAlone(device: Device): Promise<void> {
  const lengths = [37, 0, 100, 1, 65], D = 32, heads = 2;
  const T = lengths.reduce((all, length) => all + length, 0);
  const offsets = offsetsOf(lengths), known = [20, 0, 41, 0, 65];
  const qkv = normal([T, 3 * D]), x = normal([T, D]), query = normal([1, lengths.length, D]);
  const batch = {
    attention: await compute(device, "attention", {
      inputs: { qkv, offsets, known: words([5], known) },
      params: { heads },
    }),
    pool: await compute(device, "attention_pool", {
      inputs: { query, x, offsets },
      params: { scale: 0.3 },
    }),
    mean: await compute(device, "segment_pool", {
      inputs: { x, offsets },
      params: { mode: "mean" },
    }),
  };
  for (const [b, length] of lengths.entries()) {
    const start = offsets.data[b]!, alone = offsetsOf([length]);
    const cut = (
      host: { data: Float32Array<ArrayBuffer> },
      from: number,
      [rows, width]: [number, number],
    ) => ({
      dtype: "f32" as const,
      shape: [rows, width],
      data: host.data.slice(from * width, (from + rows) * width),
    });
    const cell = cut(x, start, [length, D]);
    const attention = await compute(device, "attention", {
      inputs: {
        qkv: cut(qkv, start, [length, 3 * D]),
        offsets: alone,
        known: words([1], [known[b]!]),
      },
      params: { heads },
    });
    assertSameBits(
      attention,
      batch.attention.slice(start * D, (start + length) * D),
      `attention of cell ${b}`,
    );
    const one = { ...cut(query, b, [1, D]), shape: [1, 1, D] };
    const pool = await compute(device, "attention_pool", {
      inputs: { query: one, x: cell, offsets: alone },
      params: { scale: 0.3 },
    });
    assertSameBits(pool, batch.pool.slice(b * D, (b + 1) * D), `attention_pool of cell ${b}`);
    const mean = await compute(device, "segment_pool", {
      inputs: { x: cell, offsets: alone },
      params: { mode: "mean" },
    });
    assertSameBits(mean, batch.mean.slice(b * D, (b + 1) * D), `segment_pool of cell ${b}`);
  }
}

async function raggedCellsAgree(device: Device): Promise<void> {
  const draws = new RandomStream(11, 3), heads = 2, D = 32;
  for (let round = 0; round < 6; round++) {
    const lengths = Array.from(
      { length: 1 + draws.below(6) },
      () => Math.max(0, draws.below(160) - 20),
    );
    const known = lengths.map((length) => draws.below(length + 1));
    const offsets = offsetsOf(lengths);
    const qkv = normal([offsets.data.at(-1)!, 3 * D], 2);
    const inputs = { qkv, offsets, known: words([known.length], known) };
    const expected = ORACLE.attention(inputs, { heads }).context.data;
    const error = relativeError(
      await compute(device, "attention", { inputs, params: { heads } }),
      expected,
    );
    if (!(error <= TOLERANCE)) fail(`cells [${lengths}] with known [${known}] are off by ${error}`);
  }
}

async function wholeTableIsRead(device: Device): Promise<void> {
  const V = 60697, D = 512, ends = normal([2, D]);
  using table = Tensor.empty(device, [V, D]);
  device.write(table.buffer, 0, new Uint8Array(ends.data.buffer, 0, 4 * D));
  device.write(table.buffer, 4 * D * (V - 1), new Uint8Array(ends.data.buffer, 4 * D));
  using index = upload(device, words([2], [0, V - 1]));
  using y = run("gather_rows", { table, index }, {}).y;
  assertSameBits(await y.data(), ends.data, "first and last row");
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

async function limitIsHeld(
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
