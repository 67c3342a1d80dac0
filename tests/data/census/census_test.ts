import assert from "node:assert/strict";
import {
  type Census,
  downloadSourceH5ad,
  getCensusVersionDescription,
  getCensusVersionDirectory,
  openCensus,
} from "../../../data/census/mod.ts";
import {
  directoryStore,
  memoryStore,
  type Store,
  ValueFilterError,
} from "../../../data/soma/mod.ts";
import type { CsrRows, Matrix } from "../../../data/mod.ts";
import { TempFolder } from "../fixtures.ts";
import {
  expected,
  type ExpectedTable,
  fixturePath,
  type Manifest,
  readJson,
  shared,
  sharedTest,
} from "../soma/stores.ts";

const answer = await readJson<{
  obs: Record<string, unknown[]>;
  var: Record<string, unknown[]>;
  X: number[][];
  presence: number[][];
}>("census.json");

const open = () => openCensus({ uri: fixturePath("census") });

/** Rows of a matrix as lists. */
async function lists(matrix: Matrix): Promise<number[][]> {
  const values = await matrix.dense({ dtype: "float64" });
  return Array.from({ length: matrix.shape[0] }, (_, row) => [
    ...values.subarray(row * matrix.shape[1], (row + 1) * matrix.shape[1]),
  ]);
}

/** One row of a piece as a list. */
function rowOf(piece: CsrRows, row: number): number[] {
  const values = new Array<number>(piece.nCols).fill(0);
  for (let k = piece.indptr[row]!; k < piece.indptr[row + 1]!; k++) {
    values[piece.indices[k]!] = piece.data[k]!;
  }
  return values;
}

Deno.test("openCensus() tells what is in it", async () => {
  const census = await open();
  assert.deepEqual(await census.organisms(), ["homo_sapiens"]);
  assert.equal((await census.summary()).get("total_cell_count"), "40");
  const datasets = await census.datasets();
  assert.deepEqual([...(await datasets.column("dataset_id", "string")).values()], ["aaaa", "bbbb"]);
  assert.deepEqual(await lists(await census.getPresenceMatrix("Homo sapiens")), answer.presence);
  await assert.rejects(census.getObs("mus_musculus"), /no|none: available: homo_sapiens/);
  await assert.rejects(census.getSourceH5adUri("aaaa"), /with h5ads: got an address alone/);
});

Deno.test("getObs() and getVar() give typed frames of chosen rows and columns", async () => {
  const census = await open();
  const obs = await census.getObs("Homo sapiens", {
    valueFilter: 'tissue == "lung" and is_primary_data == True',
    columnNames: ["tissue", "n_genes", "is_primary_data"],
  });
  const right = answer.obs["tissue"]!.map((_, i) => i).filter((i) =>
    answer.obs["tissue"]![i] === "lung" && answer.obs["is_primary_data"]![i]
  );
  assert.deepEqual(obs.index, right.map(String));
  assert.deepEqual(obs.columns(), ["soma_joinid", "tissue", "n_genes", "is_primary_data"]);
  const genes = await obs.column("n_genes", "numeric");
  assert.deepEqual([...genes.values()], right.map((i) => answer.obs["n_genes"]![i]));
  assert.equal(genes.dtype, "int64");
  assert.equal((await obs.column("tissue", "categorical")).at(0), "lung");
  const names = await census.getVar("homo_sapiens", {
    coords: { max: 1 },
    columnNames: ["feature_name"],
  });
  assert.deepEqual(names.index, ["ENSG00000", "ENSG00001"]);
  assert.deepEqual([...(await names.column("feature_name")).values()], ["β2M", "G0001"]);
  await assert.rejects(
    census.getObs("homo_sapiens", { valueFilter: "tisue == 'a'" }),
    ValueFilterError,
  );
});

Deno.test("getAnnData() reads X of chosen cells and genes, by rows", async () => {
  const census = await open();
  const adata = await census.getAnnData({
    organism: "homo_sapiens",
    obsValueFilter: 'tissue in ["lung", "skin"]',
    varValueFilter: 'feature_name in ["G0003", "β2M", "G0029"]',
    obsColumnNames: ["tissue"],
  });
  const cells = answer.obs["tissue"]!.flatMap((tissue, i) => tissue === "blood" ? [] : [i]);
  assert.deepEqual(adata.varNames, ["ENSG00000", "ENSG00003", "ENSG00029"]);
  assert.deepEqual(adata.obsNames, cells.map(String));
  const right = cells.map((i) => [0, 3, 29].map((j) => answer.X[i]![j]!));
  assert.deepEqual(await lists(adata.X!), right);
  const pieces: number[] = [];
  for await (const piece of adata.X!.rows({ start: 2, batch: 5 })) {
    pieces.push(piece.nRows);
    for (let row = 0; row < piece.nRows; row++) {
      assert.deepEqual(rowOf(piece, row), right[piece.start + row]);
    }
  }
  assert.deepEqual(pieces, [5, 5, 5, 5, 4]);
  const whole = await census.getAnnData({ organism: "homo_sapiens" });
  assert.deepEqual(await lists(whole.X!), answer.X);
  await assert.rejects(
    census.getAnnData({ organism: "homo_sapiens", obsFilter: "" } as never),
    /option "obsFilter" is not known: did you mean "obsCoords"|"obsFilter" is not known/,
  );
});

