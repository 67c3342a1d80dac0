import assert from "node:assert/strict";
import type { AnnData } from "../../data/mod.ts";
import { openCells, type OpenCellsOptions, openMuData } from "../../data/cells/mod.ts";
import { fixture, TempFolder, valuesOf } from "./fixtures.ts";
import { RangeServer } from "./range_server.ts";
import { BARCODES, bytesOf, CELLS_BY_GENES, FEATURES, gzipped, MTX, triple } from "./text_files.ts";
import { fixtureMap, zarrFixture, ZarrServer } from "./zarr_fixtures.ts";

const TABLE = "cell\tCD3D\tLYZ\nc1\t1\t0\n";

/** Path of a fixture. */
function path(name: string): string {
  return new URL(`../fixtures/${name}`, import.meta.url).pathname;
}

/** Shape of the cells in a source. */
async function shapeOf(
  source: Parameters<typeof openCells>[0],
  options?: OpenCellsOptions,
): Promise<[number, number]> {
  using adata: AnnData = await openCells(source, options);
  return [adata.nObs, adata.nVars];
}

Deno.test("openCells() decides by content, whatever the file is called", async () => {
  using folder = new TempFolder();
  const files: [string, Uint8Array, [number, number]][] = [
    ["h5ad", await Deno.readFile(fixture("columns")), [4, 3]],
    ["10x", await Deno.readFile(path("tenx/v3.h5")), [3, 3]],
    ["zarr", await Deno.readFile(zarrFixture("columns_v3")), [4, 3]],
    ["table", bytesOf(TABLE), [1, 2]],
    ["packed", await gzipped(TABLE), [1, 2]],
  ];
  for (const [name, bytes, shape] of files) {
    const at = folder.file(`${name}.data`);
    await Deno.writeFile(at, bytes);
    for (
      const source of [at, new URL(`file://${at}`), bytes, new File([new Uint8Array(bytes)], "x")]
    ) {
      assert.deepEqual(await shapeOf(source), shape, name);
    }
  }
});

Deno.test("openCells() opens folders of zarr and of matrix triples, and a triple by its matrix", async () => {
  using folder = new TempFolder();
  for (const [key, bytes] of await fixtureMap("columns_v2")) {
    const file = folder.file(`store/${key}`);
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(file, bytes);
  }
  assert.deepEqual(await shapeOf(folder.file("store")), [4, 3]);
  assert.deepEqual(await shapeOf(await fixtureMap("columns_v2")), [4, 3]);
  await Deno.mkdir(folder.file("matrix"));
  await Deno.writeFile(folder.file("matrix/a_matrix.mtx.gz"), await gzipped(MTX));
  await Deno.writeTextFile(folder.file("matrix/a_genes.tsv"), FEATURES);
  await Deno.writeTextFile(folder.file("matrix/a_barcodes.tsv"), BARCODES);
  for (const source of [folder.file("matrix"), folder.file("matrix/a_matrix.mtx.gz"), triple()]) {
    using adata = await openCells(source);
    assert.deepEqual(await valuesOf(adata.X!), CELLS_BY_GENES);
  }
  await assert.rejects(openCells(bytesOf(MTX)), /a Matrix Market file alone/);
});

Deno.test("openCells() reads one modality, named by an option or after the path", async () => {
  const cite = path("mudata/cite.h5mu");
  assert.deepEqual(await shapeOf(cite, { modality: "prot" }), [3, 2]);
  assert.deepEqual(await shapeOf(`${cite}/rna`), [4, 3]);
  assert.deepEqual(await shapeOf(`${cite}/mod/rna`), [4, 3]);
  await assert.rejects(openCells(cite), /several modalities: give one .*: rna, prot/);
  await assert.rejects(openCells(`${cite}/atac`), /modality "atac" of .* these: rna, prot/);
  await assert.rejects(openCells(fixture("columns"), { modality: "x" }), /has no modalities/);
});

Deno.test("openCells() passes options on to the kind that has them", async () => {
  assert.deepEqual(await shapeOf(path("tenx/v3.h5"), { featureTypes: "all" }), [3, 4]);
  assert.deepEqual(await shapeOf(path("tenx/v2.h5"), { genome: "hg19" }), [3, 4]);
  assert.deepEqual(await shapeOf(bytesOf(TABLE), { transpose: true }), [2, 1]);
  const unknown = { path: "x" } as OpenCellsOptions;
  await assert.rejects(openCells(bytesOf(TABLE), unknown), /the option "path" is not known/);
});

Deno.test("openCells() opens addresses", async () => {
  const values = await fixtureMap("columns_v3");
  await using server = new ZarrServer(
    new Map([
      ...[...values].map(([key, bytes]) => [`store.zarr/${key}`, bytes] as const),
      ["cells.zarr.zip", await Deno.readFile(zarrFixture("columns_v3"))],
      ["table.tsv", bytesOf(TABLE)],
    ]),
  );
  for (const name of ["store.zarr", "cells.zarr.zip"]) {
    assert.deepEqual(await shapeOf(`${server.url}${name}`), [4, 3], name);
  }
  assert.deepEqual(await shapeOf(`${server.url}table.tsv`), [1, 2]);
  using hdf5 = await RangeServer.start(fixture("columns"));
  for (const url of [hdf5.url, new URL("/download", hdf5.url)]) {
    assert.deepEqual(await shapeOf(url), [4, 3]);
  }
});

Deno.test("openCells() lists what can be read where the kind is not known", async () => {
  using folder = new TempFolder();
  const list = /one of these: h5ad, .*zarr .*matrix\.mtx .*CSV and TSV/;
  await assert.rejects(openCells(folder.path), list);
  for (const bytes of [new Uint8Array(0), Uint8Array.of(1, 2, 3), bytesOf("hello\n")]) {
    await assert.rejects(openCells(bytes), list);
  }
  await assert.rejects(openCells(bytesOf("hello\n")), /it begins with "hello/);
  await assert.rejects(openCells(Uint8Array.of(1, 2, 255)), /it begins with the bytes 01 02 ff/);
  await assert.rejects(openCells(folder.file("none")), Deno.errors.NotFound);
});

Deno.test("openMuData() opens either container, and says what holds no modalities", async () => {
  using h5mu = await openMuData(path("mudata/cite.h5mu"));
  assert.deepEqual(Object.keys(h5mu.mod), ["rna", "prot"]);
  const none = /Cannot open a MuData as/;
  for (const source of [fixture("columns"), zarrFixture("columns_v2"), bytesOf(TABLE)]) {
    await assert.rejects(openMuData(source), none);
  }
});
