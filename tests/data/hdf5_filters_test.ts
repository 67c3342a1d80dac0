import assert from "node:assert/strict";
import type { FormatError } from "../../data/mod.ts";
import { checkFilters } from "../../data/h5ad/hdf5_filters.ts";
import { openFixture, VALUES, valuesOf } from "./fixtures.ts";

Deno.test("openH5ad() reads every filter that is available", async () => {
  using adata = await openFixture("filters");
  assert.equal(adata.layers.size, 10);
  for (const name of adata.layers.keys()) {
    assert.deepEqual(await valuesOf(await adata.layers.need(name)), VALUES, name);
  }
});

/** Checks a filter with a library that has the plugins named. */
async function check(id: number, cd_values: number[], plugins: string[]): Promise<void> {
  const library = { provideFilter: (name: string) => Promise.resolve(plugins.includes(name)) };
  await checkFilters(library, [{ id, name: "", cd_values }], { file: "a.h5ad", key: "X" });
}

Deno.test("checkFilters() refuses filters that are not there, by name, before anything is read", async () => {
  await check(1, [4], []); // gzip is built in
  await check(32015, [3], ["zstd"]);
  await check(32001, [2, 2, 4, 32768, 5, 1, 5], ["blosc"]); // Blosc with zstd
  const cases: [number, number[], string[], RegExp][] = [
    [32015, [3], [], /the filter zstd \(number 32015\) is not available here/],
    [32024, [], ["zstd"], /the filter unknown \(number 32024\)/],
    [32001, [2, 2, 4, 32768, 5, 1, 4], ["blosc"], /the filter blosc with zlib/],
    [32001, [2, 2, 4, 32768, 5, 1, 3], ["blosc"], /the filter blosc with Snappy/],
    [32026, [1, 0, 4, 32768, 5, 1, 4], ["blosc2"], /the filter blosc2 with zlib/],
  ];
  for (const [id, values, plugins, message] of cases) {
    await assert.rejects(check(id, values, plugins), (error: FormatError) => {
      assert.deepEqual([error.kind, error.key], ["missing-filter", "X"]);
      assert.match(error.message, message);
      return true;
    });
  }
});