/** All batches: names and rows of their cells. */
async function cellsOf(
  census: Census,
  shuffle?: { seed: number; epoch?: number; blocks?: number },
) {
  const names: string[] = [];
  const sizes: number[] = [];
  const options = { organism: "homo_sapiens", obsColumnNames: ["cell_id"], size: 7 };
  for await (const { obs, X } of census.batches({ ...options, ...shuffle && { shuffle } })) {
    sizes.push(obs.length);
    obs.index.forEach((name, row) => {
      names.push(name);
      assert.deepEqual(rowOf(X, row), answer.X[Number(name)], name);
    });
  }
  return { names, sizes };
}

Deno.test("batches() give each cell once, in the order that the seed decides", async () => {
  const census = await open();
  const inOrder = await cellsOf(census);
  assert.deepEqual(inOrder.sizes, [7, 7, 7, 7, 7, 5]);
  assert.deepEqual(inOrder.names, Array.from({ length: 40 }, (_, i) => String(i)));
  const first = await cellsOf(census, { seed: 1 });
  assert.deepEqual(first.sizes, [7, 7, 7, 7, 7, 5]);
  assert.notDeepEqual(first.names, inOrder.names);
  assert.deepEqual([...first.names].sort(), [...inOrder.names].sort());
  assert.deepEqual(await cellsOf(census, { seed: 1 }), first);
  assert.notDeepEqual((await cellsOf(census, { seed: 2 })).names, first.names);
  assert.notDeepEqual((await cellsOf(census, { seed: 1, epoch: 1 })).names, first.names);
});

/** Answers of the hosts that list releases. */
const RELEASES = {
  stable: "2025-01-30",
  latest: "2025-06-01",
  V1: "2023-05-15",
  lost: "nowhere",
  "2025-01-30": {
    release_build: "2025-01-30",
    soma: { relative_uri: "/cell-census/2025-01-30/soma/" },
    h5ads: { relative_uri: "/cell-census/2025-01-30/h5ads/" },
    flags: { lts: true, retracted: false },
  },
  "2025-06-01": {
    release_build: "2025-06-01",
    soma: { uri: "s3://old/cell-census/2025-06-01/soma/", s3_region: "eu-west-1" },
    h5ads: { uri: "s3://old/cell-census/2025-06-01/h5ads/" },
    flags: { lts: false },
  },
  "2023-05-15": {
    release_build: "2023-05-15",
    soma: { relative_uri: "/cell-census/2023-05-15/soma/" },
    h5ads: { relative_uri: "/cell-census/2023-05-15/h5ads/" },
    flags: { lts: true, retracted: true },
    retraction: { reason: "wrong counts" },
  },
};
const MIRRORS = {
  default: "main",
  main: { provider: "S3", base_uri: "s3://bucket/", region: "us-west-2" },
};
const EMBEDDINGS = {
  a: {
    id: "emb-1",
    embedding_name: "scgpt",
    experiment_name: "homo_sapiens",
    data_type: "obs_embedding",
    census_version: "2025-01-30",
    submission_date: "2025-02-01",
  },
  b: {
    id: "emb-0",
    embedding_name: "scgpt",
    experiment_name: "homo_sapiens",
    data_type: "obs_embedding",
    census_version: "2025-01-30",
    submission_date: "2024-02-01",
  },
};

