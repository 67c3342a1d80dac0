import assert from "node:assert/strict";
import {
  AnnData,
  bigInts,
  type ColumnKind,
  DataFrame,
  denseMatrix,
  FormatError,
  type FormatErrorKind,
  isMatrix,
  type Matrix,
} from "../../data/mod.ts";
import { openH5ad, writeH5adBytes } from "../../data/h5ad/mod.ts";
import { fixture, openFixture, TempFolder, VALUES, valuesOf } from "./fixtures.ts";
import { RangeServer } from "./range_server.ts";

/** Checks that an act fails with a FormatError of a kind about a key. */
async function rejectsWith(act: Promise<unknown>, kind: FormatErrorKind, key: string) {
  await assert.rejects(act, (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.deepEqual([error.kind, error.key], [kind, key], error.message);
    assert.ok(error.message.includes(error.file) && error.message.includes(error.key));
    return true;
  });
}

Deno.test("openH5ad() reads every kind of column", async () => {
  using adata = await openFixture("columns");
  const expected: [string, ColumnKind, unknown[]][] = [
    ["label", "categorical", ["T", null, "B", "T"]],
    ["stage", "categorical", ["late", "early", "late", null]],
    ["cluster", "categorical", ["10", "2", "2", "10"]],
    ["score", "numeric", [0.5, NaN, -1.25, 2]],
    ["n_genes", "numeric", [3, 0, 1, 2]],
    ["kept", "boolean", [true, false, true, true]],
    ["note", "string", ["a", "", "ü", "d"]],
    ["rank", "numeric", [1, null, 3, 4]],
    ["checked", "boolean", [true, null, false, true]],
    ["remark", "string", ["x", null, "", "z"]],
  ];
  assert.deepEqual(adata.obs.columns(), expected.map(([name]) => name));
  for (const [name, kind, values] of expected) {
    const column = await adata.obs.column(name, kind);
    assert.deepEqual([...column.values()], values, name);
  }
  const stage = await adata.obs.column("stage", "categorical");
  assert.deepEqual([stage.ordered, stage.categories], [true, ["early", "late"]]);
  assert.equal((await adata.obs.column("n_genes", "numeric")).dtype, "int64");
});

Deno.test("openH5ad() reads names, matrices and raw", async () => {
  using adata = await openFixture("columns");
  assert.deepEqual(adata.obsNames, ["cell0", "cell1", "cell2", "cell3"]);
  assert.deepEqual([adata.varNames, adata.var.indexName], [["TP53", "CD3E", "MS4A1"], "gene"]);
  assert.deepEqual([adata.X!.shape, adata.X!.format, adata.X!.dtype], [[4, 3], "csr", "float32"]);
  assert.deepEqual(await valuesOf(adata.X!), VALUES);
  const counts = await adata.layers.need("counts");
  assert.deepEqual([counts.format, counts.dtype], ["csc", "int32"]);
  assert.deepEqual(await valuesOf(counts), VALUES.map(Math.trunc));
  assert.deepEqual(await valuesOf(await adata.layers.need("dense")), VALUES.map((v) => v / 3));
  assert.deepEqual(adata.raw!.var.index.at(-1), "ACTB");
  assert.deepEqual((await valuesOf(adata.raw!.X)).slice(8, 12), [3, 0, 0, 3]);
});

Deno.test("openH5ad() reads arrays along the axes", async () => {
  using adata = await openFixture("columns");
  assert.deepEqual(adata.obsm.keys(), ["X_pca", "table"]);
  const pca = await adata.obsm.need("X_pca");
  assert.ok(isMatrix(pca));
  assert.deepEqual(await valuesOf(pca), [0, 1, 2, 3, 4, 5, 6, 7]);
  const table = await adata.obsm.need("table");
  assert.ok(table instanceof DataFrame);
  assert.deepEqual([...(await table.column("a", "numeric")).values()], [1, 2, 3, 4]);
  assert.deepEqual((await valuesOf(await adata.obsp.need("distances"))).slice(0, 8), [
    ...[0, 1, 0, 0],
    ...[0, 0, 2, 0],
  ]);
  assert.deepEqual(await valuesOf(await adata.varp.need("correlation")), [
    1,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    1,
  ]);
});

Deno.test("openH5ad() reads uns as plain values", async () => {
  using adata = await openFixture("columns");
  assert.deepEqual(await adata.uns.get("neighbors"), {
    params: { n_neighbors: 15, metric: "euclidean", flag: true, a: 0.25 },
  });
  assert.deepEqual(await adata.uns.get("colors"), ["red", "blue"]);
  assert.equal(await adata.uns.get("nothing"), null);
  assert.equal(await adata.uns.get("absent"), undefined);
  const data = Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7);
  assert.deepEqual(await adata.uns.get("cube"), { shape: [2, 2, 2], data });
  assert.deepEqual(await adata.uns.get("groups"), {
    names: ["TP53", "CD3E"],
    scores: Float32Array.of(1.5, 0.5),
  });
});

