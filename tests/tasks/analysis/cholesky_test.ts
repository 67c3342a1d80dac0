import { RandomStream } from "../../../gpu/mod.ts";
import { solvePositive } from "../../../tasks/analysis/cholesky.ts";
import { assertClose } from "../fixtures.ts";

Deno.test("solvePositive() solves what it multiplied", () => {
  const random = new RandomStream(1, 7), m = 7;
  const half = Float64Array.from({ length: m * m }, () => random.normal());
  const matrix = new Float64Array(m * m),
    wanted = Float64Array.from({ length: 2 * m }, (_, i) => i - 5);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      for (let k = 0; k < m; k++) matrix[i * m + j]! += half[i * m + k]! * half[j * m + k]!;
    }
  }
  const right = new Float64Array(2 * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      for (let c = 0; c < 2; c++) right[2 * i + c]! += matrix[i * m + j]! * wanted[2 * j + c]!;
    }
  }
  solvePositive(matrix, right, m);
  assertClose(right, [...wanted], 1e-8);
});

Deno.test("solvePositive() leaves an unknown that nothing is said of at 0", () => {
  const matrix = new Float64Array([4, 0, 0, 0]), right = new Float64Array([8, 3]);
  solvePositive(matrix, right, 2);
  assertClose(right, [2, 0], 0);
});
