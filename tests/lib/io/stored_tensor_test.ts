import assert from "node:assert/strict";
import { readFloat32, type StoredDtype, storedFloat32 } from "../../../lib/io/stored_tensor.ts";

Deno.test("readFloat32() widens half and rounds double precision", async () => {
  const stored = (dtype: StoredDtype, values: Float16Array | Float64Array | Uint16Array) => {
    const bytes = new Uint8Array(values.buffer as ArrayBuffer);
    return { name: "w", dtype, shape: [values.length], read: () => Promise.resolve(bytes) };
  };
  assert.deepEqual(
    await readFloat32(stored("F16", Float16Array.of(1, -0.5))),
    Float32Array.of(1, -0.5),
  );
  assert.deepEqual(
    await readFloat32(stored("BF16", Uint16Array.of(0x3f80, 0xc040))),
    Float32Array.of(1, -3),
  );
  assert.deepEqual(await readFloat32(stored("F64", Float64Array.of(0.1))), Float32Array.of(0.1));
  await assert.rejects(
    readFloat32({ ...stored("F16", Float16Array.of(1)), dtype: "I16" }),
    TypeError,
  );
});

Deno.test("readFloat32() reads bytes that begin anywhere in their buffer", async () => {
  const bytes = new Uint8Array(9);
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
  const w = { name: "w", dtype: "F32" as const, shape: [2] };
  const found = await readFloat32({ ...w, read: () => Promise.resolve(bytes.subarray(1)) });
  assert.deepEqual([...found], [1.5, -2]);
});

Deno.test("storedFloat32() refuses a shape of another size", async () => {
  const stored = storedFloat32("w", [1, 2], Float32Array.of(3, 4));
  assert.deepEqual(await readFloat32(stored), Float32Array.of(3, 4));
  assert.throws(() => storedFloat32("w", [3], Float32Array.of(3, 4)), {
    name: "RangeError",
    message: "Cannot store w as [3] must have 2 elements: got 3",
  });
});
