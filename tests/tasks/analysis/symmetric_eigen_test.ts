import assert from "node:assert/strict";
import fc from "fast-check";
import { symmetricEigen } from "../../../tasks/analysis/symmetric_eigen.ts";
import { assertClose } from "../fixtures.ts";

Deno.test("symmetricEigen() solves A v = λ v with orthonormal v", () => {
  const sizes = fc.integer({ min: 1, max: 12 });
  const matrices = sizes.chain((size) =>
    fc.array(fc.integer({ min: -4, max: 4 }), { minLength: size * size, maxLength: size * size })
      .map((cells) => ({
        size,
        a: Float64Array.from(cells, (_, at) => symmetric(cells, size, at)),
      }))
  );
  fc.assert(fc.property(matrices, ({ size, a }) => {
    const { values, vectors } = symmetricEigen(a, size);
    const row = (m: Float64Array, i: number) => m.subarray(i * size, (i + 1) * size);
    for (let k = 0; k < size; k++) {
      const product = Array.from({ length: size }, (_, i) => dot(row(a, i), row(vectors, k)));
      assertClose(product, row(vectors, k).map((x) => x * values[k]!), 1e-12 * size * 10);
      for (let j = 0; j < size; j++) {
        const overlap = dot(row(vectors, j), row(vectors, k));
        assert.ok(Math.abs(overlap - Number(j === k)) < 1e-12);
      }
      if (k > 0) assert.ok(values[k - 1]! >= values[k]!);
    }
  }));
});

function symmetric(cells: readonly number[], size: number, at: number): number {
  const i = Math.floor(at / size), j = at % size;
  return cells[Math.min(i, j) * size + Math.max(i, j)]!;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}
