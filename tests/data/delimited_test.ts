import assert from "node:assert/strict";
import { FormatError } from "../../data/mod.ts";
import { type DelimitedOptions, openDelimited } from "../../data/text/mod.ts";
import { writeH5ad } from "../../data/h5ad/mod.ts";
import { TempFolder, valuesOf } from "./fixtures.ts";
import { python, runPython, SAME, withoutPython } from "./python.ts";
import { bytesOf, gzipped } from "./text_files.ts";

const TABLE = "cell,CD3D,LYZ,NKG7\nc1,0,2.5,0\nc2,0,0,-1e-3\n";

/** Checks that opening a table fails with a FormatError at a place. */
async function rejectsAt(text: string, key: string, message: RegExp, options?: DelimitedOptions) {
  await assert.rejects(openDelimited(bytesOf(text), options), (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.equal(error.key, key, error.message);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("openDelimited() reads tables with any delimiter, line end, mark and compression", async () => {
  const crlf = `\ufeff${TABLE.replaceAll("\n", "\r\n")}\r\n`;
  const quoted = TABLE.replace("c1", '"c1"').replace("LYZ", '"LYZ"').replace("2.5", '"2.5"');
  const texts = [TABLE, crlf, TABLE.trimEnd(), quoted];
  const delimiters = ["\t", ";", " "].map((one) => TABLE.replaceAll(",", one));
  const sources = [...[...texts, ...delimiters].map(bytesOf), await gzipped(TABLE)];
  for (const source of sources) {
    const adata = await openDelimited(source);
    assert.deepEqual(adata.obsNames, ["c1", "c2"]);
    assert.deepEqual(adata.varNames, ["CD3D", "LYZ", "NKG7"]);
    assert.equal(adata.X!.format, "csr");
    assert.deepEqual(await valuesOf(adata.X!), [0, 2.5, 0, 0, 0, Math.fround(-0.001)]);
  }
});

Deno.test("openDelimited() reads genes x cells, dense where most values are not zero", async () => {
  const sparse = await openDelimited(bytesOf(TABLE), { transpose: true });
  assert.deepEqual(sparse.obsNames, ["CD3D", "LYZ", "NKG7"]);
  assert.deepEqual(await valuesOf(sparse.X!), [0, 0, 2.5, 0, 0, Math.fround(-0.001)]);
  for (const transpose of [false, true]) {
    const dense = await openDelimited(bytesOf("x\ta\tb\nc1\t1\t2\nc2\t3\t0\nc3\t4\t5\n"), {
      transpose,
    });
    assert.equal(dense.X!.format, "dense");
    assert.deepEqual(
      await valuesOf(dense.X!),
      transpose ? [1, 3, 4, 2, 0, 5] : [1, 2, 3, 0, 4, 5],
    );
  }
});

Deno.test("openDelimited() finds names where R, a column or nobody put them", async () => {
  const r = await openDelimited(bytesOf("CD3D LYZ\nc1 1 0\nc2 0 0\n"));
  assert.deepEqual([r.varNames, r.obsNames], [["CD3D", "LYZ"], ["c1", "c2"]]);
  const named = await openDelimited(bytesOf("CD3D,id,LYZ\n1,c1,0\n"), { obsNames: "id" });
  assert.deepEqual([named.varNames, named.obsNames], [["CD3D", "LYZ"], ["c1"]]);
  assert.deepEqual(await valuesOf(named.X!), [1, 0]);
  const bare = await openDelimited(bytesOf("CD3D,LYZ\n1,0\n0,7\n"), { obsNames: false });
  assert.deepEqual([bare.varNames, bare.obsNames], [["CD3D", "LYZ"], ["0", "1"]]);
  await assert.rejects(
    openDelimited(bytesOf(TABLE), { obsNames: "cells" }),
    /no column "cells" for obsNames: the columns are cell, CD3D/,
  );
});

Deno.test("openDelimited() keeps every digit in float64, and refuses integers that float32 does not hold", async () => {
  const text = "cell,a\nc1,0.1234567890123456789\n";
  const wide = await openDelimited(bytesOf(text), { dtype: "float64" });
  assert.deepEqual(await valuesOf(wide.X!), [0.1234567890123456789]);
  const narrow = await openDelimited(bytesOf(text));
  assert.deepEqual(await valuesOf(narrow.X!), [Math.fround(0.1234567890123456789)]);
  await rejectsAt("cell,a\nc1,16777217\n", "line 2, column 2", /float32 holds .* got "16777217"/);
});

Deno.test("openDelimited() names line and column of what breaks a rule", async () => {
  const bad: [string, string, RegExp][] = [
    [TABLE.replace("2.5", "B cell"), "line 2, column 3", /a finite number: got "B cell"/],
    [TABLE.replace("2.5", ""), "line 2, column 3", /a finite number: got ""/],
    [TABLE.replace("2.5", "NaN"), "line 2, column 3", /a finite number: got "NaN"/],
    [TABLE.replace("2.5", "NA"), "line 2, column 3", /a finite number: got "NA"/],
    [TABLE.replace("2.5", '"x"'), "line 2, column 3", /a finite number: got "x"/],
    [TABLE.replace("-1e-3", "7,8"), "line 3, column 5", /must have 4 fields: got "more"/],
    [TABLE.replace(",-1e-3", ""), "line 3, column 4", /a finite number: got "no field"/],
    [TABLE.replace("c2", '"c2'), "line 3, column 1", /quotes must end in its line/],
    ["1,2\n3,4\n", "line 1, column 2", /the first line must hold the names of the columns/],
    ["a,b\n", "/", /got 0 lines/],
    ["", "/", /got 0 lines and 0 columns/],
  ];
  for (const [text, key, message] of bad) await rejectsAt(text, key, message);
  const unknown = { sep: "," } as DelimitedOptions;
  await assert.rejects(openDelimited(bytesOf(TABLE), unknown), /the option "sep" is not known/);
  const wrong = { delimiter: "|" } as unknown as DelimitedOptions;
  await assert.rejects(openDelimited(bytesOf(TABLE), wrong), /delimiter must be one of/);
});

Deno.test("openDelimited() says where gzip ends early", async () => {
  const whole = await gzipped(TABLE + "c3,1,2,3\n".repeat(9));
  await assert.rejects(openDelimited(whole.slice(0, -12)), (error: unknown) => {
    return error instanceof FormatError && error.kind === "truncated" &&
      /^byte \d+/.test(error.key);
  });
});

Deno.test({
  name: "openDelimited() reads what Python's anndata reads",
  ignore: withoutPython(python),
  async fn() {
    using folder = new TempFolder();
    for (const [name, delimiter] of [["csv", ","], ["tsv", "\t"]] as const) {
      const table = folder.file(`a.${name}`);
      await Deno.writeTextFile(table, TABLE.replaceAll(",", delimiter));
      const adata = await openDelimited(table);
      await writeH5ad(adata, folder.file("a.h5ad"), { force: true });
      await runPython(
        `${SAME}
expected = ad.io.read_csv(sys.argv[1], delimiter=sys.argv[3])
actual = ad.read_h5ad(sys.argv[2])
same(actual.X.toarray(), expected.X)
assert list(actual.obs_names) == list(expected.obs_names)
assert list(actual.var_names) == list(expected.var_names)
`,
        [table, folder.file("a.h5ad"), delimiter],
      );
    }
  },
});
