/** SOMA stores in a page, over http. */
import assert from "node:assert/strict";
import { directoryStore, openSoma } from "../../data/soma/mod.ts";
import { findChromium } from "../../scripts/dev/chromium.ts";
import { plainColumn } from "../data/soma/plain.ts";
import { S3Server } from "../data/soma/s3_server.ts";
import {
  assertPlain,
  columnsOf,
  expected,
  type ExpectedTable,
  fixturePath,
  type Manifest,
  shared,
  WITHOUT_SHARED,
} from "../data/soma/stores.ts";
import { bundle, serve, withPage } from "./site.ts";
import type { SomaPage } from "./soma_page.ts";

const chromium = findChromium();
const ignore = chromium === undefined && Deno.env.get("CI") !== "true";

/** Calls a function of the page. */
async function inPage<K extends keyof SomaPage>(
  calls: readonly { readonly name: K; readonly args: Parameters<SomaPage[K]> }[],
): Promise<Awaited<ReturnType<SomaPage[K]>>[]> {
  assert(chromium, "no Chromium on PATH");
  const folder = await bundle(["tests/browser/soma_page.ts"]);
  await using server = serve(folder, { isolated: false });
  const results = await withPage(
    chromium,
    `http://localhost:${server.addr.port}/`,
    (page) =>
      page.evaluate(
        async (calls) => {
          const address = "/soma_page.js";
          await import(address);
          const { soma } = globalThis as unknown as {
            soma: Record<string, (...args: unknown[]) => unknown>;
          };
          const results = [];
          for (const { name, args } of calls) results.push(await soma[name]!(...args));
          return results;
        },
        calls as readonly { name: string; args: unknown[] }[] as {
          name: string;
          args: unknown[];
        }[],
      ),
  );
  await Deno.remove(folder, { recursive: true });
  return results as Awaited<ReturnType<SomaPage[K]>>[];
}

Deno.test({
  name: "chromium reads a SOMA table over http, and again from its cache",
  ignore,
  fn: async () => {
    await using server = new S3Server(directoryStore(fixturePath("")));
    const call = {
      name: "readCached" as const,
      args: [`${server.url}census/census_data/homo_sapiens`] as [string],
    };
    const [first] = await inPage([call]);
    const once = server.requests;
    const [again, third] = await inPage([call, call]);
    const obs = await openSoma(fixturePath("census/census_data/homo_sapiens/obs"), {
      type: "SOMADataFrame",
    });
    const table = await obs.readAll();
    const wanted = Object.fromEntries(
      table.columns().map((name) => [name, plainColumn(table.column(name))]),
    );
    assert.deepEqual([first, again, third], [wanted, wanted, wanted]);
    assert.equal(server.requests, 2 * once, "the third reading must need no request");
  },
});

const SKIPPED = WITHOUT_SHARED ? ` (skipped: ${WITHOUT_SHARED})` : "";

for (const name of ["v19_small_dictfilter", "v22_small", "v22_mid_cons"]) {
  Deno.test({
    name: `chromium reads ${name} and its embedding as Python does${SKIPPED}`,
    ignore: ignore || WITHOUT_SHARED !== undefined,
    fn: async () => {
      await using server = new S3Server(directoryStore(shared("")));
      const { X, emb, obs_value_filter: asked } = await expected<Manifest>(`${name}/manifest.json`);
      const human = "census_data/homo_sapiens";
      const paths = {
        [`${human}/obs`]: "obs",
        [`${human}/ms/RNA/var`]: "var",
        "census_info/datasets": "datasets",
        [`${human}/ms/RNA/feature_dataset_presence_matrix`]: "presence",
      };
      const { filter: valueFilter } = asked;
      const [read] = await inPage([{
        name: "readStore",
        args: [`${server.url}${name}`, Object.keys(paths), { queries: X, valueFilter }],
      }]);
      for (const [path, answer] of Object.entries(paths)) {
        const by = answer === "presence" ? ["soma_dim_0", "soma_dim_1"] : ["soma_joinid"];
        assertPlain(
          read!.tables[path]!,
          await expected<ExpectedTable>(`${name}/${answer}.json`),
          by,
        );
      }
      assert.deepEqual(read!.filtered, asked.soma_joinids);
      assert.deepEqual(read!.X, X.map(({ nnz, sha256 }) => ({ nnz, sha256 })));
      const [embedding] = await inPage([{
        name: "readEmbedding",
        args: [`${server.url}${name}_emb`],
      }]);
      assert.deepEqual(embedding, { nnz: emb.nnz, sha256: emb.sha256, info: emb.info });
    },
  });
}

Deno.test({
  name: `chromium reads arrays with updates, deletes and other indexes as Python does${SKIPPED}`,
  ignore: ignore || WITHOUT_SHARED !== undefined,
  fn: async () => {
    await using server = new S3Server(directoryStore(shared("")));
    const answers = Object.entries(await expected<Record<string, ExpectedTable>>("edge_v22.json"));
    const url = `${server.url}edge_v22`;
    const read = await inPage(answers.map(([edge, answer]) => ({
      name: "readSmall" as const,
      args: [url, edge, columnsOf(answer)] as Parameters<SomaPage["readSmall"]>,
    })));
    assert.ok(answers.length > 10);
    answers.forEach(([, answer], k) => {
      const { table, index } = read[k]!;
      assertPlain(table, answer, index.filter((name) => name in answer));
    });
  },
});
