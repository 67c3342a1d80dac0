import assert from "node:assert/strict";
import {
  AnnData,
  type Column,
  DataFrame,
  denseMatrix,
  FormatError,
  type Matrix,
  MuData,
  type MuDataParts,
} from "../../data/mod.ts";
import { openH5mu, writeH5mu } from "../../data/h5ad/mod.ts";
import { openMuZarr, writeZarr } from "../../data/zarr/mod.ts";
import { TempFolder, valuesOf } from "./fixtures.ts";
import { python, runPython, SAME, withoutPython } from "./python.ts";
import { assertSame } from "./same.ts";

/** Path of the fixture that scripts/dev/make_omics_fixtures.py makes. */
const CITE = new URL("../fixtures/mudata/cite.h5mu", import.meta.url).pathname;

/** Cells of these names with one gene. */
function cells(index: readonly string[], gene = "g"): AnnData {
  return AnnData.fromParts({
    obs: new DataFrame({ index }).with("n", Float64Array.from(index, (_, row) => row)),
    var: new DataFrame({ index: [gene] }),
    X: denseMatrix(Float32Array.from(index, (_, row) => row), [index.length, 1]),
  });
}

/** The values of a column. */
async function column(frame: DataFrame, name: string): Promise<unknown[]> {
  return [...(await frame.column(name) as Column).values()];
}

/** Asserts that two MuData hold the same. */
async function assertSameMuData(actual: MuData, expected: MuData): Promise<void> {
  assert.deepEqual(Object.keys(actual.mod), Object.keys(expected.mod));
  assert.deepEqual([actual.obsmap, actual.varmap], [expected.obsmap, expected.varmap]);
  assert.equal(actual.axis, expected.axis);
  const joint = ({ obs, var: vars, obsm, varm, obsp, varp, uns }: MuData) =>
    AnnData.fromParts({ obs, var: vars, obsm, varm, obsp, varp, uns });
  await assertSame(joint(actual), joint(expected));
  for (const [name, adata] of Object.entries(actual.mod)) {
    await assertSame(adata, expected.mod[name]!);
  }
}

Deno.test("openH5mu() reads modalities and joint tables as mudata does", async () => {
  using mdata = await openH5mu(CITE);
  assert.deepEqual([mdata.nObs, mdata.nVars, mdata.axis], [5, 5, 0]);
  assert.deepEqual(mdata.obsNames, ["c1", "c2", "c3", "c4", "c5"]);
  assert.deepEqual(mdata.obs.columns(), [
    ...["n", "label", "ok", "share", "note"].map((name) => `rna:${name}`),
    ...["n", "label", "ok", "share", "note"].map((name) => `prot:${name}`),
    "joint",
  ]);
  assert.deepEqual(await column(mdata.obs, "prot:n"), [2, null, 0, null, 1]);
  assert.deepEqual((await mdata.obs.column("prot:n", "numeric")).dtype, "int64");
  const label = await mdata.obs.column("prot:label", "categorical");
  assert.deepEqual([...label.codes], [0, -1, 0, -1, 1]);
  assert.deepEqual(await column(mdata.obs, "rna:ok"), [true, false, true, false, null]);
  assert.deepEqual(await column(mdata.obs, "rna:share"), [0, 0.25, 0.5, 0.75, NaN]);
  assert.deepEqual(await column(mdata.obs, "rna:note"), [
    ...["rna 0", "rna 1", "rna 2", "rna 3"],
    null,
  ]);
  assert.deepEqual(await column(mdata.obs, "joint"), [0, 1, 2, 3, 4]);
  assert.deepEqual(mdata.var.columns(), ["rna:symbol", "feature", "weight"]);
  assert.deepEqual(await column(mdata.var, "weight"), [0, 1.5, 3, 0, 1.5]);
  assert.deepEqual([...mdata.obsmap.prot!], [3, 0, 1, 0, 2]);
  assert.deepEqual(await valuesOf(mdata.mod.prot!.X!), [0, 1, 2, 0, 1, 2]);
});

