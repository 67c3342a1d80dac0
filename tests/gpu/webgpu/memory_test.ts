import assert from "node:assert/strict";
import fc from "fast-check";
import { sizeClass } from "../../../gpu/webgpu/memory.ts";

Deno.test("sizeClass() holds the bytes, wastes at most a fifth and allows vec4 bindings", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (bytes) => {
    const size = sizeClass(bytes);
    assert(size >= bytes);
    assert(size <= Math.max(256, bytes * 1.25));
    assert.equal(size % 64, 0);
    assert.equal(sizeClass(size), size);
  }));
});

Deno.test("sizeClass() has four steps an octave", () => {
  const sizes = new Set(Array.from({ length: 1024 }, (_, i) => sizeClass(1025 + i)));
  assert.deepEqual([...sizes], [1280, 1536, 1792, 2048]);
});
