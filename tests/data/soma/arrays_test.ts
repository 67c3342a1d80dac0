import assert from "node:assert/strict";
import {
  FormatError,
  openSoma,
  type SomaDataFrame,
  type SomaSparseNDArray,
} from "../../../data/soma/mod.ts";
import { datatypeOf } from "../../../data/soma/datatype.ts";
import { unfilter } from "../../../data/soma/filters/unfilter.ts";
import { plainColumn } from "./plain.ts";
import {
  assertTable,
  below,
  type ExpectedTable,
  fixtureArrays,
  fixturePath,
  readJson,
} from "./stores.ts";

const arrays = await fixtureArrays();
const answers = await readJson<Record<string, ExpectedTable>>("arrays.json");

/** Opens an array of the archive. */
function open(name: string, timestamp?: number) {
  return openSoma(below(arrays, name), { ...timestamp !== undefined && { timestamp } });
}

const filters = answers.filters as unknown as Record<string, string | unknown[]>;

for (const name of Object.keys(filters)) {
  Deno.test(`readAll() undoes the filters of ${name}`, async () => {
    const array = await open("filters") as SomaDataFrame;
    const column = (await array.readAll({ columns: [name], int64: "bigint" })).column(name);
    const values = filters[name]!;
    const wanted = typeof values === "string" ? filters[values] as unknown[] : values;
    const ours = plainColumn(column).map((value) =>
      value instanceof Uint8Array
        ? [...value]
        : typeof value !== "bigint"
        ? value
        : Number.isSafeInteger(Number(value))
        ? Number(value)
        : String(value)
    );
    assert.deepEqual(ours, wanted);
  });
}

Deno.test("unfilter() refuses a filter that it does not have by name", () => {
  const place = { file: "a/__fragments/x/a0.tdb", key: "a" };
  const context = { type: datatypeOf(0, place), cellSize: 4, version: 22 };
  const chunk = { notes: new Uint8Array(8), data: new Uint8Array(4) };
  for (const name of ["webp", "aes_256_gcm", "filter 77"] as const) {
    const unpack = () => unfilter(chunk, { ...context, filters: [{ name }] }, { length: 4, place });
    assert.throws(unpack, (error) => {
      assert.ok(error instanceof FormatError && error.kind === "missing-filter");
      assert.match(error.message, new RegExp(`filter ${name} is not supported .*a0\\.tdb`));
      return true;
    });
  }
});

Deno.test("unfilter() leaves no promise behind where a later part is cut off, or a later filter unknown", async () => {
  const place = { file: "a/__fragments/x/a0.tdb", key: "a" };
  const context = { type: datatypeOf(0, place), cellSize: 4, version: 22 };
  const notes = new Uint8Array(Uint32Array.of(0, 2, 8, 4, 8, 100).buffer);
  const chunk = { notes, data: new Uint8Array(4) };
  for (const names of [["gzip"], ["webp", "gzip"]] as const) {
    const filters = names.map((name) => ({ name }));
    assert.throws(
      () => unfilter(chunk, { ...context, filters }, { length: 16, place }),
      FormatError,
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 0)); // a promise that nobody awaits would fail here
});

Deno.test("readAll() gives integers beyond 2^53 as bigint, and never rounded", async () => {
  const array = await open("filters") as SomaDataFrame;
  await assert.rejects(
    array.readAll({ columns: ["delta"] }),
    /within 2\^53: got -?\d{16,}; ask for bigint/,
  );
  const column = (await array.readAll({ columns: ["double_delta"] })).column(
    "double_delta",
    "numeric",
  );
  assert.ok(column.data instanceof Float64Array && column.type === "int64");
});

for (const name of ["dense_rr", "dense_cr", "dense_rc", "dense_3d"]) {
  Deno.test(`read() reads ${name} and boxes of it`, async () => {
    const array = await open(name);
    assert.ok(array.type === "SOMADenseNDArray");
    const answer = (answers[name] as unknown as number[]).flat(3) as number[];
    const whole = await array.read();
    assert.deepEqual([whole.shape, [...whole.data]], [array.shape, answer]);
    const box = [{ min: 1, max: 4 }, { min: 2, max: 3 }, 5].slice(0, array.shape.length);
    const part = await array.read({ coords: box });
    const [, width, depth = 1] = array.shape;
    const picked: number[] = [];
    for (let i = 1; i <= 4; i++) {
      for (let j = 2; j <= 3; j++) {
        picked.push(answer[(i * width! + j) * depth + (depth > 1 ? 5 : 0)]!);
      }
    }
    assert.deepEqual([...part.data], picked);
    await assert.rejects(
      array.read({ coords: [array.shape[0]!] }),
      /0 <= min <= max < \d+ must hold on axis 0/,
    );
  });
}

for (const name of ["updates", "updates_consolidated", "updates_vacuumed"]) {
  for (const time of [10, 25, 30, 40]) {
    Deno.test(`readAll() reads ${name} as it was at ${time}`, async () => {
      const array = await open(name, time) as SomaSparseNDArray;
      assertTable(await array.readAll(), answers[`updates@${time}`]!, ["soma_dim_0", "soma_dim_1"]);
    });
  }
}

for (const time of [12, 22, 35, 50]) {
  Deno.test(`readAll() leaves out what was deleted by ${time}`, async () => {
    const array = await open("deletes", time) as SomaDataFrame;
    assertTable(await array.readAll(), answers[`deletes@${time}`]!, ["soma_joinid"]);
  });
}

Deno.test("openSoma() reads an experiment by SOMA's names", async () => {
  const answer = await readJson<
    { obs: ExpectedTable; var: ExpectedTable; X: number[][]; X_pca: number[][] }
  >("census.json");
  const experiment = await openSoma(fixturePath("census/census_data/homo_sapiens"), {
    type: "SOMAExperiment",
  });
  assert.equal(experiment.metadata.get("title"), "forty cells");
  const obs = await experiment.obs();
  assert.equal(obs.count, 40);
  assertTable(await obs.readAll(), answer.obs, ["soma_joinid"]);
  const rna = await experiment.ms("RNA");
  assertTable(await (await rna.var()).readAll(), answer.var, ["soma_joinid"]);
  const X = await rna.X("raw");
  assert.deepEqual([X.shape, X.nnz], [
    [40, 30],
    answer.X.flat().filter((value) => value > 0).length,
  ]);
  const cells = await X.readAll({ coords: [[3, 17], { min: 5 }] });
  const found = Array.from(
    { length: cells.length },
    (_, i) => ["soma_dim_0", "soma_dim_1", "soma_data"].map((name) => cells.at(name, i)),
  );
  const wanted = [3, 17].flatMap((row) =>
    answer.X[row]!.flatMap((value, column) =>
      value > 0 && column >= 5 ? [[row, column, value]] : []
    )
  );
  assert.deepEqual(found.sort(), wanted.sort());
  const pca = await experiment.open("ms/RNA/obsm/X_pca", "SOMADenseNDArray");
  assert.deepEqual([...(await pca.read()).data], answer.X_pca.flat());
});
