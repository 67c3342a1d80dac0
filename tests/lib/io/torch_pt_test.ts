import assert from "node:assert/strict";
import { openSource } from "../../../data/mod.ts";
import { openCheckpoint } from "../../../lib/io/checkpoint.ts";
import { CheckpointError, type CheckpointErrorKind } from "../../../lib/io/errors.ts";
import { readFloat32 } from "../../../lib/io/stored_tensor.ts";
import { fixturePath, readJson } from "../fixtures.ts";
import { bytesOf, dict, global, tensor, text, torchFile, tuple, zip } from "./torch_file.ts";

async function refused(bytes: Uint8Array, kind: CheckpointErrorKind, message: RegExp) {
  using source = await openSource(bytes);
  await assert.rejects(openCheckpoint(source), (error: unknown) => {
    assert.ok(error instanceof CheckpointError, String(error));
    assert.match(error.message, message);
    assert.equal(error.kind, kind);
    return true;
  });
}

async function firstTensor(bytes: Uint8Array) {
  using source = await openSource(bytes);
  const { tensors } = await openCheckpoint(source);
  const [tensor] = tensors.values();
  return { shape: tensor!.shape, values: [...await readFloat32(tensor!)] };
}

for (const file of ["views.pt", "protocol4.pt"]) {
  Deno.test(`openCheckpoint() reads every kind of tensor: ${file}`, async () => {
    const numbers: Record<string, number[]> = readJson("torch/views.json");
    using source = await openSource(fixturePath(`torch/${file}`));
    const { tensors, notes, format } = await openCheckpoint(source);
    assert.equal(format, "torch");
    assert.deepEqual(notes, ["note is no tensor and was left aside"]);
    assert.deepEqual([...tensors.keys()], Object.keys(numbers));
    assert.deepEqual(tensors.get("transposed")!.shape, [6, 4]);
    assert.deepEqual(tensors.get("scalar")!.shape, []);
    for (const [name, tensor] of tensors) {
      const bytes = (await tensor.read()).slice().buffer;
      const found = tensor.dtype === "I64"
        ? Array.from(new BigInt64Array(bytes), Number)
        : tensor.dtype === "BOOL"
        ? [...new Uint8Array(bytes)]
        : [...await readFloat32(tensor)];
      assert.deepEqual(
        found,
        numbers[name]!.map(tensor.dtype === "F64" ? Math.fround : Number),
        name,
      );
    }
  });
}

Deno.test("openCheckpoint() unwraps a training checkpoint and says so", async () => {
  using source = await openSource(fixturePath("torch/wrapped.pt"));
  const { tensors, notes } = await openCheckpoint(source);
  assert.deepEqual([...tensors.keys()], ["weight", "bias"]);
  assert.deepEqual(await readFloat32(tensors.get("weight")!), Float32Array.of(1, 2));
  assert.deepEqual(notes, [
    'the state dict was unwrapped from "model_state_dict", left aside: epoch, loss',
  ]);
});

Deno.test("openCheckpoint() refuses a pickled module, naming its class", async () => {
  const bytes = Deno.readFileSync(fixturePath("torch/module.pt"));
  await refused(bytes, "unsafe", /got torch\.nn\.modules\.linear\.Linear; save the weights alone/);
});

Deno.test("openCheckpoint() refuses the format before torch 1.6 with advice", async () => {
  const bytes = Deno.readFileSync(fixturePath("torch/legacy.pt"));
  await refused(bytes, "unsupported", /torch before 1\.6; write it anew/);
});

Deno.test("openCheckpoint() reads zip64 archives and archives with a comment", async () => {
  const wanted = { shape: [4], values: [1, 2, 3, 4] };
  const value = dict({ w: tensor() });
  assert.deepEqual(await firstTensor(torchFile(value)), wanted);
  assert.deepEqual(await firstTensor(torchFile(value, { zip64: true })), wanted);
  assert.deepEqual(await firstTensor(torchFile(value, { comment: "made by a test" })), wanted);
});

Deno.test("openCheckpoint() ignores strides of axes of length one", async () => {
  const value = dict({ w: tensor({ shape: [1, 4], strides: [99, 1] }) });
  assert.deepEqual(await firstTensor(torchFile(value)), { shape: [1, 4], values: [1, 2, 3, 4] });
});

