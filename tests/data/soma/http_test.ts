import assert from "node:assert/strict";
import {
  httpStore,
  type HttpStoreOptions,
  openSoma,
  SomaCollection,
  type SomaDataFrame,
} from "../../../data/soma/mod.ts";
import { S3Server } from "./s3_server.ts";
import { plainColumn } from "./plain.ts";
import { assertStore, below, fixtureArrays, fixturePath, shared, sharedTest } from "./stores.ts";
import { directoryStore } from "../../../data/soma/mod.ts";

const QUICK: HttpStoreOptions = { retryDelay: 1, retries: 3 };

Deno.test("openSoma() reads over http from a server that lists as S3 does", async () => {
  await using server = new S3Server(directoryStore(fixturePath("")));
  server.pageSize = 2;
  const experiment = await openSoma(
    httpStore(`${server.url}census/census_data/homo_sapiens/`, QUICK),
    {
      type: "SOMAExperiment",
    },
  );
  const local = await openSoma(fixturePath("census/census_data/homo_sapiens"), {
    type: "SOMAExperiment",
  });
  const [ours, theirs] = await Promise.all(
    [experiment, local].map(async (from) => await (await from.obs()).readAll()),
  );
  for (const name of theirs!.columns()) {
    assert.deepEqual(plainColumn(ours!.column(name)), plainColumn(theirs!.column(name)), name);
  }
  assert.ok(server.pages > server.listings, "listings must have several pages");
});

Deno.test("openSoma() reads a bucket in the path, and keys with letters that XML and URLs escape", async () => {
  const name = "a b+c&d<e>%é'";
  const files = new Map(
    Array.from(await fixtureArrays(), ([path, bytes]) => [`bucket/${name}/${path}`, bytes]),
  );
  await using server = new S3Server(below(files, "bucket"), { bucket: "/bucket" });
  const store = httpStore(`${server.url}bucket/${encodeURIComponent(name)}`, {
    ...QUICK,
    bucket: `${server.url}bucket`,
  });
  const array = await openSoma(store, { path: "filters" }) as SomaDataFrame;
  assert.equal((await array.readAll({ columns: ["text"] })).length, 300);
});

Deno.test("httpStore() sends a request again after 429, 503, a cut connection and a wrong range", async () => {
  await using server = new S3Server(below(await fixtureArrays(), "filters"));
  const faults = ["429", "503", "cut", "wrong range", "long"] as const;
  const attempts = new Map<string, number>();
  server.fault = (path) => {
    const attempt = attempts.get(path) ?? 0;
    attempts.set(path, attempt + 1);
    return attempt < 2 ? faults[(attempts.size + attempt) % faults.length] : undefined;
  };
  const array = await openSoma(httpStore(server.url, QUICK)) as SomaDataFrame;
  const table = await array.readAll({ columns: ["d", "zstd", "text"] });
  assert.deepEqual(plainColumn(table.column("d")), Array.from({ length: 300 }, (_, i) => i));
  assert.ok(server.requests >= 2 * attempts.size && attempts.size > 10);
});

Deno.test("httpStore() sends a request again after a broken body and a request without an answer", async () => {
  let count = 0;
  const store = httpStore("https://nowhere.example", {
    ...QUICK,
    timeout: 20,
    fetch: async (_url, { signal }) => {
      const attempt = count++;
      if (attempt === 0) {
        const stop = Promise.withResolvers<never>();
        signal!.addEventListener("abort", () => stop.reject(signal!.reason));
        return await stop.promise;
      }
      const pull = (controller: ReadableStreamDefaultController) => {
        controller.enqueue(Uint8Array.of(1));
        if (attempt === 1) controller.error(new TypeError("connection reset"));
        else controller.close();
      };
      return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { status: 206 });
    },
  });
  assert.deepEqual([...await store.read("file", { offset: 5, length: 1 })], [1]);
  assert.equal(count, 3);
});

Deno.test("httpStore() gives up after its retries, and at once where that cannot help", async () => {
  await using server = new S3Server(below(await fixtureArrays(), "filters"));
  let count = 0;
  const fail = (
    fault: NonNullable<ReturnType<S3Server["fault"]>>,
    pattern: RegExp,
    requests: number,
  ) => {
    server.fault = () => (count++, fault);
    count = 0;
    return assert.rejects(openSoma(httpStore(server.url, QUICK)), pattern).then(() =>
      assert.equal(count, requests, fault)
    );
  };
  await fail("503", /the server answered 503/, 4);
  await fail("403", /the server answered 403/, 1);
  await fail("not xml", /must answer as S3 does: .*not XML/s, 1);
  await fail("html", /must answer as S3 does/, 1);
  await fail("endless", /has no token for its next page/, 1);
  server.fault = (path) => path.includes("list-type") ? undefined : "whole";
  await assert.rejects(openSoma(httpStore(server.url, QUICK)), /does not honour range requests/);
});

