import assert from "node:assert/strict";
import { openCensus } from "../../data/census/mod.ts";
import { fromParquet } from "../../data/interchange/parquet.ts";
import { directoryStore } from "../../data/soma/mod.ts";
import { openH5ad, openZarr } from "../../mod.ts";
import { TempFolder } from "../data/fixtures.ts";
import { S3Server } from "../data/soma/s3_server.ts";
import { fixturePath, readJson, shared, sharedTest } from "../data/soma/stores.ts";
import { namesIn, scgpt, scgptProcess } from "./run_scgpt.ts";

const STORE = ["--uri", fixturePath("census")];
const LUNG = ["--obs-value-filter", 'tissue == "lung" and is_primary_data == True'];

const answer = await readJson<{ obs: Record<string, unknown[]>; X: number[][] }>("census.json");
const lung = answer.obs["tissue"]!.flatMap((tissue, i) =>
  tissue === "lung" && answer.obs["is_primary_data"]![i] ? [i] : []
);

Deno.test("scgpt census summary tells the numbers of a store and of a release folder", async () => {
  using folder = new TempFolder();
  await Deno.symlink(fixturePath("census"), folder.file("soma"));
  for (const uri of [fixturePath("census"), folder.path]) {
    const { code, out, err } = await scgpt("census", "summary", "--uri", uri, "--json");
    assert.equal(code, 0, err);
    assert.match(err, /^homo_sapiens: 40 cells x 30 genes$/m);
    const { release, summary, datasets, organisms } = JSON.parse(out);
    assert.deepEqual([release, datasets, summary.total_cell_count], [null, 2, "40"]);
    assert.deepEqual(organisms, { homo_sapiens: { cells: 40, genes: 30 } });
  }
});

Deno.test("scgpt census obs shows rows, and writes CSV, TSV and Parquet", async () => {
  using folder = new TempFolder();
  const ask = ["census", "obs", ...STORE, ...LUNG, "--columns", "tissue,n_genes"];
  const right = lung.map((i) => ({
    soma_joinid: i,
    tissue: "lung",
    n_genes: answer.obs["n_genes"]![i],
  }));
  const shown = await scgpt(...ask, "--json");
  assert.equal(shown.code, 0, shown.err);
  assert.deepEqual(JSON.parse(shown.out).obs, right);
  assert.match(shown.err, /^soma_joinid\ttissue\tn_genes$/m);
  for (const [name, separator] of [["a.csv", ","], ["a.tsv", "\t"]] as const) {
    const written = await scgpt(...ask, "--output", folder.file(name));
    assert.equal(written.code, 0, written.err);
    const lines = right.map((row) => Object.values(row).map((value) => value ?? ""));
    assert.equal(
      await Deno.readTextFile(folder.file(name)),
      [["soma_joinid", "tissue", "n_genes"], ...lines].map((row) => `${row.join(separator)}\n`)
        .join(""),
    );
  }
  const parquet = await scgpt(...ask, "--limit", "3", "--output", folder.file("a.parquet"));
  assert.equal(parquet.code, 0, parquet.err);
  const table = await fromParquet(folder.file("a.parquet"));
  assert.deepEqual(await table.toRecords(), right.slice(0, 3));
  assert.deepEqual(namesIn(folder.path), ["a.csv", "a.parquet", "a.tsv"]);
});

Deno.test("scgpt census obs gives a heading where no row comes, and 20 rows unless told", async () => {
  const none = await scgpt("census", "obs", ...STORE, "--obs-value-filter", "n_genes > 999");
  assert.equal(none.code, 0, none.err);
  assert.match(none.err, /^soma_joinid\t.*tissue.*\n0 cells$/m);
  const some = await scgpt("census", "obs", ...STORE, "--json");
  assert.equal(JSON.parse(some.out).rows, 20);
});

Deno.test("scgpt census get writes cells and genes from a server, as h5ad and as zarr", async () => {
  using folder = new TempFolder();
  await using server = new S3Server(directoryStore(fixturePath("census")));
  const ask = [
    ...["census", "get", "--uri", server.url, "--cache", folder.file("kept"), ...LUNG],
    ...["--var-value-filter", 'feature_name in ["G0003", "G0029"]', "--columns", "tissue"],
  ];
  const h5ad = await scgpt(...ask, "--output", folder.file("a.h5ad"), "--json");
  assert.equal(h5ad.code, 0, h5ad.err);
  const { cells, genes } = JSON.parse(h5ad.out);
  assert.deepEqual([cells, genes], [lung.length, 2]);
  const { requests } = server;
  const zarr = await scgpt(...ask, "--output", folder.file("a.zarr"));
  assert.equal(zarr.code, 0, zarr.err);
  assert.ok(server.requests <= requests + 1, "all but the look at the address was kept");
  using a = await openH5ad(folder.file("a.h5ad"));
  using b = await openZarr(folder.file("a.zarr"));
  for (const written of [a, b]) {
    assert.deepEqual(written.obsNames, lung.map(String));
    assert.deepEqual(written.varNames, ["ENSG00003", "ENSG00029"]);
    assert.deepEqual(
      [...await written.X!.dense()],
      lung.flatMap((i) => [3, 29].map((j) => answer.X[i]![j])),
    );
  }
});

