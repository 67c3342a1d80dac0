import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Coordinates,
  FormatError,
  memoryStore,
  openSoma,
  type SomaDataFrame,
  type SomaSparseNDArray,
  type SomaTable,
  type Store,
} from "../../../data/soma/mod.ts";
import { abortable } from "../../../data/soma/sparse_query.ts";
import { plainColumn } from "./plain.ts";
import { below, fixtureArrays, fixturePath } from "./stores.ts";

const arrays = await fixtureArrays();

/** Rows of a table as texts, in order. */
function rowsOf(table: SomaTable): string[] {
  const columns = table.columns().map((name) => plainColumn(table.column(name)));
  return Array.from(
    { length: table.length },
    (_, row) => JSON.stringify(columns.map((column) => column[row])),
  ).sort();
}

/** Whether a coordinate is among those that are asked for. */
function isWanted(value: number, wanted: Coordinates | undefined): boolean {
  if (wanted === undefined) return true;
  if (typeof wanted !== "object") return value === Number(wanted);
  if ("length" in wanted) return Array.from(wanted, Number).includes(value);
  const { min = -Infinity, max = Infinity } = wanted;
  return value >= Number(min) && value <= Number(max);
}

const coordinate = fc.integer({ min: -2, max: 102 });
const wanted: fc.Arbitrary<Coordinates | undefined> = fc.oneof(
  fc.constant(undefined),
  coordinate,
  coordinate.map(BigInt),
  fc.array(coordinate, { maxLength: 12 }),
  fc.array(coordinate, { maxLength: 12 }).map((list) => Int32Array.from(list)),
  fc.array(coordinate, { maxLength: 4 }).map((list) => BigInt64Array.from(list.map(BigInt))),
  fc.tuple(coordinate, coordinate).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) })),
  coordinate.map((min) => ({ min })),
  coordinate.map((max) => ({ max, min: -(2n ** 63n) })),
  coordinate.map((min) => ({ min, max: 2n ** 62n })),
);

for (const name of ["updates", "updates_consolidated", "updates_vacuumed"]) {
  Deno.test(`read() gives the cells of any coordinates of ${name}, in batches of any size`, async () => {
    const array = await openSoma(below(arrays, name)) as SomaSparseNDArray;
    const whole = await array.readAll();
    const [rows, columns] = ["soma_dim_0", "soma_dim_1"].map((dim) =>
      whole.column(dim, "numeric").data
    );
    await fc.assert(
      fc.asyncProperty(
        wanted,
        wanted,
        fc.integer({ min: 1, max: 400 }),
        async (row, column, batch) => {
          const right = Array.from({ length: whole.length }, (_, i) => i).filter((i) =>
            isWanted(Number(rows![i]), row) && isWanted(Number(columns![i]), column)
          ).map((i) => JSON.stringify(whole.columns().map((name) => whole.at(name, i)))).sort();
          const found: string[] = [];
          const lengths: number[] = [];
          for await (const table of array.read({ coords: [row, column], batch })) {
            found.push(...rowsOf(table));
            lengths.push(table.length);
          }
          assert.deepEqual(found.sort(), right);
          assert.ok(
            lengths.every((length, k) =>
              k === lengths.length - 1 ? length <= batch : length === batch
            ),
          );
        },
      ),
      { seed: 11, numRuns: 120 },
    );
  });
}

Deno.test("readAll() joins a value filter with coordinates and columns", async () => {
  const obs = await openSoma(fixturePath("census/census_data/homo_sapiens/obs"), {
    type: "SOMADataFrame",
  });
  const table = await obs.readAll({
    coords: { soma_joinid: { min: 3, max: 30 } },
    valueFilter: 'tissue in ["lung", "skin"] and stage == "late" and not n_genes < 9',
    columns: ["cell_id", "tissue"],
  });
  assert.deepEqual(table.columns(), ["cell_id", "tissue"]);
  const all = await obs.readAll();
  const right = Array.from({ length: 40 }, (_, i) => i).filter((i) =>
    i >= 3 && i <= 30 && all.at("tissue", i) !== "blood" && all.at("stage", i) === "late" &&
    Number(all.at("n_genes", i) ?? 0) >= 9
  );
  assert.ok(right.length > 2);
  assert.deepEqual(plainColumn(table.column("cell_id")), right.map((i) => `cell${i}`));
  assert.equal((await obs.readAll({ valueFilter: 'tissue == "none such"' })).length, 0);
});

Deno.test("readAll() gives columns of their kind where no row passes", async () => {
  const obs = await openSoma(fixturePath("census/census_data/homo_sapiens/obs"), {
    type: "SOMADataFrame",
  });
  const none = await obs.readAll({ coords: { soma_joinid: [] } });
  assert.deepEqual(none.columns(), (await obs.readAll()).columns());
  assert.equal(none.column("tissue", "categorical").categories.length, 3);
  assert.equal(none.column("score", "numeric").data.length, 0);
});