Deno.test("httpStore() stops at once when its signal is raised", async () => {
  await using server = new S3Server(below(await fixtureArrays(), "filters"));
  server.fault = () => "hang";
  const stop = new AbortController();
  const opening = openSoma(httpStore(server.url, QUICK), { signal: stop.signal });
  await server.asked;
  stop.abort(new Error("enough"));
  await assert.rejects(opening, /enough/);
});

Deno.test("httpStore() reads listings with entities, CDATA and comments, and refuses what is none", async () => {
  let answer = "";
  const store = httpStore("https://nowhere.example/root", {
    fetch: () => Promise.resolve(new Response(answer)),
  });
  const contents = (key: string, size = "3") =>
    `<Contents><Key>${key}</Key><Size>${size}</Size><Owner/></Contents>`;
  answer = `<?xml version="1.0"?><!-- <Key>no</Key> --><ListBucketResult a="b">` +
    contents("root/a&amp;b&#x41;&#66;&unknown;") + contents("root/<![CDATA[<c>]]>") +
    contents("root/") +
    `<CommonPrefixes><Prefix>root/d/</Prefix></CommonPrefixes></ListBucketResult>\n`;
  assert.deepEqual(await store.list(""), [
    { name: "a&bAB&unknown;", kind: "file", size: 3 },
    { name: "<c>", kind: "file", size: 3 },
    { name: "d", kind: "folder", size: 0 },
  ]);
  const refuses = async (xml: string, pattern: RegExp) => {
    answer = xml;
    await assert.rejects(store.list(""), pattern);
  };
  const list = (inner: string) => `<ListBucketResult>${inner}</ListBucketResult>`;
  await refuses(list(contents("root/a", "-1")), /must have a key and a size: got root\/a and -1/);
  await refuses(list(contents("root/a", "1e400")), /must have a key and a size/);
  await refuses(list("<Contents><Key>root/a</Key></Contents>"), /got root\/a and undefined/);
  await refuses(list(contents("other/a")), /key other\/a is not below root\//);
  await refuses("<ListBucketResult>", /ends too soon/);
  await refuses("<a></b>", /element b has no start/);
  await refuses("<Error><Code>AccessDenied</Code></Error>", /no ListBucketResult/);
  await refuses("<a>".repeat(100), /more than 16 deep/);
  // Each letter is looked at once: a quadratic search would not come back.
  await refuses(`<${"a".repeat(2_000_000)}`, /is not XML, or ends too soon/);
  await refuses("x".repeat(17 * 1024 * 1024), /a page may have 16777216 bytes/);
});

Deno.test("httpStore() takes a fetch and a listing of the caller's", async () => {
  const files = await fixtureArrays();
  const local = below(files, "filters");
  const urls: string[] = [];
  const store = httpStore("https://nowhere.example/filters", {
    list: (path) => local.list(path),
    async fetch(url, init) {
      urls.push(url);
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init.headers).get("range")!)!;
      const path = new URL(url).pathname.slice("/filters/".length);
      const bytes = await local.read(path, {
        offset: Number(from),
        length: Number(to) - Number(from) + 1,
      });
      return new Response(bytes, { status: 206 });
    },
  });
  const array = await openSoma(store) as SomaDataFrame;
  assert.equal((await array.readAll({ columns: ["gzip"] })).length, 300);
  assert.ok(
    urls.length > 0 && urls.every((url) => url.startsWith("https://nowhere.example/filters/__")),
  );
});

Deno.test("an opened X reads a block of rows by few requests", async () => {
  await using server = new S3Server(directoryStore(fixturePath("")));
  const experiment = await openSoma(
    httpStore(`${server.url}census/census_data/homo_sapiens`, QUICK),
    {
      type: "SOMAExperiment",
    },
  );
  const X = await (await experiment.ms("RNA")).X("raw");
  const before = server.requests;
  await X.readAll({ coords: [{ min: 0, max: 20 }] });
  // One fragment of the two: three files, whose index came with the footer.
  assert.equal(server.requests - before, 3);
});

for (const name of ["v19_small_dictfilter", "v22_mid_cons"]) {
  sharedTest(`openSoma() reads ${name} over http as Python does`, async () => {
    await using server = new S3Server(directoryStore(shared("")));
    await assertStore(name, httpStore(`${server.url}${name}`, QUICK));
  });
}

Deno.test("openSoma() refuses a member that lies outside its collection", async () => {
  const root = await openSoma(directoryStore(fixturePath("census/census_data/homo_sapiens")));
  assert.ok(root instanceof SomaCollection);
  await assert.rejects(root.open("obs/nothing"), /has no members: it is SOMADataFrame/);
  await assert.rejects(root.open("obz"), /did you mean "obs"\? available: ms, obs/);
  await assert.rejects(
    root.open("obs", "SOMAExperiment"),
    /as SOMAExperiment: it is SOMADataFrame/,
  );
});