Deno.test("MuData.select() keeps the modalities aligned", async () => {
  using mdata = await openH5mu(CITE);
  const view = mdata.select({ obs: [4, 2, 0], var: [4, 0] });
  assert.deepEqual(view.obsNames, ["c5", "c3", "c1"]);
  assert.deepEqual(view.mod.rna!.obsNames, ["c3", "c1"]);
  assert.deepEqual(view.mod.prot!.obsNames, ["c5", "c3", "c1"]);
  assert.deepEqual([view.mod.rna!.varNames, view.mod.prot!.varNames], [["g1"], ["p2"]]);
  assert.deepEqual([...view.obsmap.rna!], [0, 1, 2]);
  assert.deepEqual(await valuesOf(view.mod.prot!.X!), [0, 1, 2]);
  assert.deepEqual(await column(view.obs, "rna:n"), [null, 2, 0]);
  const joint = await view.obsm.need("X_joint") as Matrix;
  assert.deepEqual(await valuesOf(joint), [8, 9, 4, 5, 0, 1]);
  assert.deepEqual(await valuesOf(await view.obsp.need("near")), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  const again = view.select({ obs: [2] });
  assert.deepEqual([again.mod.rna!.obsNames, again.mod.prot!.obsNames], [["c1"], ["c1"]]);
  assert.throws(() => mdata.select({ obs: [5] }), /in 0 .. 4: got 5/);
});

Deno.test("MuData.fromParts() joins what the axis says is shared", async () => {
  const mod = { a: cells(["x", "y"], "g"), b: cells(["z", "y"], "g") };
  const byCells = MuData.fromParts({ mod });
  assert.deepEqual([byCells.obsNames, byCells.varNames], [["x", "y", "z"], ["g", "g"]]);
  assert.deepEqual(byCells.varmap, { a: Uint32Array.of(1, 0), b: Uint32Array.of(0, 1) });
  const byGenes = MuData.fromParts({ mod, axis: 1 });
  assert.deepEqual([byGenes.obsNames, byGenes.varNames], [["x", "y", "z", "y"], ["g"]]);
  assert.deepEqual([...byGenes.obsmap.b!], [0, 0, 1, 2]);
  const both = MuData.fromParts({ mod, axis: -1 });
  assert.deepEqual([both.nObs, both.nVars], [3, 1]);
  assert.deepEqual(await column(both.obs, "b:n"), [NaN, 1, 0]);
});

Deno.test("MuData.fromParts() refuses parts that do not fit", () => {
  const refuse = (parts: MuDataParts, message: RegExp) =>
    assert.throws(() => MuData.fromParts(parts), message);
  refuse({ mod: {} }, /there must be modalities/);
  refuse({ mod: { "a:b": cells(["x"]) } }, /got "a:b"/);
  refuse({ mod: { a: cells(["x", "x"]) } }, /must not repeat within a modality: "x" does in a/);
  refuse({ mod: { a: cells(["x"]) }, axis: 2 as never }, /axis must be 0, 1 or -1: got 2/);
  refuse({ mod: { a: cells(["x"]) }, obsmap: {} }, /obsmap a must have 1 places: got none/);
  refuse(
    { mod: { a: cells(["x"]) }, obsmap: { a: Uint32Array.of(2) } },
    /places in 0 .. 1: got 2 in row 0/,
  );
});

Deno.test("writeH5mu() and writeZarr() write what openH5mu() and openMuZarr() read", async () => {
  using folder = new TempFolder();
  using mdata = await openH5mu(CITE);
  const view = mdata.select({ obs: [2, 0, 4], var: [0, 1, 3] });
  for (const [name, expected] of [["whole", mdata], ["view", view]] as const) {
    const path = folder.file(`${name}.h5mu`);
    assert.deepEqual(await writeH5mu(expected, path, { compression: "gzip" }), { notCarried: [] });
    using h5mu = await openH5mu(path);
    await assertSameMuData(h5mu, expected);
    using bytes = await openH5mu(await Deno.readFile(path));
    await assertSameMuData(bytes, expected);
    for (const format of [2, 3] as const) {
      const store = new Map<string, Uint8Array>();
      assert.deepEqual(await writeZarr(expected, store, { format }), { notCarried: [] });
      using zarr = await openMuZarr(store);
      await assertSameMuData(zarr, expected);
    }
  }
  await assert.rejects(writeH5mu(mdata, folder.file("view.h5mu")), Deno.errors.AlreadyExists);
  const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  assert.deepEqual(left, ["view.h5mu", "whole.h5mu"]);
});

Deno.test("openH5mu() refuses other files, and maps that do not fit", async () => {
  const h5ad = new URL("../fixtures/h5ad/columns.h5ad", import.meta.url);
  await assert.rejects(openH5mu(h5ad), (error: unknown) => {
    return error instanceof FormatError && error.kind === "missing-key" && error.key === "mod";
  });
  using mdata = await openH5mu(CITE);
  const store = new Map<string, Uint8Array>();
  await writeZarr(mdata, store, { compression: "none" });
  store.get("obsmap/prot/0")![0] = 9;
  await assert.rejects(openMuZarr(store), (error: unknown) => {
    assert.ok(error instanceof FormatError && error.key === "obsmap/prot", String(error));
    return /places in 0 .. 3: got 9 in row 0/.test(error.message);
  });
});

Deno.test({
  name: "Python's mudata finds what writeH5mu() and writeZarr() wrote equal",
  ignore: withoutPython(python),
  async fn() {
    using folder = new TempFolder();
    using mdata = await openH5mu(CITE);
    await writeH5mu(mdata, folder.file("a.h5mu"));
    await writeZarr(mdata, folder.file("a.zarr"));
    await writeH5mu(mdata.select({ obs: [2, 0], var: [4, 1] }), folder.file("view.h5mu"));
    const script = `${SAME}
try:
    import mudata as md
except ImportError:
    sys.exit(0)
expected = md.read_h5mu(sys.argv[1])
def same_mu(actual, expected):
    for part in ["obs", "var", "obsm", "varm", "obsp", "varp", "obsmap", "varmap", "uns"]:
        same(getattr(actual, part), getattr(expected, part), part)
    assert list(actual.mod) == list(expected.mod)
    for name in expected.mod:
        same(actual.mod[name], expected.mod[name])
with open(sys.argv[2], "rb") as file:
    assert file.read(6) == b"MuData"
same_mu(md.read_h5mu(sys.argv[2]), expected)
same_mu(md.read_zarr(sys.argv[3]), expected)
view = md.read_h5mu(sys.argv[4])
part = expected[["c3", "c1"], ["p2", "g2"]].copy()
for name in part.mod:
    same(view.mod[name].X, part.mod[name].X)
    assert list(view.mod[name].obs_names) == list(part.mod[name].obs_names)
same(dict(view.obsm), dict(part.obsm))
`;
    await runPython(script, [
      CITE,
      ...["a.h5mu", "a.zarr", "view.h5mu"].map((n) => folder.file(n)),
    ]);
  },
});
