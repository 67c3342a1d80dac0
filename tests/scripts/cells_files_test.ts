import assert from "node:assert/strict";
import { openH5ad, openH5mu, openMuZarr } from "../../mod.ts";
import { TempFolder, valuesOf } from "../data/fixtures.ts";
import { BARCODES, CELLS_BY_GENES, FEATURES, gzipped, MTX } from "../data/text_files.ts";
import { scgpt } from "./run_scgpt.ts";

/** Path of a fixture. */
function path(name: string): string {
  return new URL(`../fixtures/${name}`, import.meta.url).pathname;
}

Deno.test("scgpt inspect shows modalities, a modality, and all features of 10x files", async () => {
  const whole = await scgpt("inspect", path("mudata/cite.h5mu"));
  assert.equal(whole.code, 0, whole.err);
  assert.match(whole.err, /^modalities:\n {2}rna: 4 x 3\n {2}prot: 3 x 2$/m);
  assert.match(whole.err, /^ {2}prot:label: categorical \(2\)$/m);
  const one = await scgpt("inspect", `${path("mudata/cite.h5mu")}/prot`);
  assert.match(one.err, /^cells: 3\ngenes: 2$/m);
  const tenx = await scgpt("inspect", path("tenx/v3.h5"));
  assert.match(tenx.err, /^X: 3 x 4 csr int32$/m);
  const genomes = await scgpt("inspect", path("tenx/v2.h5"));
  assert.equal(genomes.code, 2);
  assert.match(genomes.err, /several genomes: .*hg19, mm10/);
  const script = await scgpt("inspect", path("scgpt/README.md"));
  assert.equal(script.code, 2);
});

Deno.test("scgpt convert reads triples, tables and 10x files", async () => {
  using folder = new TempFolder();
  await Deno.mkdir(folder.file("triple"));
  await Deno.writeFile(folder.file("triple/matrix.mtx.gz"), await gzipped(MTX));
  await Deno.writeFile(folder.file("triple/features.tsv.gz"), await gzipped(FEATURES));
  await Deno.writeFile(folder.file("triple/barcodes.tsv.gz"), await gzipped(BARCODES));
  const triple = await scgpt("convert", folder.file("triple"), folder.file("a.h5ad"));
  assert.equal(triple.code, 0, triple.err);
  using cells = await openH5ad(folder.file("a.h5ad"));
  assert.deepEqual(await valuesOf(cells.X!), CELLS_BY_GENES);
  await Deno.writeTextFile(folder.file("t.csv"), "gene,c1,c2\nCD3D,0,2\n");
  const table = ["convert", folder.file("t.csv"), folder.file("b.h5ad"), "--transpose", "--json"];
  const { cells: count, genes } = JSON.parse((await scgpt(...table)).out);
  assert.deepEqual([count, genes], [2, 1]);
  const tenx = [path("tenx/v2.h5"), folder.file("c.h5ad"), "--genome", "mm10"];
  assert.equal((await scgpt("convert", ...tenx)).code, 0);
  const all = [path("tenx/v3.h5"), folder.file("d.h5ad"), "--feature-types", "all", "--json"];
  assert.equal(JSON.parse((await scgpt("convert", ...all)).out).genes, 4);
});

Deno.test("scgpt convert writes all modalities, or one", async () => {
  using folder = new TempFolder();
  const cite = path("mudata/cite.h5mu");
  for (const name of ["a.zarr", "a.h5mu"]) {
    const { code, err } = await scgpt("convert", cite, folder.file(name));
    assert.equal(code, 0, err);
  }
  using zarr = await openMuZarr(folder.file("a.zarr"));
  using h5mu = await openH5mu(folder.file("a.h5mu"));
  assert.deepEqual([zarr.obsNames, Object.keys(h5mu.mod)], [h5mu.obsNames, ["rna", "prot"]]);
  const wrong = await scgpt("convert", cite, folder.file("b.h5ad"));
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /its name must end with \.h5mu or \.zarr/);
  const one = await scgpt("convert", cite, folder.file("b.h5ad"), "--modality", "rna");
  assert.equal(one.code, 0, one.err);
  using rna = await openH5ad(folder.file("b.h5ad"));
  assert.deepEqual([rna.nObs, rna.nVars], [4, 3]);
});
