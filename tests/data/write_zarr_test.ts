import assert from "node:assert/strict";
import {
  AnnData,
  AwkwardArray,
  csrMatrix,
  DataFrame,
  denseMatrix,
  NumericColumn,
} from "../../data/mod.ts";
import { openH5ad, writeH5ad } from "../../data/h5ad/mod.ts";
import { openZarr, writeZarr, type WriteZarrOptions } from "../../data/zarr/mod.ts";
import { cellsInMemory } from "./cells_in_memory.ts";
import { fixture, openFixture, piecesOf, TempFolder } from "./fixtures.ts";
import { python, runPython, SAME, withoutPython } from "./python.ts";
import { assertSame } from "./same.ts";

const LAYOUTS: readonly WriteZarrOptions[] = [
  {},
  { format: 2, compression: "blosc" },
  { format: 2, compression: "none" },
  { format: 3 },
  { format: 3, compression: "gzip" },
  { format: 3, compression: "blosc", shards: true },
];

for (const layout of LAYOUTS) {
  const label = JSON.stringify(layout);
  Deno.test(`writeZarr() writes what openZarr() reads back: ${label}`, async () => {
    using folder = new TempFolder();
    const cells = cellsInMemory();
    assert.deepEqual(await writeZarr(cells, folder.file("cells.zarr"), layout), { notCarried: [] });
    using copy = await openZarr(folder.file("cells.zarr"));
    // anndata has no nullable floats: a masked one becomes NaN.
    const gap = new NumericColumn(Float64Array.of(1.5, NaN));
    await assertSame(copy, cells.with({ obs: cells.obs.with("gap", gap) }));
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["cells.zarr"]);
  });

  Deno.test(`writeZarr() copies a file that was not changed: ${label}`, async () => {
    const store = new Map<string, Uint8Array>();
    using cells = await openFixture("columns");
    const { notCarried } = await writeZarr(cells, store, layout);
    assert.deepEqual(notCarried, []);
    using copy = await openZarr(store);
    await assertSame(copy, cells);
    using folder = new TempFolder();
    await writeH5ad(copy, folder.file("back.h5ad")); // and back
    using back = await openH5ad(folder.file("back.h5ad"));
    await assertSame(back, cells);
  });
}

Deno.test("writeZarr() streams more values than it buffers", async () => {
  const [nRows, nCols] = [2500, 2000]; // 20 MB dense, 10 MB of sparse values
  const values = Float32Array.from(
    { length: nRows * nCols },
    (_, k) => k % 2 === 0 ? k % 1000 + 1 : 0,
  );
  const dense = denseMatrix(values, [nRows, nCols]);
  const index = (count: number) => new DataFrame({ index: Array.from({ length: count }, String) });
  const [piece] = await piecesOf(dense.rows({ batch: nRows }));
  const { indptr, indices, data } = piece!;
  const sparse = csrMatrix({ shape: [nRows, nCols], indptr, indices, data });
  const parts = { obs: index(nRows), var: index(nCols), X: dense, layers: { sparse } };
  for (const layout of [{ format: 2 }, { format: 3, shards: true }] as WriteZarrOptions[]) {
    const store = new Map<string, Uint8Array>();
    await writeZarr(AnnData.fromParts(parts), store, layout);
    using first = await openZarr(store);
    const again = new Map<string, Uint8Array>();
    await writeZarr(first, again, layout); // copied, not written
    using second = await openZarr(again);
    for (const matrix of [first.X!, second.X!, await second.layers.need("sparse")]) {
      const read = await matrix.dense();
      assert.ok(read.every((value, k) => value === values[k]));
    }
  }
});

Deno.test("writeZarr() refuses an existing path unless forced, and then replaces it whole", async () => {
  using folder = new TempFolder();
  const path = folder.file("cells.zarr");
  await writeZarr(cellsInMemory(), path);
  await assert.rejects(writeZarr(cellsInMemory(), path), Deno.errors.AlreadyExists);
  using columns = await openFixture("columns");
  await writeZarr(columns, path, { force: true });
  using copy = await openZarr(path);
  await assertSame(copy, columns);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["cells.zarr"]);
});

