import assert from "node:assert/strict";
import { FormatError } from "../../data/mod.ts";
import { openH5ad, openTenxH5, type OpenTenxH5Options, writeH5ad } from "../../data/h5ad/mod.ts";
import { TempFolder, valuesOf } from "./fixtures.ts";
import { assertSame } from "./same.ts";

/** Path of a fixture that scripts/dev/make_omics_fixtures.py makes. */
function tenx(name: string): string {
  return new URL(`../fixtures/tenx/${name}.h5`, import.meta.url).pathname;
}

Deno.test("openTenxH5() reads genes of version 3, and antibodies when told", async () => {
  using genes = await openTenxH5(tenx("v3"));
  assert.deepEqual(genes.obsNames, ["AAA-1", "AAC-1", "AAG-1"]);
  assert.deepEqual(genes.varNames, ["CD3D", "LYZ", "LYZ"]);
  assert.deepEqual(genes.var.columns(), ["gene_ids", "feature_types", "genome"]);
  assert.deepEqual((await genes.var.column("gene_ids", "string")).data, ["E1", "E2", "E3"]);
  assert.deepEqual(await valuesOf(genes.X!), [1, 0, 0, 0, 0, 0, 0, 2, 300]);
  using all = await openTenxH5(tenx("v3"), { featureTypes: "all" });
  assert.equal(all.X!.dtype, "int32");
  assert.deepEqual([...await all.X!.dense({ end: 1 })], [1, 0, 0, 5]);
  using proteins = await openTenxH5(tenx("v3"), { featureTypes: ["Antibody Capture"] });
  assert.deepEqual([proteins.varNames, await valuesOf(proteins.X!)], [["CD3"], [5, 0, 0]]);
  await assert.rejects(
    openTenxH5(tenx("v3"), { featureTypes: ["Peaks"] }),
    /Peaks as there are none; the types are: Antibody Capture, Gene Expression/,
  );
});

Deno.test("openTenxH5() reads one genome", async () => {
  using v3 = await openTenxH5(tenx("v3"), { genome: "a" });
  assert.deepEqual(v3.varNames, ["CD3D", "LYZ"]);
  using v2 = await openTenxH5(tenx("v2"), { genome: "mm10" });
  assert.deepEqual(v2.varNames, ["CD3D", "LYZ", "LYZ", "CD3"]);
  assert.deepEqual(await valuesOf(v2.X!), [1, 0, 0, 5, 0, 0, 0, 0, 0, 2, 300, 0]);
  await assert.rejects(openTenxH5(tenx("v2")), /several genomes: .* genome: hg19, mm10/);
  await assert.rejects(openTenxH5(tenx("v2"), { genome: "x" }), /no genome "x": hg19, mm10/);
  await assert.rejects(openTenxH5(tenx("v3"), { genome: "x" }), /no genome "x": a, b/);
});

Deno.test("openTenxH5() gives cells that are written as h5ad and read again", async () => {
  using folder = new TempFolder();
  for (const featureTypes of [["Gene Expression"], "all"] as const) {
    using adata = await openTenxH5(tenx("v3"), { featureTypes });
    const { notCarried } = await writeH5ad(adata, folder.file("a.h5ad"), { force: true });
    assert.deepEqual(notCarried, []);
    using copy = await openH5ad(folder.file("a.h5ad"));
    await assertSame(copy, adata);
  }
});

Deno.test("openTenxH5() refuses other files, damaged ones and unknown options", async () => {
  const h5ad = new URL("../fixtures/h5ad/columns.h5ad", import.meta.url);
  await assert.rejects(openTenxH5(h5ad), /there must be the group matrix with features/);
  const bytes = await Deno.readFile(tenx("v3"));
  await assert.rejects(openTenxH5(bytes.slice(0, 4000)), FormatError);
  const unknown = { gexOnly: true } as OpenTenxH5Options;
  await assert.rejects(openTenxH5(tenx("v3"), unknown), /the option "gexOnly" is not known/);
});
