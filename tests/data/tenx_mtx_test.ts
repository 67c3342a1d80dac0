import assert from "node:assert/strict";
import { FormatError } from "../../data/mod.ts";
import { openTenxMtx, type TenxMtxOptions } from "../../data/text/mod.ts";
import { piecesOf, TempFolder, valuesOf } from "./fixtures.ts";
import { BARCODES, bytesOf, CELLS_BY_GENES, FEATURES, gzipped, MTX, triple } from "./text_files.ts";

/** A memory that holds two values at most. */
const LITTLE = { memory: 16 };

/** The entries of the small matrix by gene, so that cells come in no order. */
const BY_GENE = MTX.replace(/2 1 2.5\n([^]*)$/, "1 4 3.5\n3 3 3\n1 3 1\n2 1 2.5\n1 4 0.5\n");

/** Checks that reading all of X fails with a FormatError that names a line. */
async function rejectsAt(
  changed: Parameters<typeof triple>[0],
  key: string,
  message: RegExp,
  options: TenxMtxOptions = {},
) {
  await assert.rejects(
    async () => {
      using adata = await openTenxMtx(triple(changed), options);
      await adata.X!.dense();
    },
    (error: unknown) => {
      assert.ok(error instanceof FormatError, String(error));
      assert.equal(error.key, key, error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

Deno.test("openTenxMtx() reads features x cells as cells x features, however the entries are ordered", async () => {
  for (const matrix of [MTX, BY_GENE, MTX.replaceAll("\n", "\r\n"), MTX.trimEnd()]) {
    for (const options of [{}, LITTLE]) {
      using adata = await openTenxMtx(triple({ matrix }), options);
      assert.deepEqual(adata.X!.shape, [4, 3]);
      assert.deepEqual(await valuesOf(adata.X!), CELLS_BY_GENES);
      assert.deepEqual(await valuesOf(adata.X!), CELLS_BY_GENES);
      assert.deepEqual([...await adata.X!.dense({ start: 2, end: 3 })], [1, 0, 3]);
      assert.deepEqual([...await adata.X!.dense({ start: 1, end: 1 })], []);
    }
  }
});

Deno.test("openTenxMtx() streams pieces of a batch's rows, and adds up entries of one place", async () => {
  for (const options of [{}, LITTLE]) {
    using adata = await openTenxMtx(triple(), options);
    const pieces = await piecesOf(adata.X!.rows({ batch: 3 }));
    assert.deepEqual(pieces.map(({ start, nRows }) => [start, nRows]), [[0, 3], [3, 1]]);
    assert.deepEqual([...pieces[1]!.data], [4]);
  }
});

Deno.test("openTenxMtx() names genes by symbols made unique, or by ids", async () => {
  using adata = await openTenxMtx(triple());
  assert.deepEqual(adata.obsNames, ["AAA-1", "AAC-1", "AAG-1", "AAT-1"]);
  assert.deepEqual(adata.varNames, ["CD3D", "LYZ", "LYZ-1"]);
  assert.deepEqual((await adata.var.column("gene_ids", "string")).data, ["E1", "E2", "E3"]);
  using plain = await openTenxMtx(triple(), { makeUnique: false });
  assert.deepEqual(plain.varNames, ["CD3D", "LYZ", "LYZ"]);
  using ids = await openTenxMtx(triple(), { varNames: "gene_ids" });
  assert.deepEqual(ids.varNames, ["E1", "E2", "E3"]);
  assert.deepEqual((await ids.var.column("gene_symbols", "string")).data, ["CD3D", "LYZ", "LYZ"]);
});

Deno.test("openTenxMtx() keeps genes alone unless told, and lists the types when there are none", async () => {
  const features = FEATURES.replace("LYZ\tGene Expression", "CD3\tAntibody Capture");
  using genes = await openTenxMtx(triple({ features }));
  assert.deepEqual(genes.varNames, ["CD3D", "LYZ"]);
  assert.deepEqual(await valuesOf(genes.X!), [0, 0, 0, 0, 1, 3, 4, 0]);
  using proteins = await openTenxMtx(triple({ features }), { featureTypes: ["Antibody Capture"] });
  assert.deepEqual(await valuesOf(proteins.X!), [2.5, 0, 0, 0]);
  using all = await openTenxMtx(triple({ features }), { featureTypes: "all" });
  assert.equal(all.nVars, 3);
  await assert.rejects(
    openTenxMtx(triple({ features: FEATURES.replaceAll("Gene Expression", "Peaks") })),
    /features of type Gene Expression as there are none; the types are: Peaks/,
  );
  using legacy = await openTenxMtx(triple({ features: "E1\tA\nE2\tB\nE3\tC\n" }));
  assert.deepEqual(legacy.var.columns(), ["gene_ids"]);
});

Deno.test("openTenxMtx() finds gzip or plain files in folders, by prefix where there are several", async () => {
  using folder = new TempFolder();
  for (const prefix of ["a_", "b_"]) {
    await Deno.writeFile(folder.file(`${prefix}matrix.mtx.gz`), await gzipped(MTX));
    await Deno.writeTextFile(folder.file(`${prefix}genes.tsv`), FEATURES);
    await Deno.writeFile(folder.file(`${prefix}barcodes.tsv.gz`), await gzipped(BARCODES));
  }
  using adata = await openTenxMtx(folder.path, { prefix: "b_" });
  assert.deepEqual(await valuesOf(adata.X!), CELLS_BY_GENES);
  await assert.rejects(openTenxMtx(folder.path), /several matrices: .* prefix: "a_", "b_"/);
  await assert.rejects(openTenxMtx(folder.path, { prefix: "c_" }), /must hold c_matrix.mtx/);
  await Deno.remove(folder.file("a_barcodes.tsv.gz"));
  await assert.rejects(
    openTenxMtx(folder.path, { prefix: "a_" }),
    /one of these must be there: a_barcodes.tsv, a_barcodes.tsv.gz/,
  );
  const files = ["matrix.mtx.gz", "genes.tsv", "barcodes.tsv.gz"];
  const dropped = files.map((name) =>
    new File([Deno.readFileSync(folder.file(`b_${name}`))], `b_${name}`)
  );
  using page = await openTenxMtx(dropped);
  assert.deepEqual(page.obsNames, adata.obsNames);
});

Deno.test("openTenxMtx() reads gzip of several parts, and says where it ends early", async () => {
  const half = MTX.indexOf("3 3 3");
  const parts = [await gzipped(MTX.slice(0, half)), await gzipped(MTX.slice(half))];
  const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
  using adata = await openTenxMtx({ ...triple(), matrix: whole });
  assert.deepEqual(await valuesOf(adata.X!), CELLS_BY_GENES);
  const cut = { ...triple(), matrix: whole.slice(0, -9) };
  const read = async (source: typeof cut) => {
    using adata = await openTenxMtx(source);
    await adata.X!.dense();
  };
  await assert.rejects(read(cut), (error: unknown) => {
    assert.ok(error instanceof FormatError && error.kind === "truncated");
    return /gzip data end early or are damaged/.test(error.message);
  });
  const flipped = whole.slice();
  flipped[whole.length - 6]! ^= 4;
  await assert.rejects(read({ ...cut, matrix: flipped }), /damaged/);
});

Deno.test("openTenxMtx() reads integer and pattern entries, and refuses what float32 does not hold", async () => {
  const integers = MTX.replace("real", "integer").replace("2.5", "16777217").replace(
    "3.5\n1 4 0.5",
    "3\n1 4 1",
  );
  await rejectsAt({ matrix: integers }, "line 4", /float32 holds .*: got 16777217/);
  using wide = await openTenxMtx(triple({ matrix: integers }), { dtype: "float64" });
  assert.equal((await valuesOf(wide.X!))[1], 16777217);
  const pattern = MTX.replace("real", "pattern").replaceAll(/^(\d \d) [\d.]+$/gm, "$1")
    .replace("3 4\n", "3 4 5\n");
  using ones = await openTenxMtx(triple({ matrix: pattern }));
  assert.deepEqual(await valuesOf(ones.X!), [0, 1, 0, 0, 0, 0, 1, 0, 1, 2, 0, 0]);
});

Deno.test("openTenxMtx() names the line of an entry that breaks a rule", async () => {
  const bad: [string, string, RegExp][] = [
    ["0 1 2.5", "line 4", /its row must be in 1 .. 3: got 0/],
    ["4 1 2.5", "line 4", /its row must be in 1 .. 3: got 4/],
    ["-1 1 2.5", "line 4", /its row must be in 1 .. 3: got -1/],
    ["2 5 2.5", "line 4", /its column must be in 1 .. 4: got 5/],
    ["2 1.0 2.5", "line 4", /its column must be in 1 .. 4: got 1.0/],
    ["2 1 NaN", "line 4", /its value must be a finite number: got NaN/],
    ["2 1 inf", "line 4", /its value must be a finite number: got inf/],
    ["2 1 1e999", "line 4", /its value must be a finite number: got 1e999/],
    ["2 1 0x10", "line 4", /its value must be a finite number: got 0x10/],
    ["2 1", "line 4", /its value must be a finite number: got nothing/],
    ["2 1 2.5 7", "line 4", /its line must end after 3 numbers: got 7/],
  ];
  for (const [entry, key, message] of bad) {
    await rejectsAt({ matrix: MTX.replace("2 1 2.5", entry) }, key, message);
    await rejectsAt({ matrix: MTX.replace("2 1 2.5", entry) }, key, message, LITTLE);
  }
  await rejectsAt(
    { matrix: MTX.replace("real", "integer") },
    "line 4",
    /must be an integer within 2\^53: got 2.5/,
  );
});

Deno.test("openTenxMtx() refuses headers of other kinds, and counts that do not fit", async () => {
  await rejectsAt(
    { matrix: MTX.replace("%%MatrixMarket", "%MatrixMarket") },
    "line 1",
    /must begin with/,
  );
  await rejectsAt({ matrix: MTX.replace("real", "complex") }, "line 1", /got coordinate complex/);
  await rejectsAt({ matrix: MTX.replace("general", "symmetric") }, "line 1", /real symmetric/);
  await rejectsAt({ matrix: MTX.replace("coordinate", "array") }, "line 1", /got array/);
  await rejectsAt({ matrix: MTX.replace("3 4 5", "3 4") }, "line 3", /must be three numbers/);
  await rejectsAt({ matrix: MTX.replace("3 4 5", "3 4 -5") }, "line 3", /must be three numbers/);
  await rejectsAt({ matrix: MTX.split("\n")[0]! + "\n" }, "line 1", /its size is not there/);
  await rejectsAt({ matrix: MTX.replace("3 4 5", "3 4 6") }, "line 8", /promises 6 .*: got 5/);
  await rejectsAt({ matrix: MTX.replace("3 4 5", "3 4 4") }, "line 8", /promises 4 .* are more/);
  await rejectsAt({ matrix: MTX.replace("3 4 5", "3 4 999999999999") }, "line 8", /got 5/);
  await rejectsAt({ barcodes: "AAA-1\n" }, "/", /its 4 columns must have as many names: got 1/);
  await rejectsAt({ features: FEATURES + FEATURES }, "/", /its 3 rows .*: got 6/);
  await rejectsAt({ features: FEATURES.replace("\tLYZ", "") }, "line 2", /must have 3 fields/);
});

Deno.test("openTenxMtx() refuses options that are not known, and stops when told", async () => {
  const unknown = { gexOnly: true } as TenxMtxOptions;
  await assert.rejects(openTenxMtx(triple(), unknown), /the option "gexOnly" is not known/);
  await assert.rejects(openTenxMtx(triple(), { memory: 0 }), /memory must be a number of bytes/);
  using adata = await openTenxMtx(triple());
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(adata.X!.dense({ signal }), /enough/);
  assert.deepEqual(await valuesOf(adata.X!), CELLS_BY_GENES);
});

Deno.test("openTenxMtx() reads more entries than one block holds", async () => {
  const cells = 2000, genes = 300;
  const lines: string[] = [];
  const expected = new Float32Array(cells * genes);
  for (let cell = 0; cell < cells; cell++) {
    for (let k = 0; k < 250; k++) {
      const gene = (cell * 7 + k * 53) % genes;
      lines.push(`${gene + 1} ${cell + 1} ${k + 0.125}`);
      expected[cell * genes + gene]! += k + 0.125;
    }
  }
  const matrix = await gzipped(
    `%%MatrixMarket matrix coordinate real general\n${genes} ${cells} ${lines.length}\n${
      lines.join("\n")
    }\n`,
  );
  const names = (count: number) =>
    bytesOf(Array.from({ length: count }, (_, k) => `n${k}`).join("\n"));
  const source = { matrix, features: names(genes), barcodes: names(cells) };
  for (const memory of [2 ** 30, 2 ** 20]) {
    using adata = await openTenxMtx(source, { memory });
    assert.deepEqual(await adata.X!.dense(), expected);
  }
});
