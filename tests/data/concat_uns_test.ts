import assert from "node:assert/strict";
import {
  AnnData,
  concat,
  type ConcatOptions,
  DataFrame,
  denseMatrix,
  FormatError,
  LazyMap,
  type Matrix,
  type MergeStrategy,
  type UnsDict,
  type UnsValue,
} from "../../data/mod.ts";
import { openH5ad, writeH5ad } from "../../data/h5ad/mod.ts";
import { isDict, isRecords } from "../../data/uns.ts";
import { openFixture, piecesOf, TempFolder } from "./fixtures.ts";
import { python, runPython, SAME, withoutPython } from "./python.ts";
import { type Recorded, recorded } from "./frame/recorded.ts";
import {
  dictFrom,
  type RecordedDict,
  type RecordedValue,
  sparseFrom,
  valueFrom,
} from "./recorded_values.ts";

interface RecordedPairs {
  readonly shape: readonly [number, number];
  readonly sparse: boolean;
  readonly dtype: string;
  readonly values: readonly Recorded[];
}

type Leaf = readonly [path: readonly string[], value: string];

interface Fixture {
  readonly values: readonly RecordedValue[];
  readonly pairs: {
    readonly equal: readonly (readonly [number, number])[];
    readonly refused: readonly (readonly [number, number])[];
  };
  readonly merged: {
    readonly samples: readonly RecordedDict[];
    readonly results: readonly {
      readonly samples: readonly number[];
      readonly strategy: MergeStrategy | null;
      readonly leaves: readonly Leaf[];
    }[];
  };
  readonly pairwise: {
    readonly samples: Record<string, Record<string, RecordedPairs>>;
    readonly results: readonly {
      readonly join: "inner" | "outer";
      readonly obsp: Record<string, RecordedPairs>;
    }[];
  };
}

const fixture = await recorded<Fixture>("concat");

/** Cells without genes. */
function cells(count: number, parts: { obsp?: Record<string, Matrix>; uns?: UnsDict } = {}) {
  const index = Array.from({ length: count }, (_, row) => `c${row}`);
  return AnnData.fromParts({
    obs: new DataFrame({ index }),
    var: new DataFrame({ index: ["g"] }),
    ...parts,
  });
}

/** Paths of what a dictionary holds, with the values as they are recorded. */
function leavesOf(dict: UnsDict): [string[], unknown][] {
  return Object.entries(dict).flatMap(([name, value]): [string[], unknown][] => {
    if (isDict(value)) {
      const inner = leavesOf(value);
      return inner.length === 0
        ? [[[name], {}]]
        : inner.map(([path, leaf]) => [[name, ...path], leaf]);
    }
    return [[[name], ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value]];
  });
}

