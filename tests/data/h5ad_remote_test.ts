import assert from "node:assert/strict";
import { AnnData, DataFrame, denseMatrix } from "../../data/mod.ts";
import { openH5ad, writeH5ad } from "../../data/h5ad/mod.ts";
import { fixture, openFixture, TempFolder } from "./fixtures.ts";
import { RangeServer } from "./range_server.ts";
import { assertSame } from "./same.ts";

/** Writes 40 MB of numbers. */
async function writeLarge(path: string): Promise<Float32Array<ArrayBuffer>> {
  const values = Float32Array.from({ length: 10_000_000 }, (_, k) => k % 1013);
  const index = (count: number) => new DataFrame({ index: Array.from({ length: count }, String) });
  const X = denseMatrix(values, [10_000, 1000]);
  await writeH5ad(AnnData.fromParts({ obs: index(10_000), var: index(1000), X }), path);
  return values;
}

Deno.test("openH5ad() reads an address by ranges, a small part of them for a row", async () => {
  using folder = new TempFolder();
  const values = await writeLarge(folder.file("large.h5ad"));
  using server = await RangeServer.start(folder.file("large.h5ad"), { failures: 2 });
  using adata = await openH5ad(server.url);
  const row = await adata.X!.dense({ start: 7777, end: 7778 });
  assert.deepEqual(row, values.slice(7_777_000, 7_778_000));
  const served = await server.served();
  assert.ok(served.length <= 12, `${served.length} requests`);
  assert.ok(served.reduce((a, b) => a + b, 0) < 4e6, `${served} bytes`);
  const all = await adata.X!.dense();
  assert.ok(all.every((value, k) => value === values[k]));
  const requests = (await server.served()).length - served.length;
  assert.ok(requests < 30, `${requests} requests for 40 MB`); // each asks for more than the one before
});

Deno.test("openH5ad() reads all of a file at an address as it reads it by path", async () => {
  using server = await RangeServer.start(fixture("columns"));
  using actual = await openH5ad(server.url);
  using expected = await openFixture("columns");
  await assertSame(actual, expected);
});

Deno.test("openH5ad() says when a server refuses a range", async () => {
  using folder = new TempFolder();
  await writeLarge(folder.file("large.h5ad"));
  using server = await RangeServer.start(folder.file("large.h5ad"), { forbiddenFrom: 2 ** 20 });
  await assert.rejects(openH5ad(server.url), /Cannot read bytes=.* the server answered 403/);
});
