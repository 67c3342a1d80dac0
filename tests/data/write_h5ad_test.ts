import assert from "node:assert/strict";
import {
  AnnData,
  csrMatrix,
  DataFrame,
  denseMatrix,
  type Matrix,
  NumericColumn,
} from "../../data/mod.ts";
import { openH5ad, writeH5ad, writeH5adBytes } from "../../data/h5ad/mod.ts";
import { cellsInMemory } from "./cells_in_memory.ts";
import { fixture, openFixture, piecesOf, TempFolder, VALUES, valuesOf } from "./fixtures.ts";
import { python, runPython, withoutPython } from "./python.ts";

/** Checks that a copy of cellsInMemory() holds what cellsInMemory() holds. */
async function checkSmall(copy: AnnData): Promise<void> {
  const original = cellsInMemory();
  assert.deepEqual([copy.obsNames, copy.obs.indexName], [original.obsNames, "barcode"]);
  assert.deepEqual(copy.obs.columns(), original.obs.columns());
  for (const name of copy.obs.columns()) {
    const [found, expected] = [await copy.obs.column(name), await original.obs.column(name)];
    // anndata has no nullable floats: a masked one becomes NaN.
    const values = [...expected.values()].map((value) => name === "gap" ? value ?? NaN : value);
    assert.deepEqual([found.kind, [...found.values()]], [expected.kind, values], name);
  }
  assert.equal((await copy.obs.column("count", "numeric")).dtype, "int64");
  assert.equal((await copy.obs.column("rank", "numeric")).dtype, "int16");
  const cluster = await copy.obs.column("cluster", "categorical");
  assert.deepEqual([cluster.categories, cluster.labels.kind], [["3", "5"], "numeric"]);
  assert.deepEqual(await valuesOf(copy.X!), [0, 0, 0, 1.5, 0, -2]);
  assert.deepEqual(await valuesOf(await copy.layers.need("dense")), [1, 0, 0.1, 0, 0, 6]);
  assert.deepEqual(await valuesOf(await copy.obsm.need("X_scgpt") as Matrix), [1, 2, 3, 4]);
  assert.deepEqual((await copy.obsm.need("empty") as Matrix).shape, [2, 0]);
  for (const key of ["run", "grid", "ids"]) {
    assert.deepEqual(await copy.uns.get(key), await original.uns.get(key), key);
  }
  assert.deepEqual(await valuesOf(await copy.uns.get("graph") as Matrix), [0, 0, 0, 1.5, 0, -2]);
}

Deno.test("writeH5ad() writes what openH5ad() reads back", async () => {
  using folder = new TempFolder();
  for (const options of [{}, { compression: "gzip" as const }]) {
    const path = folder.file(`small${Object.keys(options)}.h5ad`);
    assert.deepEqual(await writeH5ad(cellsInMemory(), path, options), { notCarried: [] });
    using copy = await openH5ad(path);
    await checkSmall(copy);
  }
});

Deno.test("writeH5adBytes() gives the bytes of the same file", async () => {
  const { bytes, notCarried } = await writeH5adBytes(cellsInMemory());
  assert.deepEqual(notCarried, []);
  using copy = await openH5ad(bytes);
  await checkSmall(copy);
});

Deno.test("writeH5ad() copies what it was not told to change", async () => {
  using folder = new TempFolder();
  using adata = await openFixture("columns");
  const X_new = denseMatrix(new Float32Array(4), [4, 1]);
  const changed = adata.with({ obs: adata.obs.with("new", ["p", "q", "r", "s"]), obsm: { X_new } });
  const { notCarried } = await writeH5ad(changed, folder.file("copy.h5ad"));
  assert.deepEqual(notCarried, []);
  assert.ok(adata.uns.has("nothing"));
  using copy = await openH5ad(folder.file("copy.h5ad"));
  for (const name of adata.obs.columns()) {
    assert.deepEqual([...(await copy.obs.column(name)).values()], [
      ...(await adata.obs.column(name)).values(),
    ], name);
  }
  assert.equal((await copy.obs.column("new", "string")).at(3), "s");
  assert.deepEqual(await valuesOf(copy.X!), VALUES);
  const counts = await copy.layers.need("counts");
  assert.deepEqual([counts.format, counts.dtype], ["csc", "int32"]);
  assert.deepEqual(copy.obsm.keys(), ["X_new", "X_pca", "table"]);
  for (const key of ["neighbors", "colors", "cube", "groups"]) {
    assert.deepEqual(await copy.uns.get(key), await adata.uns.get(key), key);
  }
  assert.deepEqual(await valuesOf(copy.raw!.X), await valuesOf(adata.raw!.X));
  assert.deepEqual(copy.raw!.var.index, adata.raw!.var.index);
});