/** A fetch that knows the hosts of the Census, with stores in place of its buckets. */
function hosts(stores: Readonly<Record<string, Store>>) {
  return async (url: string, init?: RequestInit): Promise<Response> => {
    const { hostname, pathname, searchParams } = new URL(url);
    if (pathname.endsWith("/release.json")) return Response.json(RELEASES);
    if (pathname.endsWith("/mirrors.json")) return Response.json(MIRRORS);
    if (pathname.endsWith("/contributions.json")) return Response.json(EMBEDDINGS);
    const key = searchParams.get("prefix") ?? decodeURIComponent(pathname.slice(1));
    const root = Object.keys(stores).find((root) => `${hostname}/${key}`.startsWith(root))!;
    const path = `${hostname}/${key}`.slice(root.length).replace(/\/$/, "");
    if (searchParams.has("list-type")) {
      const entries = await stores[root]!.list(path);
      return new Response(
        `<ListBucketResult>${
          entries.map(({ name, kind, size }) =>
            kind === "folder"
              ? `<CommonPrefixes><Prefix>${key}${name}/</Prefix></CommonPrefixes>`
              : `<Contents><Key>${key}${name}</Key><Size>${size}</Size></Contents>`
          ).join("")
        }</ListBucketResult>`,
      );
    }
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init!.headers).get("range")!)!;
    const range = { offset: Number(from), length: Number(to) - Number(from) + 1 };
    return new Response(await stores[root]!.read(path, range), { status: 206 });
  };
}

