import assert from "node:assert/strict";
import fc from "fast-check";
import {
  foldGrid,
  paramNames,
  type Program,
  variants,
  wgslOf,
} from "../../../gpu/webgpu/program.ts";

const program: Program = {
  label: "copy",
  read: { x: "vec4f" },
  write: { y: "f32" },
  params: { count: "u32", scale: "f32" },
  threads: 64,
  body: "  y[p.y_at] = x[p.x_at].x;",
};

Deno.test("foldGrid() covers all workgroups within the limit of a dimension and wastes less than a row", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 65535 ** 2 }), (groups) => {
    const [x, y] = foldGrid(groups);
    assert(x <= 65535 && y <= 65535);
    assert(x * y >= groups && x * y - groups < y);
  }));
});

Deno.test("wgslOf() declares parameters and bindings in the order of paramNames()", () => {
  assert.deepEqual(paramNames(program), ["groups", "x_at", "y_at", "count", "scale"]);
  const text = wgslOf(program);
  assert(
    text.includes("struct Params { groups: u32, x_at: u32, y_at: u32, count: u32, scale: f32, }"),
  );
  assert(text.includes("@group(0) @binding(1) var<storage, read> x: array<vec4f>;"));
  assert(text.includes("@group(0) @binding(2) var<storage, read_write> y: array<f32>;"));
});

Deno.test("variants() makes a program once for equal options", () => {
  const made: number[] = [];
  const of = variants(({ n }: { n: number }) => {
    made.push(n);
    return { ...program, label: `${n}` };
  });
  assert.equal(of({ n: 1 }), of({ n: 1 }));
  assert.notEqual(of({ n: 1 }), of({ n: 2 }));
  assert.deepEqual(made, [1, 2]);
});
