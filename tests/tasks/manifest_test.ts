import assert from "node:assert/strict";
import { openWasmDevice, runManifest, VERSION } from "../../mod.ts";
import { freshModel } from "../lib/model/fresh_model.ts";

const device = await openWasmDevice({ threads: 1 });

Deno.test("runManifest() says what decided the numbers, and no time and no path", async () => {
  using model = await freshModel(device);
  const options = { layer: "raw", seed: 3, labelMap: { a: null } };
  const manifest = await runManifest("embed", model, options);
  assert.equal(manifest.library, `@scgpt/sdk ${VERSION}`);
  assert.equal(manifest.task, "embed");
  assert.equal(manifest.device, "wasm");
  assert.match(manifest.device_name, /^CPU, 1 thread \(.*simd.*\)$/);
  for (const key of ["weights_sha256", "vocab_sha256", "config_sha256"] as const) {
    assert.match(manifest[key], /^[0-9a-f]{64}$/);
  }
  assert.deepEqual(JSON.parse(manifest.options), options);
  assert.deepEqual(await runManifest("embed", model, options), manifest);
});

Deno.test("runManifest() leaves out what is no JSON, such as a signal", async () => {
  using model = await freshModel(device);
  const { signal } = new AbortController();
  const embedding = { seed: 1, signal };
  const { options } = await runManifest("map", model, { signal, f: () => 1, k: 5, embedding });
  assert.deepEqual(JSON.parse(options), { k: 5, embedding: { seed: 1 } });
});

Deno.test("runManifest() tells one model from another", async () => {
  using one = await freshModel(device), other = await freshModel(device, { seed: 2 });
  const first = await runManifest("embed", one, {}), second = await runManifest("embed", other, {});
  assert.notEqual(second.weights_sha256, first.weights_sha256);
  assert.equal(second.config_sha256, first.config_sha256);
});
