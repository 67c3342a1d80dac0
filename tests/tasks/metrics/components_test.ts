import assert from "node:assert/strict";
import * as fc from "fast-check";
import { componentSizes, strongComponents } from "../../../tasks/metrics/components.ts";

/** Whether two cells reach each other, by plain search. */
function mutual(edges: readonly (readonly number[])[], cells: ReadonlySet<number>) {
  const reachable = (from: number): Set<number> => {
    const seen = new Set([from]);
    for (const at of seen) for (const to of edges[at]!) if (cells.has(to)) seen.add(to);
    return seen;
  };
  const reach = new Map([...cells].map((cell) => [cell, reachable(cell)]));
  return (a: number, b: number): boolean => reach.get(a)!.has(b) && reach.get(b)!.has(a);
}

Deno.test("strongComponents() joins exactly the cells that reach each other within the subgraph", () => {
  const graphs = fc.integer({ min: 1, max: 12 }).chain((n) =>
    fc.tuple(
      fc.array(fc.uniqueArray(fc.nat(n - 1), { maxLength: 3 }), { minLength: n, maxLength: n }),
      fc.array(fc.boolean(), { minLength: n, maxLength: n }),
    )
  );
  fc.assert(fc.property(graphs, ([edges, chosen]) => {
    const cells = Uint32Array.from(chosen.keys()).filter((cell) => chosen[cell]);
    const indptr = new Uint32Array(edges.length + 1);
    edges.forEach((to, cell) => indptr[cell + 1] = indptr[cell]! + to.length);
    const component = strongComponents({ indptr, indices: Uint32Array.from(edges.flat()) }, cells);
    const joined = mutual(edges, new Set(cells));
    cells.forEach((a, i) =>
      cells.forEach((b, j) => assert.equal(component[i] === component[j], joined(a, b)))
    );
    assert.equal(componentSizes(component).reduce((sum, size) => sum + size, 0), cells.length);
  }));
});

Deno.test("strongComponents() walks long chains without recursion", () => {
  const n = 100_000;
  const indptr = Uint32Array.from({ length: n + 1 }, (_, cell) => cell);
  const indices = Uint32Array.from({ length: n }, (_, cell) => (cell + 1) % n);
  const cells = Uint32Array.from({ length: n }, (_, cell) => cell);
  assert.deepEqual(componentSizes(strongComponents({ indptr, indices }, cells)), [n]);
});