Deno.test("scgpt census refuses what is wrong before it writes", async () => {
  using folder = new TempFolder();
  const output = ["--output", folder.file("a.h5ad")];
  const get = ["census", "get", ...STORE];
  const cases: [string[], RegExp][] = [
    [[...get, "--output", folder.file("a.csv")], /must end with \.h5ad or \.zarr/],
    [["census", "obs", ...STORE, "--output", folder.file("a.txt")], /\.csv, \.tsv or \.parquet/],
    [[...get, ...output, "--obs-value-filter", "tisue == 'a'"], /tisue/],
    [[...get, ...output, "--obs-value-filter", "n_genes > 999"], /got 0 x 30/],
    [[...get, ...output, "--organism", "mus_musculus"], /available: homo_sapiens/],
    [[...get, ...output, "--census-version", "stable"], /either --uri or --census-version/],
    [["census", "get", "--uri", folder.file("none"), ...output], /there is no such file/],
    [["census", "summary", "--uri", folder.path], /nothing is at/],
    [["census", "obs", ...STORE, "--columns", "tisue"], /did you mean "tissue"/],
    [["census", "obs", ...STORE, "--limit", "-1"], /--limit must be at least 0/],
    [["census", "embedding", ...STORE, "--name", "scgpt", ...output], /--input or --obs-value/],
  ];
  for (const [args, rule] of cases) {
    const { code, err } = await scgpt(...args);
    assert.equal(code, 2, `${args.join(" ")}: ${err}`);
    assert.match(err, rule);
  }
  assert.deepEqual(namesIn(folder.path), []);
  await Deno.writeTextFile(folder.file("a.h5ad"), "mine");
  assert.match((await scgpt(...get, ...output)).err, /is there already: give --force/);
  assert.equal(await Deno.readTextFile(folder.file("a.h5ad")), "mine");
  assert.equal((await scgpt(...get, ...output, "--force")).code, 0);
});

Deno.test("scgpt census get ends with 130 at Ctrl-C and 1 where a server fails, and leaves no file", async () => {
  using folder = new TempFolder();
  await using server = new S3Server(directoryStore(fixturePath("census")));
  server.fault = (path) => /RNA\/X\/raw\/__fragments\/.*tdb$/.test(path) ? "hang" : undefined;
  const get = ["census", "get", "--uri", server.url, "--output", folder.file("a.h5ad")];
  const stopped = await scgptProcess(get, { interruptAt: "reading obs and var" });
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(stopped.err, /Interrupted: no unfinished file was left/);
  server.fault = () => "403";
  const refused = await scgpt(...get);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /the server answered 403/);
  assert.deepEqual(namesIn(folder.path), []);
});

/** A release folder with one source file. */
async function releaseFolder(folder: TempFolder, content: Uint8Array): Promise<string> {
  const path = folder.file("release");
  await Deno.mkdir(`${path}/h5ads`, { recursive: true });
  await Deno.symlink(fixturePath("census"), `${path}/soma`);
  await Deno.writeFile(`${path}/h5ads/aaaa.h5ad`, content);
  return path;
}

const sha256 = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

Deno.test("scgpt census source stops at Ctrl-C, goes on where it stopped, and tells the digest", async () => {
  using folder = new TempFolder();
  const content = Uint8Array.from({ length: 20_000_000 }, (_, i) => i * i % 253);
  const release = await releaseFolder(folder, content);
  await using server = new S3Server(directoryStore(release));
  const second = Promise.withResolvers<void>();
  let pieces = 0;
  server.fault = (path) => {
    if (!path.endsWith("aaaa.h5ad") || ++pieces === 1) return undefined;
    second.resolve();
    return "hang";
  };
  const output = folder.file("a.h5ad");
  const ask = ["census", "source", "aaaa", "--uri", server.url, "--output", output];
  const stopped = await scgptProcess(ask, { interruptAt: second.promise });
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(stopped.err, /^downloading 20\.0 MB$/m);
  assert.match(stopped.err, /Interrupted: 8388608 bytes are kept beside .*a\.h5ad, and the same/);
  assert.doesNotMatch(stopped.err, /no unfinished file/);
  const [name, ...others] = namesIn(folder.path);
  assert.match(name!, /^a\.h5ad\.[0-9a-f]{8}\.part$/);
  assert.deepEqual(others, ["release"]);
  server.fault = () => undefined;
  const before = server.bytes;
  const done = await scgpt(...ask, "--json");
  assert.equal(done.code, 0, done.err);
  assert.match(done.err, /^downloading 20\.0 MB, of which 8\.39 MB are here already$/m);
  const digest = await sha256(content);
  assert.deepEqual(JSON.parse(done.out), {
    ...{ datasetId: "aaaa", output, bytes: content.length, sha256: digest, release: null },
  });
  assert.ok(server.bytes - before < content.length, "what was there is not read again");
  assert.deepEqual(await Deno.readFile(output), content);
  assert.deepEqual(namesIn(folder.path), ["a.h5ad", "release"]);
});

