import assert from "node:assert/strict";
import fc from "fast-check";
import { AnnData, DataFrame, denseMatrix, type Matrix, type Selector } from "../../data/mod.ts";
import { openFixture, piecesOf, VALUES, valuesOf } from "./fixtures.ts";

/** Values of X at rows x columns. */
function pick(rows: readonly number[], columns: readonly number[]): number[] {
  return rows.flatMap((row) => columns.map((column) => VALUES[row * 3 + column]!));
}

/** Some of `count` indices, each once, in any order. */
function indices(count: number) {
  return fc.shuffledSubarray(Array.from({ length: count }, (_, k) => k));
}

Deno.test("AnnData.select() shows rows and columns in the given order", async () => {
  using adata = await openFixture("columns");
  await fc.assert(
    fc.asyncProperty(indices(4), indices(3), async (rows, columns) => {
      const view = adata.select({ obs: rows, var: columns });
      assert.deepEqual(view.X!.shape, [rows.length, columns.length]);
      assert.deepEqual(await valuesOf(view.X!), pick(rows, columns));
      assert.deepEqual(view.obsNames, rows.map((row) => `cell${row}`));
    }),
    { numRuns: 30 },
  );
});

Deno.test("AnnData.select() takes along everything that belongs to an axis", async () => {
  using adata = await openFixture("columns");
  const view = adata.select({ obs: [3, 0], var: Uint32Array.of(2) });
  assert.deepEqual([...(await view.obs.column("label")).values()], ["T", "T"]);
  assert.deepEqual([...(await view.obs.column("rank")).values()], [4, 1]);
  assert.deepEqual(await valuesOf(await view.obsm.need("X_pca") as Matrix), [6, 7, 0, 1]);
  assert.deepEqual(await valuesOf(await view.varm.need("PCs") as Matrix), [4, 5]);
  assert.deepEqual(await valuesOf(await view.layers.need("counts")), [5, 2]);
  assert.deepEqual((await view.obsp.need("distances")).shape, [2, 2]);
  assert.deepEqual(view.raw!.X.shape, [2, 4]);
  assert.deepEqual(await view.uns.get("colors"), ["red", "blue"]);
  const table = await view.obsm.need("table") as DataFrame;
  assert.deepEqual(table.index, ["cell3", "cell0"]);
  const [piece] = await piecesOf(view.select({ obs: [1] }).X!.rows());
  assert.deepEqual([...piece!.data], [2.5]);
});

Deno.test("AnnData.select() refuses indices that are missing or repeat", async () => {
  using adata = await openFixture("columns");
  assert.throws(() => adata.select({ obs: [4] }), /integers in 0 \.\. 3: got 4/);
  assert.throws(() => adata.select({ var: [0, 0] }), /must not repeat: got 0 twice/);
  assert.throws(() => adata.select({ rows: [0] } as never), TypeError);
});

Deno.test("AnnData.with() adds parts and leaves the original as it is", async () => {
  using adata = await openFixture("columns");
  const X_new = denseMatrix(new Float32Array(4), [4, 1]);
  const changed = adata.with({ obsm: { X_new }, uns: { run: { seed: 1 } } });
  assert.deepEqual(changed.obsm.keys(), ["X_pca", "table", "X_new"]);
  assert.equal(await changed.obsm.get("X_new"), X_new);
  assert.deepEqual(await changed.uns.get("run"), { seed: 1 });
  assert.equal(adata.obsm.has("X_new"), false);
  assert.throws(() => adata.with({ obbs: adata.obs } as never), /did you mean "obs"/);
});

Deno.test("AnnData.fromParts() refuses an X of another shape", () => {
  const obs = new DataFrame({ index: ["a", "b"] });
  const X = denseMatrix(new Float32Array(4), [2, 2]);
  assert.throws(
    () => AnnData.fromParts({ obs, var: obs.take([0]), X }),
    /must be 2 x 1: got 2 x 2/,
  );
  assert.equal(AnnData.fromParts({ obs, var: obs, X }).nVars, 2);
});

Deno.test("AnnData.select() takes numbers, names, truth values and slices", async () => {
  using adata = await openFixture("columns");
  const names = (obs: Selector) => adata.select({ obs }).obsNames;
  assert.deepEqual(names(["cell2", "cell0"]), ["cell2", "cell0"]);
  assert.deepEqual(names([true, false, false, true]), ["cell0", "cell3"]);
  const checked = await adata.obs.column("checked", "boolean");
  assert.deepEqual(names(checked), ["cell0", "cell3"]); // a row without a value is left out
  assert.deepEqual(names({ start: 1, end: 3 }), ["cell1", "cell2"]);
  assert.deepEqual(names({ start: 2 }), ["cell2", "cell3"]);
  assert.deepEqual(names([]), []);
  assert.deepEqual(adata.select({ var: ["MS4A1"] }).varNames, ["MS4A1"]);
  assert.throws(() => names(["cell9", "cell0"]), {
    name: "RangeError",
    message: 'Cannot select cells as 1 of 2 names are not there, first "cell9": ' +
      'did you mean "cell0"? available: cell0, cell1, cell2, cell3',
  });
  assert.throws(() => names([true]), /a mask must have 4 elements: got 1/);
  assert.throws(
    () => names({ start: 3, end: 9 }),
    /0 <= start <= end <= 4 must hold: got 3 \.\. 9/,
  );
  const twice = AnnData.fromParts({ obs: adata.obs.take([0, 0, 1]), var: adata.var });
  assert.throws(() => twice.select({ obs: ["cell0"] }), /must not repeat: got "cell0" twice/);
  assert.deepEqual(twice.select({ obs: ["cell1"] }).nObs, 1);
});
