import assert from "node:assert/strict";
import { openH5ad, openZarr } from "../../mod.ts";
import { fixture, TempFolder } from "../data/fixtures.ts";
import { assertSame } from "../data/same.ts";
import { fixtureMap, zarrFixture, ZarrServer } from "../data/zarr_fixtures.ts";
import { CELL, CellsFolder, cellsOf } from "./cells_folder.ts";
import { ON_CPU, scgpt } from "./run_scgpt.ts";

Deno.test("scgpt convert writes h5ad as zarr and zarr as h5ad", async () => {
  using folder = new TempFolder();
  const there = await scgpt("convert", fixture("columns"), folder.file("a.zarr"), "--format", "3");
  assert.equal(there.code, 0, there.err);
  assert.match(there.err, /^wrote .*a\.zarr$/m);
  const back = await scgpt(
    ...["convert", folder.file("a.zarr"), folder.file("b.h5ad"), "--compression", "gzip", "--json"],
  );
  assert.equal(back.code, 0, back.err);
  const { cells, genes, notCarried } = JSON.parse(back.out);
  assert.deepEqual([cells, genes, notCarried], [4, 3, []]);
  using original = await openH5ad(fixture("columns"));
  using zarr = await openZarr(folder.file("a.zarr"));
  using h5ad = await openH5ad(folder.file("b.h5ad"));
  await assertSame(zarr, original);
  await assertSame(h5ad, original);
});

Deno.test("scgpt convert refuses an output that exists, and a name of neither format", async () => {
  using folder = new TempFolder();
  await Deno.mkdir(folder.file("a.zarr"));
  const there = await scgpt("convert", fixture("columns"), folder.file("a.zarr"));
  assert.equal(there.code, 2);
  assert.match(there.err, /is there already: give --force/);
  const forced = await scgpt("convert", fixture("columns"), folder.file("a.zarr"), "--force");
  assert.equal(forced.code, 0, forced.err);
  const name = await scgpt("convert", fixture("columns"), folder.file("a.csv"));
  assert.equal(name.code, 2);
  assert.match(name.err, /its name must end with \.h5ad or \.zarr/);
});

Deno.test("scgpt inspect shows zarr stores: ZIP files, folders of any name, addresses", async () => {
  using folder = new TempFolder();
  await scgpt("convert", fixture("columns"), folder.file("a.zarr"));
  await Deno.rename(folder.file("a.zarr"), folder.file("cells"));
  const values = await fixtureMap("columns_v3");
  const server = new Map([...values].map(([key, bytes]) => [`cells.zarr/${key}`, bytes]));
  await using served = new ZarrServer(server);
  for (const path of [zarrFixture("columns_v2"), folder.file("cells"), `${served.url}cells.zarr`]) {
    const { code, err } = await scgpt("inspect", path);
    assert.equal(code, 0, err);
    assert.match(err, /^X: 4 x 3 csr float32$/m);
    assert.match(err, /^ {2}label: categorical \(2\)$/m);
  }
});

Deno.test("scgpt embed takes a zarr store in and writes one", async () => {
  using folder = new CellsFolder();
  const h5ad = await folder.cells("in.h5ad", cellsOf([CELL, CELL.map(() => 0)]));
  await scgpt("convert", h5ad, folder.file("in.zarr"));
  const { code, err } = await scgpt(
    ...["embed", "--model", await folder.model(), "--input", folder.file("in.zarr")],
    ...["--output", folder.file("out.zarr"), ...ON_CPU],
  );
  assert.equal(code, 0, err);
  using written = await openZarr(folder.file("out.zarr"));
  assert.deepEqual(written.obsm.keys(), ["X_scGPT"]);
  assert.equal(written.nObs, 2);
});

Deno.test("scgpt inspect says which columns cannot be read, and shows the rest", async () => {
  const { code, err } = await scgpt("inspect", fixture("odd"));
  assert.equal(code, 0, err);
  assert.match(err, /^ {2}serial: unreadable: Cannot read element 3 .* within 2\^53/m);
  assert.match(err, /^layers: big_endian, /m);
});