const CALLS = [
  ["os", "system"],
  ["posix", "system"],
  ["builtins", "eval"],
  ["__builtin__", "getattr"],
  [
    "torch",
    "load",
  ],
  ["torch.storage", "_load_from_bytes"],
  ["numpy.core.multiarray", "_reconstruct"],
] as const;

for (const [module, name] of CALLS) {
  Deno.test(`openCheckpoint() refuses to call ${module}.${name}`, async () => {
    const call = bytesOf(global(module, name), tuple(text("echo hello")), "R");
    await refused(torchFile(dict({ w: call })), "unsafe", new RegExp(`got ${module}.${name};`));
    // The same by STACK_GLOBAL.
    const stack = bytesOf(text(module), text(name), 0x93, tuple(text("echo hello")), "R");
    await refused(torchFile(dict({ w: stack })), "unsafe", new RegExp(`got ${module}.${name};`));
  });
}

Deno.test("openCheckpoint() refuses tensors outside their storage", async () => {
  const outside = (given: Parameters<typeof tensor>[0]) =>
    refused(
      torchFile(dict({ w: tensor(given) })),
      "format",
      /must lie in its storage: got 4 elements/,
    );
  await outside({ shape: [5] });
  await outside({ offset: 1 });
  await outside({ shape: [2, 2], strides: [3, 1] });
  await outside({ shape: [2 ** 31 - 1, 2 ** 31 - 1], strides: [0, 0] }); // would ask for any memory
  await refused(
    torchFile(dict({ w: tensor({ offset: -1 }) })),
    "format",
    /other arguments than torch/,
  );
  await refused(
    torchFile(dict({ w: tensor({ shape: [2, 2] }) })),
    "format",
    /other arguments than torch/,
  );
});

Deno.test("openCheckpoint() refuses storages that are absent, short or unknown", async () => {
  const bad = (given: Parameters<typeof tensor>[0]) => torchFile(dict({ w: tensor(given) }));
  await refused(bad({ key: "7" }), "format", /archive\/data\/7 must hold 4 F32: got no such file/);
  await refused(bad({ key: "../byteorder" }), "format", /no such file/);
  await refused(bad({ length: 5 }), "format", /must hold 5 F32: got 16 bytes/);
  await refused(bad({ type: "ComplexFloatStorage" }), "unsafe", /got torch\.ComplexFloatStorage/);
});

Deno.test("openCheckpoint() refuses big-endian files and files without tensors", async () => {
  const value = dict({ w: tensor() });
  await refused(
    torchFile(value, { byteorder: "big" }),
    "unsupported",
    /little-endian: got byteorder "big"/,
  );
  await refused(torchFile(dict({})), "unsupported", /got 0 entries and no tensor/);
  await refused(torchFile(text("hello")), "unsupported", /must hold a dict of tensors/);
  await refused(zip({ "a/b": bytesOf() }), "format", /must hold data\.pkl/);
});

Deno.test("openCheckpoint() refuses damaged archives", async () => {
  const whole = torchFile(dict({ w: tensor() }));
  await refused(
    whole.subarray(0, whole.length - 30),
    "format",
    /zip directory \(is it truncated\?\)/,
  );
  await refused(
    torchFile(dict({ w: tensor() }), { method: 8 }),
    "unsupported",
    /compression method 8/,
  );
  await refused(bytesOf("PK\x03\x04"), "format", /truncated/);
  await refused(bytesOf("hello world"), "format", /must be a safetensors or torch\.save file/);
  await refused(bytesOf(), "format", /got 0 bytes/);
  for (let at = whole.length - 22; at < whole.length; at++) {
    const damaged = whole.slice();
    damaged[at]! ^= 0x40;
    await outcome(damaged);
  }
});

/** Any damage gives tensors or a CheckpointError, never another failure. */
async function outcome(bytes: Uint8Array): Promise<void> {
  using source = await openSource(bytes);
  try {
    for (const tensor of (await openCheckpoint(source)).tensors.values()) await tensor.read();
  } catch (error) {
    assert.ok(error instanceof CheckpointError, String(error));
  }
}

Deno.test("openCheckpoint() gives tensors or a CheckpointError for any flipped byte", async () => {
  const whole = torchFile(dict({ w: tensor() }), { zip64: true });
  for (let at = 4; at < whole.length; at++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const damaged = whole.slice();
      damaged[at]! ^= flip;
      await outcome(damaged);
    }
  }
});