Deno.test("openH5ad() reads files from before encodings", async () => {
  using adata = await openFixture("legacy");
  const label = await adata.obs.column("label", "categorical");
  assert.deepEqual([...label.values()], ["T", null, "B", "T"]);
  assert.deepEqual([...(await adata.obs.column("kept", "boolean")).values()], [
    true,
    false,
    true,
    true,
  ]);
  assert.deepEqual(await valuesOf(adata.X!), VALUES);
  assert.deepEqual(adata.varNames, ["TP53", "CD3E", "MS4A1"]);
  assert.deepEqual(await valuesOf(await adata.obsm.need("X_pca") as Matrix), [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
  ]);
  assert.deepEqual(adata.uns.keys(), ["method", "neighbors"]);
  assert.equal(await adata.uns.get("method"), "umap");
  assert.deepEqual(await adata.uns.get("neighbors"), { n: Int32Array.of(15) });
  assert.deepEqual((await adata.obsp.need("distances")).shape, [4, 4]);
});

Deno.test("openH5ad() reads the demo's 700 real cells as Python does", async () => {
  const path = new URL("../../scripts/demo/10x_pbmc68k_reduced.h5ad", import.meta.url);
  using adata = await openH5ad(path);
  assert.deepEqual([adata.nObs, adata.nVars, adata.X!.format], [700, 765, "dense"]);
  const labels = await adata.obs.column("bulk_labels", "categorical");
  const counts = labels.categories.map((_, code) => labels.codes.filter((c) => c === code).length);
  assert.deepEqual(labels.categories[0], "CD4+/CD25 T Reg");
  assert.deepEqual(counts, [68, 8, 19, 54, 43, 129, 95, 13, 31, 240]);
  const { X, var: genes } = adata.raw!;
  const values = await X.dense({ dtype: "float64" });
  assert.equal(genes.index[0], "HES4");
  assert.ok(Math.abs(values.reduce((sum, value) => sum + value) - 319044.23824107647) < 1e-6);
});

Deno.test("openH5ad() takes bytes and blobs", async () => {
  const bytes = await Deno.readFile(fixture("columns"));
  for (const source of [bytes, new Blob([bytes]), new File([bytes], "x.h5ad")]) {
    using adata = await openH5ad(source);
    assert.deepEqual(await valuesOf(adata.X!), VALUES);
  }
});

Deno.test("openH5ad() downloads an address whose server knows no ranges", async () => {
  const bytes = await Deno.readFile(fixture("columns"));
  const server = Deno.serve(
    { port: 0, hostname: "localhost", onListen() {} },
    (request) =>
      new URL(request.url).pathname === "/x.h5ad"
        ? new Response(bytes)
        : new Response("no", { status: 404 }),
  );
  const url = `http://localhost:${server.addr.port}`;
  {
    using adata = await openH5ad(`${url}/x.h5ad`);
    assert.equal(adata.nObs, 4);
  }
  await assert.rejects(openH5ad(`${url}/y.h5ad`), /the server answered 404/);
  await server.shutdown();
});

Deno.test("openH5ad() reads unusual element types right", async () => {
  using adata = await openFixture("odd");
  assert.equal(adata.X, undefined);
  for (const name of ["half", "big_endian", "lzf"]) {
    assert.deepEqual(await valuesOf(await adata.layers.need(name)), VALUES, name);
  }
  const enumeration = await adata.layers.need("enumeration"); // of the numbers that the names stand for
  assert.deepEqual([enumeration.dtype, ...await valuesOf(enumeration)], [
    "int8",
    ...Array(12).fill(0),
  ]);
  assert.deepEqual((await valuesOf(await adata.layers.need("unsorted"))).slice(0, 3), [2, 0, 1]);
  assert.deepEqual((await valuesOf(await adata.layers.need("doubled"))).slice(0, 3), [0, 3, 0]);
});

Deno.test("bigInts() reads every digit of a stored column of integers, and no other", async () => {
  using adata = await openFixture("odd");
  assert.deepEqual(
    await bigInts(adata.obs, "serial"),
    BigInt64Array.of(1n, 2n, 3n, 2n ** 53n + 1n),
  );
  await assert.rejects(bigInts(adata.obs, "squeezed"), /the column holds none/);
  await assert.rejects(bigInts(adata.obs, "nothing"), /as it was read from a file/);
  using columns = await openFixture("columns");
  assert.deepEqual(await bigInts(columns.obs, "n_genes"), BigInt64Array.of(3n, 0n, 1n, 2n));
  await assert.rejects(bigInts(columns.obs, "score"), /the column holds none/);
  await assert.rejects(bigInts(columns.obs.take([0]), "n_genes"), RangeError);
});