Deno.test("scgpt census source takes a release folder or its soma, and refuses what is wrong", async () => {
  using folder = new TempFolder();
  const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  const release = await releaseFolder(folder, content);
  const source = ["census", "source"];
  const output = ["--output", folder.file("a.h5ad")];
  const digest = await sha256(content);
  const cases: [string[], RegExp][] = [
    [["aaab", "--uri", release], /the dataset "aaab" as there is none: did you mean "aaaa"\?/],
    [["bbbb", "--uri", release], /source file as it is not there \(key bbbb\.h5ad of/],
    [["aaaa", ...STORE], /must be opened by its version or with h5ads/],
    [["aaaa", "--uri", release, "--sha256", "00"], /SHA-256 must be 00: got [0-9a-f]{64}/],
    [["--uri", release], /missing required argument 'dataset-id'/],
  ];
  for (const [args, rule] of cases) {
    const { code, err } = await scgpt(...source, ...args, ...output);
    assert.equal(code, 2, `${args.join(" ")}: ${err}`);
    assert.match(err, rule);
  }
  assert.deepEqual(namesIn(folder.path), ["release"]);
  for (const uri of [release, `${release}/soma/`]) {
    const ask = [...source, "aaaa", "--uri", uri, "--sha256", digest, ...output, "--force"];
    const { code, err } = await scgpt(...ask);
    assert.equal(code, 0, err);
    assert.match(err, new RegExp(`wrote .*a\\.h5ad: 1000 bytes, SHA-256 ${digest}`));
    assert.deepEqual(await Deno.readFile(folder.file("a.h5ad")), content);
  }
  const again = await scgpt(...source, "aaaa", "--uri", release, ...output);
  assert.deepEqual([again.code, /give --force/.test(again.err)], [2, true]);
});

Deno.test("scgpt census source keeps what it has where a server fails, and says so by exit code 1", async () => {
  using folder = new TempFolder();
  const release = await releaseFolder(folder, new Uint8Array(10_000_000));
  await using server = new S3Server(directoryStore(release));
  let pieces = 0;
  server.fault = (path) => path.endsWith("aaaa.h5ad") && ++pieces > 1 ? "403" : undefined;
  const ask = [
    ...["census", "source", "aaaa", "--uri", server.url, "--output", folder.file("a.h5ad")],
  ];
  const refused = await scgpt(...ask);
  assert.equal(refused.code, 1, refused.err);
  assert.match(refused.err, /the server answered 403/);
  assert.match(namesIn(folder.path)[0]!, /\.part$/);
  server.fault = () => undefined;
  assert.equal((await scgpt(...ask)).code, 0);
  assert.deepEqual(namesIn(folder.path), ["a.h5ad", "release"]);
});

sharedTest(
  "scgpt census embedding writes vectors of a filter's cells and of a file's",
  async () => {
    using folder = new TempFolder();
    const uri = ["--uri", shared("v22_small")];
    const name = shared("v22_small_emb");
    const all = await (await openCensus({ uri: shared("v22_small") })).getObs("homo_sapiens");
    const filter = `soma_joinid < ${Math.min(20, all.length)}`;
    const cells = ["--obs-value-filter", filter];
    const byFilter = await scgpt(
      ...["census", "embedding", ...uri, ...cells, "--name", name, "--key", "emb"],
      ...["--output", folder.file("a.h5ad")],
    );
    assert.equal(byFilter.code, 0, byFilter.err);
    const got = await scgpt("census", "get", ...uri, ...cells, "--output", folder.file("b.h5ad"));
    assert.equal(got.code, 0, got.err);
    const byFile = await scgpt(
      ...["census", "embedding", ...uri, "--input", folder.file("b.h5ad"), "--name", name],
      ...["--output", folder.file("c.zarr")],
    );
    assert.equal(byFile.code, 0, byFile.err);
    using a = await openH5ad(folder.file("a.h5ad"));
    using c = await openZarr(folder.file("c.zarr"));
    const ids = [...(await a.obs.column("soma_joinid", "numeric")).data];
    const census = await openCensus({ uri: shared("v22_small") });
    const right = await (await census.getEmbedding(name, ids)).dense();
    assert.ok(right.some((value) => value > 0));
    assert.deepEqual(await (await a.obsm.get("emb") as never as typeof c.X)!.dense(), right);
    const key = c.obsm.keys().find((key) => key === "v22_small_emb")!;
    assert.deepEqual(await (await c.obsm.get(key) as never as typeof c.X)!.dense(), right);
    assert.ok(c.X !== undefined);
  },
);
