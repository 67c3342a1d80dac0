import assert from "node:assert/strict";
import { openSource } from "../../data/mod.ts";
import { TempFolder } from "./fixtures.ts";

const BYTES = Uint8Array.from({ length: 1000 }, (_, k) => k % 251);

/** Answers range requests, or ignores them. */
function respond(request: Request): Response {
  if (request.url.endsWith("/whole")) return new Response(BYTES);
  if (request.url.endsWith("/none")) return new Response("", { status: 404 });
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.get("range")!)!;
  return new Response(BYTES.slice(Number(from), Number(to) + 1), {
    status: 206,
    headers: { "content-range": `bytes ${from}-${to}/${BYTES.length}` },
  });
}

Deno.test("openSource() reads ranges of bytes, blobs, files and addresses alike", async () => {
  using folder = new TempFolder();
  await Deno.writeFile(folder.file("x"), BYTES);
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, respond);
  const url = `http://localhost:${server.addr.port}/x`;
  for (const from of [BYTES, new Blob([BYTES]), folder.file("x"), url, new URL(url)]) {
    using source = await openSource(from);
    assert.equal(source.size, 1000);
    const ranges = [source.read(10, 3), source.read(997, 3), source.read(0, 0)];
    assert.deepEqual((await Promise.all(ranges)).map((bytes) => [...bytes]), [
      [10, 11, 12],
      [244, 245, 246],
      [],
    ]);
    await assert.rejects(source.read(998, 3), /Cannot read 3 bytes at 998 as .* has 1000 bytes/);
    await assert.rejects(source.read(-1, 1), RangeError);
  }
  await server.shutdown();
});

Deno.test("openSource() says when a server does not honour ranges", async () => {
  const server = Deno.serve({ port: 0, hostname: "localhost", onListen() {} }, respond);
  const url = `http://localhost:${server.addr.port}`;
  await assert.rejects(openSource(`${url}/whole`), /does not honour range requests/);
  await assert.rejects(openSource(`${url}/none`), /the server answered 404/);
  await server.shutdown();
});

Deno.test("openSource() fails where there is no file", async () => {
  await assert.rejects(openSource("/no/such/file"), Deno.errors.NotFound);
});
