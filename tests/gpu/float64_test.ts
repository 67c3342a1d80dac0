import assert from "node:assert/strict";
import { RandomStream } from "../../gpu/random.ts";
import { Float64Space } from "../../gpu/wasm/float64.ts";

/** Fills the matrices with numbers, padding left out. */
function filled(n: number, inner: number, width: number) {
  const random = new RandomStream(n, 3);
  const space = new Float64Space({
    a: [n, inner],
    b: [inner, width],
    c: [n, width],
    out: [n, width],
    sums: [inner, width],
  });
  for (const name of ["a", "b", "c"] as const) {
    const { data, rows, width, stride } = space.matrices[name];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) data[i * stride + j] = random.normal();
    }
  }
  const at = (name: keyof typeof space.matrices, i: number, j: number) =>
    space.matrices[name].data[i * space.matrices[name].stride + j]!;
  return { space, at };
}

for (const [n, inner, width] of [[1, 1, 1], [9, 4, 8], [37, 6, 13], [50, 50, 3]] as const) {
  Deno.test(`Float64Space multiplies ${n} x ${inner} by ${inner} x ${width} as loops do, bit by bit`, () => {
    const { space, at } = filled(n, inner, width);
    const { a, b, c, out, sums } = space.matrices;
    const rows = Uint32Array.from({ length: n }, (_, i) => i).filter((i) => i % 3 !== 1);
    space.multiplyRows(out, { left: a, right: b }, rows);
    space.addOuterProducts(sums, { left: a, right: c }, rows);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < width; k++) {
        let sum = 0;
        if (rows.includes(i)) {
          for (let j = 0; j < inner; j++) sum += at("a", i, j) * at("b", j, k);
        }
        assert.equal(at("out", i, k), sum);
      }
    }
    for (let j = 0; j < inner; j++) {
      for (let k = 0; k < width; k++) {
        let sum = 0;
        for (const i of rows) sum += at("a", i, j) * at("c", i, k);
        assert.equal(at("sums", j, k), sum);
      }
    }
    const padding = out.data.filter((_, at) => at % out.stride >= width);
    assert.ok(padding.every((value) => value === 0));
  });
}

Deno.test("Float64Space takes more rows than a call of its kernels", () => {
  const n = 40_000, space = new Float64Space({ a: [n, 1], b: [1, 1], out: [n, 1], sums: [1, 1] });
  const { a, b, out, sums } = space.matrices;
  for (let i = 0; i < n; i++) a.data[i * a.stride] = i;
  b.data[0] = 2;
  const rows = Uint32Array.from({ length: n }, (_, i) => i);
  space.multiplyRows(out, { left: a, right: b }, rows);
  space.addOuterProducts(sums, { left: a, right: out }, rows);
  assert.equal(out.data[(n - 1) * out.stride], 2 * (n - 1));
  assert.equal(sums.data[0], (n - 1) * n * (2 * n - 1) / 3);
});

Deno.test("Float64Space refuses matrices beyond 4 GiB", () => {
  assert.throws(() => new Float64Space({ a: [2 ** 20, 600] }), /must fit 4 GiB: got 50/);
});
