import assert from "node:assert/strict";
import {
  AnnData,
  type AxisArray,
  concat,
  type ConcatOptions,
  csrMatrix,
  DataFrame,
  denseMatrix,
  isMatrix,
  type Matrix,
} from "../../data/mod.ts";
import { piecesOf } from "./fixtures.ts";
import {
  assertTable,
  frameOf,
  type Recorded,
  recorded,
  type RecordedTable,
} from "./frame/recorded.ts";

interface RecordedMatrix {
  readonly shape: readonly [number, number];
  readonly sparse: boolean;
  readonly values: readonly Recorded[];
}

type RecordedArray = RecordedMatrix | RecordedTable;

interface RecordedAnnData {
  readonly obs: RecordedTable;
  readonly var: RecordedTable;
  readonly X: RecordedMatrix;
  readonly layers: Record<string, RecordedMatrix>;
  readonly obsm: Record<string, RecordedArray>;
  readonly varm: Record<string, RecordedArray>;
  readonly varp: Record<string, RecordedMatrix>;
  readonly raw: { readonly X: RecordedMatrix; readonly var: string[] };
}

interface Fixture {
  readonly cases: readonly {
    readonly samples: Record<string, RecordedAnnData>;
    readonly made: readonly {
      readonly options: Record<string, string>;
      readonly result: RecordedAnnData;
    }[];
  }[];
}

const numbers = ({ values }: RecordedMatrix) =>
  values.map((value) => value === "NaN" ? NaN : Number(value));

function matrixFrom(recorded: RecordedMatrix): Matrix {
  const dense = Float32Array.from(numbers(recorded));
  if (!recorded.sparse) return denseMatrix(dense, recorded.shape);
  const [nRows, nCols] = recorded.shape;
  const indptr = Uint32Array.from(
    { length: nRows + 1 },
    (_, row) => dense.subarray(0, row * nCols).filter((x) => x !== 0).length,
  );
  const indices = Uint32Array.from(
    [...dense.keys()].filter((k) => dense[k] !== 0),
    (k) => k % nCols,
  );
  return csrMatrix({ shape: [nRows, nCols], indptr, indices, data: dense.filter((x) => x !== 0) });
}

const isRecordedMatrix = (value: RecordedArray): value is RecordedMatrix => "shape" in value;

