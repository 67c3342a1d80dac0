import assert from "node:assert/strict";
import * as fc from "fast-check";
import { adjustedRandIndex, normalizedMutualInfo } from "../../../tasks/metrics/agreement.ts";
import { assertClose } from "../fixtures.ts";
import { CLUSTERS, LABELS, SCIB } from "./cells.ts";

const groupings = fc.integer({ min: 2, max: 30 }).chain((n) =>
  fc.tuple(
    fc.array(fc.nat(4), { minLength: n, maxLength: n }),
    fc.array(fc.nat(4), { minLength: n, maxLength: n }),
  )
);

Deno.test("normalizedMutualInfo() and adjustedRandIndex() give scib's numbers for real clusters", () => {
  assertClose([normalizedMutualInfo(LABELS, CLUSTERS)], [SCIB.nmi], 1e-9);
  assertClose([adjustedRandIndex(LABELS, CLUSTERS)], [SCIB.ari], 1e-9);
});

Deno.test("normalizedMutualInfo() and adjustedRandIndex() are symmetric and 1 for the same grouping under other names", () => {
  fc.assert(fc.property(groupings, ([a, b]) => {
    for (const score of [normalizedMutualInfo, adjustedRandIndex]) {
      assertClose([score(a, b)], [score(b, a)], 1e-12);
      assertClose([score(a, a.map((name) => `group ${9 - name}`))], [1], 1e-12);
      assert.ok(score(a, b) <= 1);
    }
    assert.ok(normalizedMutualInfo(a, b) >= 0);
  }));
});

Deno.test("adjustedRandIndex() of one group against itself is scikit-learn's 1, and of independent ones can be negative", () => {
  assert.equal(adjustedRandIndex(["a", "a"], [0, 0]), 1);
  assert.equal(adjustedRandIndex(["a", "b"], [0, 1]), 1);
  assertClose([adjustedRandIndex(["a", "a", "b", "b"], [0, 1, 0, 1])], [-0.5], 1e-12);
  assert.equal(normalizedMutualInfo(["a", "a"], [0, 0]), 1);
  assert.equal(normalizedMutualInfo(["a", "a"], [0, 1]), 0);
});

Deno.test("normalizedMutualInfo() refuses groupings of different cells", () => {
  assert.throws(() => normalizedMutualInfo(["a"], [0, 1]), /got 1 labels of 2 cells/);
  assert.throws(() => adjustedRandIndex([], []), RangeError);
});