Deno.test("writeH5ad() lists the layers and columns of a file that it cannot read", async () => {
  using folder = new TempFolder();
  using adata = await openFixture("odd");
  const { notCarried } = await writeH5ad(adata, folder.file("odd.h5ad"));
  assert.deepEqual(notCarried.map(({ key }) => key), [
    "layers/filtered",
  ]);
  assert.match(notCarried[0]!.reason, /the filter unknown \(number 305\) is not available/);
  using copy = await openH5ad(folder.file("odd.h5ad"));
  assert.deepEqual(copy.obs.columns(), ["serial", "squeezed"]);
  assert.deepEqual(await valuesOf(await copy.layers.need("half")), VALUES);
});

Deno.test("writeH5ad() gives an old file today's encodings, and a view its own values", async () => {
  using folder = new TempFolder();
  using adata = await openFixture("legacy");
  await writeH5ad(adata.select({ obs: [3, 0] }), folder.file("view.h5ad"));
  using copy = await openH5ad(folder.file("view.h5ad"));
  assert.deepEqual(copy.obsNames, ["cell3", "cell0"]);
  assert.deepEqual([...(await copy.obs.column("label", "categorical")).values()], ["T", "T"]);
  assert.deepEqual(await valuesOf(copy.X!), [0, 4, 5, 0, 1, 2.5]);
  assert.deepEqual(await valuesOf(await copy.obsp.need("distances")), [1, 0, 0, 1]);
  assert.equal(await copy.uns.get("method"), "umap");
});

Deno.test("writeH5ad() refuses an existing path unless forced", async () => {
  using folder = new TempFolder();
  await Deno.writeTextFile(folder.file("x.h5ad"), "mine");
  await assert.rejects(
    writeH5ad(cellsInMemory(), folder.file("x.h5ad")),
    Deno.errors.AlreadyExists,
  );
  assert.equal(await Deno.readTextFile(folder.file("x.h5ad")), "mine");
  await writeH5ad(cellsInMemory(), folder.file("x.h5ad"), { force: true });
  using copy = await openH5ad(folder.file("x.h5ad"));
  assert.equal(copy.nObs, 2);
});