function mapValues<T, U>(values: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

const arrayFrom = (value: RecordedArray): AxisArray =>
  isRecordedMatrix(value) ? matrixFrom(value) : frameOf(value);

function adataFrom(recorded: RecordedAnnData): AnnData {
  return AnnData.fromParts({
    obs: frameOf(recorded.obs),
    var: frameOf(recorded.var),
    X: matrixFrom(recorded.X),
    layers: mapValues(recorded.layers, matrixFrom),
    obsm: mapValues(recorded.obsm, arrayFrom),
    varm: mapValues(recorded.varm, arrayFrom),
    varp: mapValues(recorded.varp, matrixFrom),
    raw: {
      X: matrixFrom(recorded.raw.X),
      var: new DataFrame({ index: recorded.raw.var }),
      varm: AnnData.fromParts({ obs: frameOf(recorded.obs), var: frameOf(recorded.var) }).varm,
    },
  });
}

async function assertArray(value: AxisArray, expected: RecordedArray, where: string) {
  if (!isRecordedMatrix(expected)) {
    assert.ok(value instanceof DataFrame, where);
    return await assertTable(value, expected, { where });
  }
  assert.ok(isMatrix(value), where);
  assert.deepEqual(value.shape, expected.shape, where);
  assert.equal(value.format !== "dense", expected.sparse, where);
  assert.deepEqual([...await value.dense({ dtype: "float64" })], numbers(expected), where);
}

async function assertAnnData(adata: AnnData, expected: RecordedAnnData, where: string) {
  await assertTable(adata.obs, expected.obs, { where: `${where} obs` });
  await assertTable(adata.var, expected.var, { where: `${where} var` });
  await assertArray(adata.X!, expected.X, `${where} X`);
  for (const name of ["layers", "obsm", "varm", "varp"] as const) {
    assert.deepEqual(adata[name].keys(), Object.keys(expected[name]), `${where} ${name}`);
    for (const [key, value] of Object.entries(expected[name])) {
      await assertArray(await adata[name].need(key), value, `${where} ${name} ${key}`);
    }
  }
  await assertArray(adata.raw!.X, expected.raw.X, `${where} raw`);
  assert.deepEqual(adata.raw!.var.index, expected.raw.var, `${where} raw`);
}

const fixture = await recorded<Fixture>("anndata");

Deno.test("concat() gives what Python's anndata gives", async () => {
  for (const { samples, made } of fixture.cases) {
    for (const { options, result } of made) {
      const { index_unique, fill_value, ...rest } = options;
      const own = {
        ...rest,
        ...index_unique && { indexUnique: index_unique },
        ...fill_value && { fillValue: Number(fill_value) },
      } as ConcatOptions;
      const both = await concat(mapValues(samples, adataFrom), own);
      await assertAnnData(both, result, JSON.stringify(options));
    }
  }
});

Deno.test("concat() stacks rows in batches that cross from one object to the next", async () => {
  const { samples } = fixture.cases[0]!;
  const both = await concat(mapValues(samples, adataFrom), { join: "outer" });
  const whole = [...await both.X!.dense()];
  for (const batch of [1, 2, 3, 5, 8, 100]) {
    const pieces = await piecesOf(both.X!.rows({ batch, start: 1, end: 7 }));
    assert.deepEqual(pieces.slice(0, -1).map(({ nRows }) => nRows).filter((n) => n !== batch), []);
    const values = pieces.flatMap((piece) => {
      const rows = new Array<number>(piece.nRows * piece.nCols).fill(0);
      for (let row = 0; row < piece.nRows; row++) {
        for (let k = piece.indptr[row]!; k < piece.indptr[row + 1]!; k++) {
          rows[row * piece.nCols + piece.indices[k]!] = piece.data[k]!;
        }
      }
      return rows;
    });
    const nCols = both.nVars;
    assert.deepEqual(values, whole.slice(nCols, 7 * nCols), `batch ${batch}`);
    assert.equal(pieces[0]!.start, 1);
  }
  const view = both.select({ obs: [7, 0, 3], var: ["a1", "C"] });
  const picked = [7, 0, 3].flatMap((row) =>
    ["a1", "C"].map((gene) => whole[row * both.nVars + both.varNames.indexOf(gene)])
  );
  assert.deepEqual([...await view.X!.dense()], picked);
});

Deno.test("concat() completes a batch with as many rows of the next object as it lacks", async () => {
  const seen: unknown[] = [];
  const sample = (name: string, nRows: number) => {
    const X = denseMatrix(new Float32Array(nRows), [nRows, 1]);
    const rows: Matrix["rows"] = (options = {}) => {
      seen.push([name, options.start, options.end]);
      return X.rows(options);
    };
    const obs = new DataFrame({ index: Array.from({ length: nRows }, (_, row) => name + row) });
    return AnnData.fromParts({ obs, var: new DataFrame({ index: ["g"] }), X: { ...X, rows } });
  };
  const both = await concat([sample("a", 3), sample("b", 6)]);
  const pieces = await piecesOf(both.X!.rows({ batch: 2 }));
  assert.deepEqual(pieces.map(({ start, nRows }) => [start, nRows]), [
    ...[[0, 2], [2, 2], [4, 2], [6, 2], [8, 1]],
  ]);
  assert.deepEqual(seen, [["a", 0, 2], ["a", 2, 3], ["b", 0, 1], ["b", 1, 5], ["b", 5, 6]]);
});

Deno.test("concat() reads nothing but what it compares", async () => {
  const obs = new DataFrame({ index: ["c"] });
  const never = { ...denseMatrix(new Float32Array(1), [1, 1]), rows: () => assert.fail("read") };
  const adata = AnnData.fromParts({ obs, var: new DataFrame({ index: ["g"] }), X: never });
  assert.deepEqual((await concat([adata, adata], { merge: "same" })).X!.shape, [2, 1]);
});

Deno.test("concat() refuses what does not fit", async () => {
  const obs = new DataFrame({ index: ["c"] });
  const X = denseMatrix(new Float32Array(2), [1, 2]);
  const twice = AnnData.fromParts({ obs, var: new DataFrame({ index: ["g", "g"] }), X });
  const other = AnnData.fromParts({ obs, var: new DataFrame({ index: ["g", "h"] }) });
  await assert.rejects(concat([twice, other.with({ X })]), /unique names: got "g" twice/);
  await assert.rejects(concat([other.with({ X }), other]), /1 of 2 have none/);
  await assert.rejects(concat([]), /at least one object/);
  await assert.rejects(concat([other], { keys: ["a", "b"] }), /keys must be 1 different names/);
  await assert.rejects(concat({ a: other }, { keys: ["a"] }), /must have no keys beside/);
  await assert.rejects(concat([other], { join: "left" as never }), /join must be/);
  await assert.rejects(concat([other], { jion: "inner" } as never), TypeError);
  assert.equal((await concat([twice, twice])).nVars, 2);
});
