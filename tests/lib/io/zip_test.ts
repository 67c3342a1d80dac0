import assert from "node:assert/strict";
import { openSource } from "../../../data/mod.ts";
import { readZip } from "../../../lib/io/zip.ts";
import { bytesOf, zip, type ZipOptions } from "./torch_file.ts";

async function contents(options: ZipOptions = {}) {
  using source = await openSource(zip({ "a/b": bytesOf("hello"), empty: bytesOf() }, options));
  const entries = await readZip(source);
  const texts = [];
  for (const { name, size, read } of entries.values()) {
    texts.push([name, new TextDecoder().decode(await read(0, size))]);
  }
  return { texts, entries };
}

Deno.test("readZip() finds stored files, in zip64 too", async () => {
  const wanted = [["a/b", "hello"], ["empty", ""]];
  assert.deepEqual((await contents()).texts, wanted);
  assert.deepEqual((await contents({ zip64: true })).texts, wanted);
  assert.deepEqual((await contents({ comment: "PK".repeat(1000) })).texts, wanted);
});

Deno.test("readZip() entries read parts and refuse what lies outside", async () => {
  const { entries } = await contents();
  const entry = entries.get("a/b")!;
  assert.equal(new TextDecoder().decode(await entry.read(1, 3)), "ell");
  await assert.rejects(entry.read(3, 3), /a\/b hold bytes 3 to 6: got 5 bytes/);
  await assert.rejects(entry.read(-1, 1), /hold bytes -1 to 0/);
});