Deno.test("writeH5ad() leaves nothing behind when it fails or is stopped", async () => {
  using folder = new TempFolder();
  const failing = cellsInMemory().with({ uns: { bad: ["a\0b"] } });
  await assert.rejects(writeH5ad(failing, folder.file("a.h5ad")), /must not contain NUL/);
  const named = cellsInMemory().with({ obs: cellsInMemory().obs.with("a/b", ["x", "y"]) });
  await assert.rejects(writeH5ad(named, folder.file("a.h5ad")), /got "a\/b"/);
  const narrow = new NumericColumn(Float64Array.of(1, 300), { dtype: "uint8" });
  const overflow = cellsInMemory().with({ obs: cellsInMemory().obs.with("n", narrow) });
  await assert.rejects(
    writeH5ad(overflow, folder.file("a.h5ad")),
    /as uint8 must hold it: got 300/,
  );
  const controller = new AbortController();
  const writing = writeH5ad(cellsInMemory(), folder.file("a.h5ad"), { signal: controller.signal });
  controller.abort();
  await assert.rejects(writing, { name: "AbortError" });
  await assert.rejects(
    writeH5ad(cellsInMemory(), folder.file("a.h5ad"), { compression: "lzf" } as never),
    /"gzip"/,
  );
  await assert.rejects(
    writeH5ad(cellsInMemory(), folder.file("a.h5ad"), { forc: true } as never),
    TypeError,
  );
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("writeH5ad() streams more values than it buffers", async () => {
  using folder = new TempFolder();
  const [nRows, nCols] = [2500, 2000]; // 20 MB dense, 10 MB of sparse values
  const values = Float32Array.from(
    { length: nRows * nCols },
    (_, k) => k % 2 === 0 ? k % 1000 + 1 : 0,
  );
  const dense = denseMatrix(values, [nRows, nCols]);
  const index = (count: number) => new DataFrame({ index: Array.from({ length: count }, String) });
  const adata = AnnData.fromParts({ obs: index(nRows), var: index(nCols), X: dense });
  const [piece] = await piecesOf(dense.rows({ batch: nRows }));
  const { indptr, indices, data } = piece!;
  const sparse = csrMatrix({ shape: [nRows, nCols], indptr, indices, data });
  await writeH5ad(adata.with({ layers: { sparse } }), folder.file("first.h5ad"), {
    compression: "gzip",
  });
  using first = await openH5ad(folder.file("first.h5ad"));
  await writeH5ad(first, folder.file("second.h5ad"));
  using second = await openH5ad(folder.file("second.h5ad"));
  for (const matrix of [first.X!, second.X!, await second.layers.need("sparse")]) {
    const read = await matrix.dense();
    assert.ok(read.every((value, k) => value === values[k]));
  }
});

const CHECK = `
import sys, warnings, anndata as ad, numpy as np, pandas as pd
warnings.simplefilter("ignore")
small = ad.read_h5ad(sys.argv[1])
assert small.obs.index.name == "barcode" and list(small.obs_names) == ["cell1", "zwölf"]
kinds = {name: str(dtype) for name, dtype in small.obs.dtypes.items()}
assert kinds == {"score": "float32", "count": "int64", "rank": "Int16", "gap": "float64", "kept": "bool",
    "checked": "boolean", "note": "object", "label": "category", "cluster": "category"}, kinds
assert small.obs["kept"].tolist() == [True, False] and small.obs["count"].tolist() == [2**40, -1]
assert small.obs["rank"].isna().tolist() == [False, True] and small.obs["checked"].isna().tolist() == [False, True]
assert small.obs["label"].cat.ordered and list(small.obs["label"].cat.categories) == ["B", "T"]
assert list(small.obs["cluster"]) == [5, 3]
assert small.X.toarray().tolist() == [[0, 0, 0], [1.5, 0, -2]] and small.X.dtype == "float32"
assert small.obsm["X_scgpt"].tolist() == [[1, 2], [3, 4]] and small.obsm["empty"].shape == (2, 0)
assert small.uns["run"]["seed"] == 42 and small.uns["run"]["done"] == True and list(small.uns["run"]["tags"]) == ["a", "b"]
assert small.uns["run"]["flags"].dtype == bool and small.uns["grid"].shape == (1, 2)
old, new = ad.read_h5ad(sys.argv[2]), ad.read_h5ad(sys.argv[3])
pd.testing.assert_frame_equal(old.obs, new.obs)
pd.testing.assert_frame_equal(old.var, new.var)
pd.testing.assert_frame_equal(old.obsm["table"], new.obsm["table"])
assert (old.X != new.X).nnz == 0 and (old.raw.X != new.raw.X).nnz == 0
assert (old.layers["counts"] != new.layers["counts"]).nnz == 0 and new.layers["counts"].dtype == "int32"
assert np.array_equal(old.uns["groups"], new.uns["groups"]) and np.array_equal(old.uns["cube"], new.uns["cube"])
assert old.uns["neighbors"] == new.uns["neighbors"]
`;

Deno.test({
  name: "writeH5ad() writes files that Python's anndata reads as they were",
  ignore: withoutPython(python),
  async fn() {
    using folder = new TempFolder();
    await writeH5ad(cellsInMemory(), folder.file("small.h5ad"));
    using adata = await openFixture("columns");
    await writeH5ad(adata, folder.file("copy.h5ad"), { compression: "gzip" });
    await runPython(CHECK, [
      folder.file("small.h5ad"),
      fixture("columns"),
      folder.file("copy.h5ad"),
    ]);
  },
});
