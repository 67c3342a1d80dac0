import assert from "node:assert/strict";
import { fuzz, FUZZ_MEMORY, fuzzedStores, outcomeOf } from "./fuzz.ts";

Deno.test("a damaged store gives an error of ours or data, in 400 cases", async () => {
  const outcomes = new Set<string>();
  for await (const { outcome } of fuzz(400, 20_000)) outcomes.add(outcome);
  // Damages that nothing notices would be no test.
  for (const outcome of ["error: truncated", "error: value", "same data"]) {
    assert.ok(outcomes.has(outcome), outcome);
  }
});

/** A store with one number of a file overwritten. */
async function overwritten(
  name: string,
  file: RegExp,
  change: (view: DataView, bytes: Uint8Array) => void,
) {
  const { files } = (await fuzzedStores()).find((store) => store.name === name)!;
  const path = [...files.keys()].find((path) => file.test(path))!;
  const bytes = files.get(path)!.slice();
  change(new DataView(bytes.buffer), bytes);
  return outcomeOf(new Map(files).set(path, bytes), "");
}

Deno.test("a tile that claims to unpack to gigabytes is refused before memory is taken", async () => {
  assert.ok(FUZZ_MEMORY < 2 ** 31);
  const claimed = (length: number) =>
    overwritten("filters", /a2\.tdb$/, (view) => view.setUint32(8, length, true));
  assert.equal(await claimed(0xfffffff0), "error: value");
});

Deno.test("counts beyond the file are refused before memory is taken", async () => {
  const footer = await overwritten(
    "filters",
    /__fragment_metadata\.tdb$/,
    (view) => view.setBigUint64(view.byteLength - 8, 1n << 60n, true),
  );
  assert.equal(footer, "error: value");
  const chunks = await overwritten(
    "filters",
    /a2\.tdb$/,
    (view) => view.setBigUint64(0, 1n << 50n, true),
  );
  assert.equal(chunks, "error: value");
});
