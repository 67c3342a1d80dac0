/** The whole SDK in a page: one bundle that loads and exports what it exports in Deno. */
import assert from "node:assert/strict";
import * as sdk from "../../mod.ts";
import { findChromium } from "../../scripts/dev/chromium.ts";
import { bundle, serve, withPage } from "./site.ts";

const chromium = findChromium();

Deno.test({
  name: "chromium loads the SDK with the exports that it has in Deno",
  ignore: chromium === undefined && Deno.env.get("CI") !== "true",
  fn: async () => {
    assert(chromium, "no Chromium on PATH");
    const folder = await bundle(["mod.ts"]);
    await using server = serve(folder, { isolated: false });
    const names = await withPage(
      chromium,
      `http://localhost:${server.addr.port}/`,
      (page) => page.evaluate<string[]>(`import("/mod.js").then(Object.keys)`),
    );
    await Deno.remove(folder, { recursive: true });
    assert.deepEqual(names.sort(), Object.keys(sdk).sort());
  },
});
