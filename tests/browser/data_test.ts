/** Cells in Chromium: h5ad and zarr by address, File, bytes and the browser's own file system, in a page and in a worker. */
import assert from "node:assert/strict";
import { findChromium } from "../../scripts/dev/chromium.ts";
import { fixture, VALUES } from "../data/fixtures.ts";
import { zarrFixture } from "../data/zarr_fixtures.ts";
import type { CellsRead } from "./data_worker.ts";
import { bundle, withPage } from "./site.ts";

const FILES: Readonly<Record<string, string>> = {
  "/columns.h5ad": fixture("columns"),
  "/odd.h5ad": fixture("odd"),
  "/columns.zarr.zip": zarrFixture("columns_v2"),
};

/** A site with the bundle and the cells; files are served by ranges and counted. */
function serveCells(folder: string, ranges: string[]): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "localhost", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") {
      return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
    }
    const file = FILES[pathname];
    if (file === undefined) {
      const script = await Deno.readFile(folder + pathname).catch(() => undefined);
      const headers = { "content-type": "text/javascript" };
      return new Response(script ?? null, { status: script ? 200 : 404, headers });
    }
    const bytes = await Deno.readFile(file);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
    if (range === null) return new Response(bytes);
    ranges.push(pathname);
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    const headers = { "content-range": `bytes ${start}-${end}/${bytes.length}` };
    return new Response(bytes.slice(start, end + 1), { status: 206, headers });
  });
}

const IN_WORKER = `new Promise((resolve, reject) => {
  const worker = new Worker("/data_worker.js", { type: "module" });
  worker.onmessage = ({ data }) => "error" in data ? reject(new Error(data.error)) : resolve(data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage(location.href);
})`;

const IN_PAGE = `import("/data_worker.js").then(async (cells) => ({
  cells: await cells.readEveryWay(location.href),
  squeezed: await cells.readSqueezed(location.href),
  texts: await cells.readTexts(),
}))`;

/** What a page sends. */
interface Read {
  readonly cells: Record<string, CellsRead>;
  readonly squeezed: string[];
  readonly texts: Record<string, number[]>;
}

const chromium = findChromium();

for (const [place, script] of Object.entries({ worker: IN_WORKER, page: IN_PAGE })) {
  Deno.test({
    name: `chromium reads and writes cells in a ${place}`,
    ignore: chromium === undefined && Deno.env.get("CI") !== "true",
    async fn() {
      assert(chromium, "no Chromium on PATH");
      const folder = await bundle(["tests/browser/data_worker.ts"]);
      const ranges: string[] = [];
      await using server = serveCells(folder, ranges);
      const url = `http://localhost:${server.addr.port}/`;
      const { cells, squeezed, texts } = await withPage(
        chromium,
        url,
        (page) => page.evaluate<Read>(script),
      );
      await Deno.remove(folder, { recursive: true });
      assert.equal(Object.keys(cells).length, 9);
      for (const [way, read] of Object.entries(cells)) {
        assert.deepEqual(read, { X: VALUES, labels: ["T", null, "B", "T"] }, way);
      }
      assert.deepEqual(squeezed, ["a", "b", "c", "d"]);
      assert.deepEqual(texts, { table: [0, 2.5], triple: [0, 2.5] });
      assert.ok(ranges.filter((path) => path === "/columns.h5ad").length > 1);
      assert.ok(ranges.includes("/columns.zarr.zip"));
    },
  });
}