Deno.test("writeZarr() leaves nothing behind when it fails or is stopped", async () => {
  using folder = new TempFolder();
  const path = folder.file("cells.zarr");
  const cells = cellsInMemory();
  const bad = cells.with({ obsm: { "a/b": denseMatrix(new Float32Array(2), [2, 1]) } });
  await assert.rejects(writeZarr(bad, path), /a name must be neither empty nor contain "\/"/);
  const stop = new AbortController();
  const writing = writeZarr(cells, path, { signal: stop.signal });
  stop.abort(new Error("stop"));
  await assert.rejects(writing, /stop/);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("writeZarr() writes nothing outside its folder, whatever names a file has", async () => {
  using folder = new TempFolder();
  for (const name of ["..", ".zattrs", "zarr.json", "a\\b"]) {
    const cells = cellsInMemory().with({ uns: { [name]: { [name]: Int32Array.of(1) } } });
    await assert.rejects(writeZarr(cells, folder.file("a.zarr")), RangeError, name);
  }
  const cells = cellsInMemory().with({ uns: { "50 % (a?b#c)": "kept" } });
  await writeZarr(cells, folder.file("a.zarr"));
  using copy = await openZarr(folder.file("a.zarr"));
  assert.equal(await copy.uns.need("50 % (a?b#c)"), "kept");
});

Deno.test("writeZarr() refuses options that do not fit", async () => {
  const write = (options: object) => writeZarr(cellsInMemory(), new Map(), options);
  await assert.rejects(write({ format: 1 }), /format must be 2 or 3: got 1/);
  await assert.rejects(write({ compression: "lzf" }), /compression must be one of zstd, blosc/);
  await assert.rejects(write({ shards: true }), /shards need format 3/);
  await assert.rejects(write({ formt: 3 }), /did you mean "format"/);
});

const CHECK = `${SAME}
expected = ad.read_h5ad(sys.argv[1])
for path in sys.argv[2:]:
    same(ad.read_zarr(path), expected)
`;

Deno.test({
  name: "writeZarr() writes stores that Python's anndata reads as they were",
  ignore: withoutPython(python),
  async fn() {
    using folder = new TempFolder();
    using cells = await openFixture("columns");
    const memory = cellsInMemory();
    await writeH5ad(memory, folder.file("memory.h5ad"));
    const paths = { columns: [] as string[], memory: [] as string[] };
    for (const [k, layout] of [...LAYOUTS.entries()]) {
      const suffix = `${k}.zarr`;
      paths.columns.push(folder.file(`columns_${suffix}`));
      await writeZarr(cells, paths.columns.at(-1)!, layout);
      paths.memory.push(folder.file(`memory_${suffix}`));
      await writeZarr(memory, paths.memory.at(-1)!, layout);
    }
    await runPython(CHECK, [fixture("columns"), ...paths.columns]);
    await runPython(CHECK, [folder.file("memory.h5ad"), ...paths.memory]);
  },
});

Deno.test("writeZarr() and writeH5ad() write awkward arrays, and rows of them", async () => {
  using folder = new TempFolder();
  const content = { class: "NumpyArray", primitive: "float64", form_key: "node1", parameters: {} };
  const form = {
    class: "ListOffsetArray",
    offsets: "i64",
    content,
    form_key: "node0",
    parameters: {},
  };
  const ragged = new AwkwardArray({
    length: 2,
    form,
    buffers: new Map<string, BigInt64Array<ArrayBuffer> | Float64Array<ArrayBuffer>>([
      ["node0-offsets", BigInt64Array.of(0n, 2n, 3n)],
      ["node1-data", Float64Array.of(1, 2.5, -3)],
    ]),
  });
  const cells = cellsInMemory().with({ obsm: { ragged } }).select({ obs: [1, 0] });
  await writeZarr(cells, folder.file("a.zarr"));
  await writeH5ad(cells, folder.file("a.h5ad"));
  using zarr = await openZarr(folder.file("a.zarr"));
  using h5ad = await openH5ad(folder.file("a.h5ad"));
  for (const copy of [zarr, h5ad]) {
    const read = await copy.obsm.need("ragged") as AwkwardArray;
    assert.deepEqual([...read.values()], [[-3], [1, 2.5]]);
  }
  if (python === undefined) return;
  const check = `import sys, anndata as ad
for a in [ad.read_zarr(sys.argv[1]), ad.read_h5ad(sys.argv[2])]:
    assert a.obsm["ragged"].to_list() == [[-3.0], [1.0, 2.5]], a.obsm["ragged"]
`;
  await runPython(check, [folder.file("a.zarr"), folder.file("a.h5ad")]);
});
