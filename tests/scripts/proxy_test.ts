import assert from "node:assert/strict";
import { openCensus } from "../../data/census/mod.ts";
import { directoryStore } from "../../data/soma/mod.ts";
import { CENSUS_HOSTS, type ProxyOptions, serveProxy } from "../../scripts/proxy.ts";
import { ProxyCache } from "../../scripts/proxy_cache.ts";
import { TempFolder } from "../data/fixtures.ts";
import { S3Server } from "../data/soma/s3_server.ts";
import { fixturePath } from "../data/soma/stores.ts";
import { scgpt, scgptProcess } from "./run_scgpt.ts";

/** A proxy of one origin, and the lines that it says. */
async function proxyOf(origin: string, cache?: ProxyOptions["cache"]) {
  const lines: string[] = [];
  const server = await serveProxy({
    ...{ port: 0, hostname: "localhost", hosts: [origin], log: (line) => lines.push(line) },
    ...cache && { cache },
  });
  return {
    server,
    lines,
    url: server.url,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A server of 100 bytes that knows ranges and HEAD, and leads elsewhere from /away. */
function bytesServer() {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
  const asked: Request[] = [];
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, (request) => {
    asked.push(request);
    const { pathname } = new URL(request.url);
    if (pathname === "/away") return Response.redirect(new URL("/a", request.url), 302);
    if (pathname === "/busy") return new Response("slow down", { status: 503 });
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.get("range") ?? "") ?? [];
    const headers = { etag: '"x"', "set-cookie": "a=b", "content-length": "100" };
    if (request.method === "HEAD") return new Response(null, { headers });
    if (from === undefined) return new Response(bytes, { headers });
    return new Response(bytes.slice(Number(from), Number(to) + 1), {
      status: 206,
      headers: { "content-range": `bytes ${from}-${to}/100` },
    });
  });
  const origin = `http://localhost:${server.addr.port}`;
  return { origin, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("serveProxy() lets a page read the Census, and keeps ranges and listings", async () => {
  using folder = new TempFolder();
  await using bucket = new S3Server(directoryStore(fixturePath("census")));
  const cache = { folder: folder.path, maxBytes: 10_000_000 };
  await using proxy = await proxyOf(new URL(bucket.url).origin, cache);
  const open = () =>
    openCensus({ uri: bucket.url, fetch: (url, init) => fetch(`${proxy.url}${url}`, init) });
  const read = async () => (await open()).getObs("homo_sapiens", { valueFilter: "n_genes > 12" });
  const first = await (await read()).toRecords();
  assert.ok(first.length > 0);
  const { requests } = bucket;
  assert.deepEqual(await (await read()).toRecords(), first);
  assert.equal(bucket.requests, requests);
  assert.ok(proxy.lines.some((line) => /^GET 200 kept http.*list-type=2.* whole$/.test(line)));
  assert.ok(proxy.lines.some((line) => /^GET 206 read http.* bytes=\d+-\d+$/.test(line)));
});

Deno.test("serveProxy() passes on ranges, whole files and HEAD, with headers that pages need", async () => {
  await using host = bytesServer();
  await using proxy = await proxyOf(host.origin);
  const url = `${proxy.url}${host.origin}/a%20b.bin`;
  const part = await fetch(url, { headers: { range: "bytes=3-5", cookie: "a=b" } });
  assert.deepEqual([part.status, [...await part.bytes()]], [206, [3, 4, 5]]);
  assert.equal(part.headers.get("content-range"), "bytes 3-5/100");
  assert.equal(part.headers.get("access-control-allow-origin"), "*");
  assert.match(part.headers.get("access-control-expose-headers")!, /content-range/);
  assert.equal(new URL(host.asked[0]!.url).pathname, "/a%20b.bin");
  assert.equal(host.asked[0]!.headers.get("cookie"), null);
  const whole = await fetch(url);
  assert.equal((await whole.bytes()).length, 100);
  assert.equal(whole.headers.get("set-cookie"), null);
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, "100"]);
  const asked = host.asked.length;
  const preflight = await fetch(url, { method: "OPTIONS" });
  assert.deepEqual([preflight.status, host.asked.length], [204, asked]);
  assert.equal(preflight.headers.get("access-control-allow-headers"), "range");
});