Deno.test("getCensusVersionDirectory() lists releases by alias and date", async () => {
  const fetch = hosts({});
  const names = async (
    options = {},
  ) => [...(await getCensusVersionDirectory({ fetch, ...options })).keys()];
  assert.deepEqual(await names(), ["stable", "latest", "2025-06-01", "2025-01-30"]);
  assert.deepEqual(await names({ lts: true }), ["stable", "2025-01-30"]);
  assert.deepEqual(await names({ retracted: true }), ["V1", "2023-05-15"]);
  assert.equal((await names({ retracted: "all" })).length, 6);
  const stable = await getCensusVersionDescription("stable", { fetch });
  assert.deepEqual(stable.soma, {
    uri: "s3://bucket/cell-census/2025-01-30/soma/",
    region: "us-west-2",
  });
  const latest = await getCensusVersionDescription("latest", { fetch });
  assert.deepEqual(latest.soma, {
    uri: "s3://old/cell-census/2025-06-01/soma/",
    region: "eu-west-1",
  });
  await assert.rejects(getCensusVersionDescription("stabel", { fetch }), /did you mean "stable"\?/);
  await assert.rejects(openCensus({ version: "V1", fetch }), /withdrawn: wrong counts/);
  const broken = () => Promise.resolve(Response.json([]));
  await assert.rejects(
    getCensusVersionDirectory({ fetch: broken }),
    /must be an object \(key \/ of https/,
  );
  const blocked = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(
    getCensusVersionDirectory({ fetch: blocked }),
    /may not allow other origins: use a proxy/,
  );
});

Deno.test("openCensus() opens a release by its name from its bucket", async () => {
  const fetch = hosts({
    "bucket.s3.us-west-2.amazonaws.com/cell-census/2025-01-30/soma/": directoryStore(
      fixturePath("census"),
    ),
  });
  const census = await openCensus({ fetch });
  assert.equal(census.release?.releaseBuild, "2025-01-30");
  assert.equal((await census.getObs("homo_sapiens", { coords: [3, 5] })).length, 2);
  assert.equal(
    await census.getSourceH5adUri("bbbb"),
    "s3://bucket/cell-census/2025-01-30/h5ads/bbbb.h5ad",
  );
  await assert.rejects(
    census.getSourceH5adUri('b"b'),
    /Cannot find the dataset "b\\"b" as there is none: did you mean "bbbb"\? available: aaaa, bbbb/,
  );
  await assert.rejects(
    census.getEmbedding("scvi", [1]),
    /embedding scvi of homo_sapiens as Census 2025-01-30 has none: there are scgpt \(homo_sapiens\)/,
  );
});

Deno.test("downloadSourceH5ad() goes on where it stopped, and checks the digest", async () => {
  using folder = new TempFolder();
  const content = Uint8Array.from({ length: 20_000_000 }, (_, i) => i * i % 253);
  const h5ads = memoryStore(new Map([["aaaa.h5ad", content], ["bbbb.h5ad", content]]));
  let read = 0;
  const stop = new AbortController();
  const bucket = "bucket.s3.us-west-2.amazonaws.com/cell-census/2025-01-30";
  const fetch = hosts({
    [`${bucket}/soma/`]: directoryStore(fixturePath("census")),
    [`${bucket}/h5ads/`]: {
      ...h5ads,
      read: (path, range) => (read += range.length, h5ads.read(path, range)),
    },
  });
  const census = await openCensus({ fetch });
  const path = folder.file("aaaa.h5ad");
  const onProgress = (done: number) => done > 0 && stop.abort(new Error("enough"));
  const stopped = downloadSourceH5ad(census, "aaaa", path, { signal: stop.signal, onProgress });
  await assert.rejects(stopped, /enough/);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  const digest = [...new Uint8Array(await crypto.subtle.digest("SHA-256", content))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const done = await downloadSourceH5ad(census, "aaaa", path, { sha256: digest });
  assert.deepEqual([done, read], [{ bytes: content.length, sha256: digest }, content.length]);
  assert.deepEqual(await Deno.readFile(path), content);
  await assert.rejects(downloadSourceH5ad(census, "aaaa", path), Deno.errors.AlreadyExists);
  const wrong = downloadSourceH5ad(census, "bbbb", folder.file("b"), { sha256: "00" });
  await assert.rejects(wrong, /SHA-256 must be 00: got [0-9a-f]{64} \(key bbbb\.h5ad/);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["aaaa.h5ad"]);
});

Deno.test("downloadSourceH5ad() never goes on with what is left of another source", async () => {
  using folder = new TempFolder();
  const contents = [1, 2].map((seed) =>
    Uint8Array.from({ length: 10_000_000 }, (_, i) => i * seed % 251)
  );
  const files = ["aaaa.h5ad", "bbbb.h5ad"].map((name, k) => [name, contents[k]!] as const);
  const h5ads = memoryStore(new Map([["a.h5ad", contents[1]!], ...files]), "sources");
  const census = await openCensus({ uri: fixturePath("census"), h5ads });
  assert.equal(await census.getSourceH5adUri("aaaa"), "sources/aaaa.h5ad");
  const path = folder.file("cells.h5ad");
  const stop = new AbortController();
  const onProgress = (done: number) => done > 0 && stop.abort(new Error("enough"));
  const first = downloadSourceH5ad(census, "aaaa", path, { signal: stop.signal, onProgress });
  await assert.rejects(first, /enough/);
  await downloadSourceH5ad(census, "bbbb", path);
  assert.deepEqual(await Deno.readFile(path), contents[1]);
  const seen: number[] = [];
  await downloadSourceH5ad(census, "aaaa", path, {
    force: true,
    onProgress: (done, total) => seen.push(done, total),
  });
  assert.deepEqual(seen, [8 * 2 ** 20, 10_000_000, 10_000_000, 10_000_000]);
  assert.deepEqual(await Deno.readFile(path), contents[0]);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["cells.h5ad"]);
});

for (const name of ["v19_small_dictfilter", "v22_mid_cons"]) {
  sharedTest(`getAnnData() and getEmbedding() read ${name} as Python does`, async () => {
    const fetch = hosts({
      "bucket.s3.us-west-2.amazonaws.com/cell-census/2025-01-30/soma/": directoryStore(
        shared(name),
      ),
      "cellxgene-contrib-public.s3.us-west-2.amazonaws.com/contrib/cell-census/soma/2025-01-30/emb-1/":
        directoryStore(shared(`${name}_emb`)),
    });
    const census = await openCensus({ fetch });
    const { obs_value_filter: { filter, soma_joinids }, n_vars, emb } = await expected<Manifest>(
      `${name}/manifest.json`,
    );
    const adata = await census.getAnnData({ organism: "homo_sapiens", obsValueFilter: filter });
    assert.deepEqual(adata.obsNames, soma_joinids.map(String));
    assert.equal(adata.nVars, n_vars);
    // The sum of counts of each cell stands in obs.
    const obs = await expected<ExpectedTable>(`${name}/obs.json`);
    const sums: number[] = [];
    for await (const { nRows, indptr, data } of adata.X!.rows()) {
      for (let row = 0; row < nRows; row++) {
        sums.push(
          Float64Array.from(data.subarray(indptr[row], indptr[row + 1])).reduce((a, b) => a + b, 0),
        );
      }
    }
    assert.deepEqual(sums, soma_joinids.map((id) => (obs["raw_sum"] as readonly number[])[id]));
    const all = Array.from({ length: (obs["raw_sum"] as readonly number[]).length }, (_, id) => id);
    const vectors = await census.getEmbedding("scgpt", all);
    const values = (await vectors.dense()).filter((value) => !Number.isNaN(value));
    assert.equal(values.length, emb.nnz);
    assert.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) - emb.sum) < 1e-2);
    const some = await census.getEmbedding("scgpt", [5, 2]);
    const whole = await vectors.dense();
    const width = vectors.shape[1];
    assert.deepEqual(
      await some.dense(),
      Float32Array.of(
        ...whole.subarray(5 * width, 6 * width),
        ...whole.subarray(2 * width, 3 * width),
      ),
    );
  });
}