Deno.test("read() refuses what it does not know", async () => {
  const obs = await openSoma(fixturePath("census/census_data/homo_sapiens/obs"), {
    type: "SOMADataFrame",
  });
  const refuses = (options: object, pattern: RegExp) =>
    assert.rejects(obs.readAll(options), pattern);
  await refuses({ colums: [] }, /option "colums" is not known: did you mean "columns"/);
  await refuses({ columns: ["tisue"] }, /no column "tisue": did you mean "tissue"/);
  await refuses({ coords: { soma_joind: 1 } }, /option "soma_joind" is not known/);
  await refuses(
    { coords: { soma_joinid: 1.5 } },
    /must be integers within 2\^53, or bigint: got 1.5/,
  );
  await refuses({ coords: { soma_joinid: "a" } }, /must be integers/);
  await refuses(
    { coords: { soma_joinid: { min: 3, max: 2 } } },
    /min must be at most max: got 3 \.\. 2/,
  );
  await refuses({ int64: "string" }, /int64 must be "number" or "bigint"/);
  await refuses({ valueFilter: "tisue == 'a'" }, /there is no column "tisue"/);
  await assert.rejects(obs.read({ batch: 0 }).next(), /batch must be an integer >= 1/);
  const array = await openSoma(below(arrays, "updates")) as SomaSparseNDArray;
  await assert.rejects(array.readAll({ coords: [1, 2, 3] }), /coords may have 2 axes: got 3/);
});

Deno.test("read() stops when its signal is raised, and can be read again", async () => {
  const array = await openSoma(below(arrays, "updates")) as SomaSparseNDArray;
  const stop = new AbortController();
  const reading = (async () => {
    for await (const _ of array.read({ batch: 10, signal: stop.signal })) {
      stop.abort(new Error("enough"));
    }
  })();
  await assert.rejects(reading, /enough/);
  await assert.rejects(array.readAll({ signal: AbortSignal.abort(new Error("before")) }), /before/);
  assert.ok((await array.readAll()).length > 0);
});

Deno.test("maxMemory makes batches smaller, and is an error where a tile alone takes more", async () => {
  const open = (maxMemory: number) =>
    openSoma(below(arrays, "filters"), { maxMemory }) as Promise<SomaDataFrame>;
  const lengths: number[] = [];
  const columns = ["d", "zstd", "gzip", "text"];
  for await (const table of (await open(14_000)).read({ columns })) lengths.push(table.length);
  assert.deepEqual(lengths, [128, 128, 44]);
  await assert.rejects(open(900), (error) => {
    assert.ok(error instanceof FormatError && error.kind === "memory", String(error));
    assert.match(
      error.message,
      /they take \d+ bytes of memory and maxMemory is 900 \(key __schema/,
    );
    return true;
  });
});

Deno.test("a file that is gone or cut since the opening is an error that names it", async () => {
  const files = new Map(arrays);
  const array = await openSoma(below(files, "filters")) as SomaDataFrame;
  const folder = [...files.keys()].find((path) => /^filters\/__fragments\/.*a2\.tdb$/.test(path))!;
  const store: Store = memoryStore(
    new Map(
      [...files].map((
        [path, bytes],
      ) => [path.replace(/^filters\//, ""), path === folder ? bytes.slice(0, -5) : bytes]),
    ),
  );
  const cut = await openSoma(store) as SomaDataFrame;
  await assert.rejects(
    cut.readAll({ columns: ["zstd"] }),
    /was cut off: it has \d+ bytes of \d+ \(key __fragments\/.*a2\.tdb/,
  );
  assert.equal((await cut.readAll({ columns: ["gzip"] })).length, 300);
  assert.equal((await array.readAll({ columns: ["zstd"] })).length, 300);
});

Deno.test("openSoma() refuses other format versions, and folders that are no SOMA object", async () => {
  await assert.rejects(openSoma(memoryStore(new Map())), /neither __schema nor __group/);
  const name = [...arrays.keys()].find((path) => path.startsWith("filters/__fragments/"))!.split(
    "/",
  )[2]!;
  const renamed = new Map(
    Array.from(arrays).map((
      [path, bytes],
    ) => [path.replaceAll(name, name.replace(/_22$/, "_12")), bytes]),
  );
  await assert.rejects(openSoma(below(renamed, "filters")), (error) => {
    assert.ok(error instanceof FormatError && error.kind === "encoding");
    assert.match(error.message, /version must be in 16 \.\. 23: got 12/);
    return true;
  });
  const old = new Map([...arrays, ["filters/__array_schema.tdb", new Uint8Array(1)] as const]);
  await assert.rejects(
    openSoma(below(old, "filters")),
    /must not have parts of a format before 12/,
  );
});

Deno.test("openSoma() has one error where two fragments are damaged, and leaves no promise behind", async () => {
  const [first, ...others] = new Set(
    [...arrays.keys()].flatMap((path) => /^updates\/__fragments\/([^/]+)/.exec(path)?.[1] ?? []),
  );
  const renamed = (path: string) => path.replace(others[0]!, others[0]!.replace(/_22$/, "_12"));
  const damaged = new Map(Array.from(arrays, ([path, bytes]) => [renamed(path), bytes]));
  damaged.delete(`updates/__fragments/${first}/__fragment_metadata.tdb`);
  await assert.rejects(openSoma(below(damaged, "updates")), FormatError);
  await new Promise((resolve) => setTimeout(resolve, 0)); // a promise that nobody awaits would fail here
});

Deno.test("abortable() tells the reason of its signal alone", async () => {
  const failing = Promise.reject(new Error("the file"));
  await assert.rejects(
    abortable(failing, AbortSignal.abort(new Error("the signal"))),
    /the signal/,
  );
  await new Promise((resolve) => setTimeout(resolve, 0)); // a promise that nobody awaits would fail here
});

Deno.test("an importer of data/soma never loads HDF5", async () => {
  const module = new URL("../../../data/soma/mod.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", module] })
    .output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string }[];
  };
  const specifiers = modules.map(({ specifier }) => specifier);
  assert.ok(specifiers.some((specifier) => specifier.includes("zstddec")));
  assert.deepEqual(specifiers.filter((specifier) => /h5wasm|hdf5/.test(specifier)), []);
});
