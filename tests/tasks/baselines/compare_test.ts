import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import { annotationBaselines, compareMethods } from "../../../tasks/baselines/compare.ts";
import { QUERY, REFERENCE } from "./cells.ts";

Deno.test("compareMethods() scores all baselines against the truth", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  const methods = annotationBaselines(device, REFERENCE, QUERY);
  const rows = await Array.fromAsync(compareMethods(QUERY.labels, methods));
  assert.deepEqual(rows.map(({ method }) => method), Object.keys(methods));
  const [majority, ...others] = rows.map(({ report }) => report.accuracy);
  assert.ok(majority! < 0.5 && others.length === 3);
  assert.ok(others.every((accuracy) => accuracy > 0.9));
  assert.ok(rows.every(({ seconds }) => seconds >= 0));
});

Deno.test("compareMethods() stops between methods", async () => {
  const controller = new AbortController();
  const answer = { labels: ["a"], confidence: new Float32Array(1) };
  const methods = { one: () => answer, two: () => assert.fail("not to be run") };
  const { signal } = controller;
  await assert.rejects(async () => {
    for await (const _ of compareMethods(["a"], methods, { signal })) controller.abort();
  }, { name: "AbortError" });
});