Deno.test("openH5ad() reads texts compressed with lzf from every kind of source", async () => {
  const bytes = await Deno.readFile(fixture("odd"));
  using server = await RangeServer.start(fixture("odd"));
  for (const source of [fixture("odd"), bytes, new File([bytes], "x.h5ad"), server.url]) {
    using adata = await openH5ad(source);
    const squeezed = await adata.obs.column("squeezed", "string");
    assert.deepEqual(squeezed.data, ["a", "b", "c", "d"]);
  }
});

Deno.test("openH5ad() refuses what it would read wrong, naming file and key", async () => {
  using adata = await openFixture("odd");
  const layer = async (name: string) => await (await adata.layers.need(name)).dense();
  await rejectsWith(layer("filtered"), "missing-filter", "layers/filtered");
  await rejectsWith(layer("complex"), "encoding", "layers/complex");
  await rejectsWith(layer("outside"), "value", "layers/outside/indices");
  await rejectsWith(adata.obs.column("serial"), "value", "obs/serial");
  await rejectsWith(adata.uns.need("future"), "encoding", "uns/future");
  await assert.rejects(adata.matrix(), /Cannot read X as this AnnData has none/);
});

Deno.test("openH5ad() does not follow links that lead in a circle", async () => {
  using folder = new TempFolder();
  await Deno.copyFile(fixture("columns"), folder.file("circle.h5ad"));
  const { ready } = await import("h5wasm/node");
  const module = await ready;
  const id = module.open(folder.file("circle.h5ad"), module.H5F_ACC_RDWR, false, -1, -1);
  module.create_hard_link(id, "/uns", "/uns/self");
  module.close_file(id);
  using adata = await openH5ad(folder.file("circle.h5ad"));
  await rejectsWith(adata.uns.need("self"), "value", "uns/self");
  const { notCarried } = await writeH5adBytes(adata);
  assert.deepEqual(notCarried.map(({ key }) => key), ["uns/self"]);
  assert.equal((await adata.obs.column("note", "string")).at(0), "a");
});

Deno.test("openH5ad() refuses files that are missing, cut off or not HDF5", async () => {
  using folder = new TempFolder();
  await assert.rejects(openH5ad(folder.file("none.h5ad")), Deno.errors.NotFound);
  const bytes = await Deno.readFile(fixture("columns"));
  await Deno.writeFile(folder.file("cut.h5ad"), bytes.subarray(0, bytes.length - 100));
  await rejectsWith(openH5ad(folder.file("cut.h5ad")), "truncated", "/");
  await rejectsWith(openH5ad(bytes.subarray(0, 40)), "truncated", "/");
  await Deno.writeTextFile(folder.file("text.h5ad"), "cell,gene\n".repeat(100));
  await rejectsWith(openH5ad(folder.file("text.h5ad")), "not-hdf5", "/");
  await rejectsWith(openH5ad(new Uint8Array(0)), "not-hdf5", "/");
});

Deno.test("openH5ad() fails on damaged values instead of reading others", async () => {
  const index = (count: number) => new DataFrame({ index: Array.from({ length: count }, String) });
  const values = Float32Array.from({ length: 200_000 }, (_, k) => Math.sin(k * k)); // hardly compressible: most of the file
  const X = denseMatrix(values, [200, 1000]);
  const parts = { obs: index(200), var: index(1000), X };
  const { bytes } = await writeH5adBytes(AnnData.fromParts(parts), { compression: "gzip" });
  bytes.fill(0, bytes.length / 2, bytes.length / 2 + 16);
  using adata = await openH5ad(bytes);
  await rejectsWith(adata.X!.dense(), "value", "X");
});

Deno.test("openH5ad() refuses unknown options and aborted signals", async () => {
  await assert.rejects(
    openH5ad(fixture("columns"), { signl: undefined } as never),
    /option "signl" is not known: did you mean "signal"/,
  );
  const signal = AbortSignal.abort(new Error("stop"));
  await assert.rejects(openH5ad(fixture("columns"), { signal }), /stop/);
});

Deno.test("AnnData.close() makes unread parts unreadable and keeps read ones", async () => {
  const adata = await openFixture("columns");
  await adata.obs.column("note");
  adata.close();
  assert.equal((await adata.obs.column("note")).at(0), "a");
  await assert.rejects(adata.obs.column("label"), /is closed/);
  await assert.rejects(valuesOf(adata.X!), /is closed/);
  adata.close();
});
