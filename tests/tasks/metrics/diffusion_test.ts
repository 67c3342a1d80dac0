import assert from "node:assert/strict";
import { diffusionMap } from "../../../tasks/metrics/diffusion.ts";
import { assertClose } from "../fixtures.ts";

/** A ring of n cells, whose transitions have the eigenvalues cos(2πk/n). */
function ring(n: number) {
  return {
    n,
    indptr: Uint32Array.from({ length: n + 1 }, (_, cell) => 2 * cell),
    indices: Uint32Array.from(
      { length: 2 * n },
      (_, at) => (Math.floor(at / 2) + (at % 2 === 0 ? 1 : n - 1)) % n,
    ),
    connectivities: new Float32Array(2 * n).fill(0.5),
  };
}

/** Length of each coordinate over all cells: |λ / (1 - λ)|, the eigenvectors being of length 1. */
function lengths(data: Float32Array, nDims: number): number[] {
  return Array.from(
    { length: nDims },
    (_, dim) => Math.hypot(...data.filter((_, at) => at % nDims === dim)),
  );
}

const turn = () => Promise.resolve();

Deno.test("diffusionMap() scales eigenvectors by λ / (1 - λ), the leading one not, whatever λ's sign", async () => {
  for (const [n, nComponents] of [[7, 6], [41, 6]] as const) {
    const cells = Uint32Array.from({ length: n }, (_, cell) => cell);
    const { data, nDims } = await diffusionMap(ring(n), cells, { nComponents, turn });
    assert.equal(nDims, nComponents);
    const values = Array.from(cells, (k) => Math.cos(2 * Math.PI * k / n))
      .sort((a, b) => Math.abs(b) - Math.abs(a)).slice(0, nComponents);
    const expected = values.map((value) => value === 1 ? 1 : Math.abs(value / (1 - value)));
    assertClose(lengths(data, nDims).sort(), expected.sort(), 2e-3);
  }
});

Deno.test("diffusionMap() sees only the chosen cells and their edges", async () => {
  const cells = Uint32Array.of(3, 4, 5); // a chain: eigenvalues 1, -1 and 0
  const { data, nDims } = await diffusionMap(ring(12), cells, { nComponents: 2, turn });
  assertClose(lengths(data, nDims), [1, 0.5], 1e-6);
});