async function dictOf(map: LazyMap<UnsValue>): Promise<UnsDict> {
  const entries = map.keys().map(async (name) => [name, await map.need(name)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

Deno.test("concat() merges uns as Python's anndata does", async () => {
  for (const { samples, strategy, leaves } of fixture.merged.results) {
    const adatas = samples.map((k) => cells(1, { uns: dictFrom(fixture.merged.samples[k]!.dict) }));
    const { uns } = await concat(adatas, { unsMerge: strategy });
    const expected = leaves.map(([path, text]) => [path, JSON.parse(text)]);
    assert.deepEqual(leavesOf(await dictOf(uns)), expected, `${samples} ${strategy}`);
  }
});

Deno.test("concat() takes those values of uns for equal that Python's anndata does", async () => {
  const { values, pairs: { equal, refused } } = fixture;
  const all = values.flatMap((_, i) => values.map((_, j) => [i, j] as const));
  const skipped = new Set(refused.map(String));
  // anndata takes a later array for equal to a table of one column; a table is no array here.
  const compared = all.filter(([i, j]) =>
    !skipped.has(`${i},${j}`) && !("columns" in values[i]! && "array" in values[j]!)
  );
  const side = (pick: 0 | 1) =>
    cells(1, {
      uns: Object.fromEntries(compared.map((pair) => [`${pair}`, valueFrom(values[pair[pick]]!)])),
    });
  const { uns } = await concat([side(0), side(1)], { unsMerge: "same" });
  const kept = new Set(uns.keys());
  const expected = new Set(equal.map(String));
  const wrong = compared.filter((pair) => kept.has(`${pair}`) !== expected.has(`${pair}`));
  assert.deepEqual(wrong.map(([i, j]) => JSON.stringify([values[i], values[j]])), []);
  assert.ok(kept.size > values.length);
});

Deno.test("concat() merges what files hold, and writes it as it stood there", async () => {
  using folder = new TempFolder();
  using one = await openFixture("columns");
  using two = await openFixture("columns");
  const both = [one, two];
  const options: ConcatOptions = { unsMerge: "same", indexUnique: "-" };
  const merged = await concat(both, options);
  assert.deepEqual(merged.uns.keys(), one.uns.keys());
  assert.ok(isRecords(await merged.uns.need("groups")));
  await writeH5ad(merged, folder.file("both.h5ad"));
  using read = await openH5ad(folder.file("both.h5ad"));
  assert.ok(isRecords(await read.uns.need("groups")));
  assert.deepEqual(await read.uns.need("neighbors"), await one.uns.need("neighbors"));
});

Deno.test("concat() says which value of uns cannot be read", async () => {
  using odd = await openFixture("odd");
  await assert.rejects(concat([odd], { unsMerge: "first" }), (error) => {
    assert.ok(error instanceof FormatError);
    return error.key === "uns/future";
  });
  assert.equal((await concat([odd])).uns.size, 0);
});

Deno.test("concat() reads of uns what its strategy looks at", async () => {
  const unread = { load: () => assert.fail("read") };
  const of = (names: readonly string[]) =>
    cells(1).with({
      uns: new LazyMap<UnsValue>("uns", [
        ...names.map((name) => [name, unread] as const),
        ["shared", { load: () => Promise.resolve(1) }],
      ]),
    });
  const adatas = [of(["a"]), of(["b"])];
  assert.equal((await concat(adatas)).uns.size, 0);
  assert.deepEqual((await concat(adatas, { unsMerge: "same" })).uns.keys(), ["shared"]);
});

Deno.test("concat() puts obsp along the diagonal as Python's anndata does", async () => {
  const { samples, results } = fixture.pairwise;
  const matrixFrom = ({ values, sparse, ...rest }: RecordedPairs) => {
    const matrix = sparseFrom({ ...rest, sparse: values, format: "csr" });
    return sparse ? matrix : { ...matrix, format: "dense" as const };
  };
  const adatas = Object.values(samples).map((obsp) => {
    const matrices = Object.entries(obsp).map(([name, one]) => [name, matrixFrom(one)] as const);
    return cells(matrices[0]![1].shape[0], { obsp: Object.fromEntries(matrices) });
  });
  for (const { join, obsp } of results) {
    const both = await concat(adatas, { join, pairwise: true });
    assert.deepEqual(both.obsp.keys(), Object.keys(obsp), join);
    for (const [name, { shape, dtype, values }] of Object.entries(obsp)) {
      const matrix = await both.obsp.need(name);
      assert.deepEqual([matrix.shape, matrix.format, matrix.dtype], [shape, "csr", dtype], name);
      const expected = values.map(Number);
      assert.deepEqual([...await matrix.dense({ dtype: "float64" })], expected, name);
      for (const batch of [1, 2, 4]) {
        const pieces = await piecesOf(matrix.rows({ batch, start: 1, end: 8 }));
        const stored = pieces.flatMap(({ data }) => [...data]);
        assert.deepEqual(stored, expected.slice(9, 72).filter((x) => x !== 0), `${name} ${batch}`);
      }
    }
    const some = both.select({ obs: [8, 0, 4] });
    assert.deepEqual((await some.obsp.need("shared")).shape, [3, 3]);
  }
  assert.equal((await concat(adatas)).obsp.size, 0);
});

Deno.test("concat() reads no block of obsp before its rows are asked for", async () => {
  const rows = () => assert.fail("read");
  const near = { ...denseMatrix(new Float32Array(1), [1, 1]), rows };
  const both = await concat([cells(1, { obsp: { near } }), cells(2)], {
    join: "outer",
    pairwise: true,
  });
  const matrix = await both.obsp.need("near");
  assert.deepEqual(matrix.shape, [3, 3]);
  assert.deepEqual(await matrix.dense({ start: 1 }), new Float32Array(6));
  await assert.rejects(matrix.dense(), /read/);
});

Deno.test("concat() compares dense varm by type, sparse varp by values", async () => {
  const sample = (dense: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>, dtype: string) =>
    cells(1).with({
      varm: { PCs: denseMatrix(dense, [1, 2]) },
      varp: { links: sparseFrom({ sparse: [1], dtype, shape: [1, 1], format: "csr" }) },
    });
  const kept = async (...adatas: AnnData[]) => {
    const { varm, varp } = await concat(adatas, { merge: "same" });
    return [varm.size, varp.size];
  };
  const [single, double] = [Float32Array.of(1, NaN), Float64Array.of(1, NaN)];
  assert.deepEqual(await kept(sample(single, "float32"), sample(single, "float64")), [1, 1]);
  assert.deepEqual(await kept(sample(single, "float32"), sample(double, "float32")), [0, 1]);
});

Deno.test("concat() refuses strategies, truth values and obsp that do not fit", async () => {
  const adata = cells(2, { obsp: { near: denseMatrix(new Float32Array(2), [1, 2]) } });
  await assert.rejects(concat([adata], { unsMerge: "last" as never }), {
    name: "RangeError",
    message:
      'Cannot concatenate as unsMerge must be "same", "unique", "first", "only" or null: got "last"',
  });
  await assert.rejects(concat([adata], { pairwise: "yes" as never }), {
    name: "TypeError",
    message: 'Cannot concatenate as pairwise must be true or false: got "yes"',
  });
  await assert.rejects(concat([adata], { uns_merge: "same" } as never), TypeError);
  const both = await concat([adata], { pairwise: true });
  await assert.rejects(both.obsp.need("near"), {
    name: "RangeError",
    message: "Cannot concatenate obsp near as it must be 2 x 2: got 1 x 2",
  });
});

/** Python: writes three samples as scanpy leaves them. */
const SAMPLES = `
import sys, warnings
warnings.simplefilter("ignore")
import anndata as ad, numpy as np, pandas as pd, scipy.sparse as sp

for k, cells in enumerate([5, 7, 3]):
    near = lambda dtype: sp.random(cells, cells, 0.4, format="csr", dtype=dtype, random_state=k)
    adata = ad.AnnData(near("float32")[:, :3], obs=pd.DataFrame(index=[f"s{k}c{row}" for row in range(cells)]))
    adata.obsp["connectivities"] = near("float32")
    adata.obsp["distances"] = near("float64").toarray() if k == 1 else near("float64").tocsc()
    if k == 2:
        adata.obsp["own"] = near("float32")
    adata.uns["neighbors"] = {"params": {"n_neighbors": 15 + k, "method": "umap"}, "distances_key": "distances"}
    names = np.rec.fromarrays([np.array(["g1", "g2"]), np.array(["g3", "g4"])], names=["T", "B" if k < 2 else "NK"])
    adata.uns["rank_genes_groups"] = {"names": names, "params": {"groupby": "leiden", "n": np.int64(k)}}
    adata.uns["pca"] = {"variance": np.array([1.0, 2.0]), "params": {"zero_center": True}}
    adata.uns["colors"] = np.array(["#fff", "#000"], dtype=object)
    adata.uns["log1p"] = {"base": None}
    adata.uns["table"] = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1, 2]}, index=["p", "q"])
    adata.uns[f"own{k}"] = np.arange(3)
    adata.write_h5ad(f"{sys.argv[1]}/s{k}.h5ad")
`;

Deno.test({
  name: "concat() gives of files what Python's anndata gives of them",
  ignore: withoutPython(python),
  fn: async () => {
    using folder = new TempFolder();
    await runPython(SAMPLES, [folder.path]);
    const cases = (["same", "unique", "first", "only"] as const).flatMap((unsMerge) =>
      (["inner", "outer"] as const).map((join) => ({ unsMerge, join }))
    );
    for (const { unsMerge, join } of cases) {
      using a = await openH5ad(folder.file("s0.h5ad"));
      using b = await openH5ad(folder.file("s1.h5ad"));
      using c = await openH5ad(folder.file("s2.h5ad"));
      const all = await concat([a, b, c], { unsMerge, join, pairwise: true });
      await writeH5ad(all, folder.file(`${unsMerge}_${join}.h5ad`));
    }
    const compare = `${SAME}
samples = [ad.read_h5ad(f"{sys.argv[1]}/s{k}.h5ad") for k in range(3)]
for name in sys.argv[2:]:
    strategy, join = name.split("_")
    expected = ad.concat(samples, join=join, uns_merge=strategy, pairwise=True)
    same(ad.read_h5ad(f"{sys.argv[1]}/{name}.h5ad"), expected)
`;
    const names = cases.map(({ unsMerge, join }) => `${unsMerge}_${join}`);
    await runPython(compare, [folder.path, ...names]);
  },
});
