import assert from "node:assert/strict";
import { fuzz, fuzzedFiles } from "./fuzz.ts";
import { outcomeOf } from "./fuzz_worker.ts";

Deno.test("openCells() reads the files that are damaged while they are whole", async () => {
  for (const [kind, bytes] of Object.entries(fuzzedFiles())) {
    assert.match(await outcomeOf({ kind, bytes: new Uint8Array(bytes) }), /^data /, kind);
  }
});

Deno.test("openCells() gives an error of ours or data for a damaged file, in 600 cases", async () => {
  const seen = new Map<string, Set<string>>();
  for await (const { kind, damage, outcome } of fuzz(600, 20_000)) {
    assert.match(outcome, /^(same data|other data|error: .*)$/, `${kind}, ${damage}`);
    seen.set(kind, (seen.get(kind) ?? new Set()).add(outcome));
  }
  // Damages that nothing notices would be no test, and gzip's sums leave no other data.
  for (const [kind, outcomes] of seen) {
    assert.ok([...outcomes].some((outcome) => outcome.startsWith("error")), kind);
  }
  assert.ok(!seen.get("mtx.gz")!.has("other data"));
});