Deno.test("serveProxy() refuses other hosts, spellings of them, methods, queries and ranges", async () => {
  await using host = bytesServer();
  await using proxy = await proxyOf(host.origin);
  const { host: name } = new URL(host.origin);
  const cases: [string, number, RequestInit?][] = [
    ["", 400],
    ["favicon.ico", 400],
    ["file:///etc/passwd", 400],
    ["https://example.org/a", 403],
    [`https://${name}/a`, 403],
    ["http://localhost:1/a", 403],
    [`http://example.org@${name}/a`, 400],
    [`http://${name}@example.org/a`, 400],
    [`http://${name}.example.org/a`, 400],
    ["http://localhost.example.org/a", 403],
    [`${host.origin}/../example.org/a`, 403],
    [`${host.origin}/%2e%2e/example.org/a`, 403],
    [`${host.origin}\\@example.org/a`, 200],
    [`${host.origin}/a?acl`, 403],
    [`${host.origin}/?list-type=2&x=1`, 403],
    [`${host.origin}/a`, 405, { method: "POST", body: "x" }],
    [`${host.origin}/a`, 400, { headers: { range: "bytes=0-1,5-6" } }],
    [`${host.origin}/away`, 502],
    [`${host.origin}/busy`, 503],
  ];
  for (const [path, status, init] of cases) {
    const answer = await fetch(`${proxy.url}${path}`, init);
    const text = await answer.text();
    assert.equal(answer.status, status, `${path}: ${text}`);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  }
  assert.equal(proxy.lines.length, cases.length);
  assert.ok(host.asked.every((request) => request.method === "GET"));
  assert.ok(host.asked.every(({ url }) => new URL(url).search === ""));
});

Deno.test("serveProxy() tells that a host fails, and keeps no answer that was cut off", async () => {
  using folder = new TempFolder();
  await using bucket = new S3Server(directoryStore(fixturePath("census")));
  const cache = { folder: folder.path, maxBytes: 1000 };
  await using proxy = await proxyOf(new URL(bucket.url).origin, cache);
  bucket.fault = () => "html";
  const listing = await fetch(`${proxy.url}${bucket.url}?list-type=2&prefix=`);
  assert.equal(listing.status, 502);
  assert.match(await listing.text(), /must list its folders as S3 does/);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  await using gone = await proxyOf("http://localhost:1");
  const answer = await fetch(`${gone.url}http://localhost:1/a`);
  assert.equal(answer.status, 502);
  assert.match(await answer.text(), /^Cannot read http:\/\/localhost:1\/a: /);
  await assert.rejects(proxyOf("*"), /must be a host or an origin/);
  await assert.rejects(proxyOf("https://example.org/path"), /must be a host or an origin/);
});

Deno.test("ProxyCache keeps to its size, drops what was used least lately and what is damaged", async () => {
  using folder = new TempFolder();
  const answer = { status: 206, headers: {}, body: new Uint8Array(1000).fill(7) };
  const cache = await ProxyCache.open(folder.path, 3300);
  for (const key of ["a", "b", "c"]) await cache.put(key, answer);
  assert.deepEqual(await cache.get("a"), answer);
  await cache.put("d", answer);
  await cache.put("large", { ...answer, body: new Uint8Array(4000) });
  assert.ok(cache.bytes <= 3300);
  const kept = await Promise.all(
    ["a", "b", "c", "d", "large"].map(async (key) => await cache.get(key) !== undefined),
  );
  assert.deepEqual(kept, [true, false, true, true, false]);
  for (const { name } of Deno.readDirSync(folder.path)) {
    await Deno.truncate(folder.file(name), 500);
  }
  const again = await ProxyCache.open(folder.path, 3300);
  assert.equal(again.bytes, 1500);
  assert.equal(await again.get("a"), undefined);
});

Deno.test("scgpt proxy listens until Ctrl-C, and refuses a wrong port", async () => {
  const { code, err } = await scgptProcess(["proxy", "--port", "0"], {
    interruptAt: "may be read",
  });
  assert.equal(code, 130, err);
  assert.match(err, /^listening at http:\/\/localhost:\d+\/$/m);
  for (const host of CENSUS_HOSTS.slice(0, 1)) assert.ok(err.includes(host));
  assert.equal((await scgpt("proxy", "--port", "70000")).code, 2);
  assert.equal((await scgpt("proxy", "--hosts", "a/b")).code, 2);
});
