import assert from "node:assert/strict";
import { openSource } from "../../../data/mod.ts";
import { readSafetensors } from "../../../lib/io/safetensors.ts";
import { readFloat32, storedFloat32 } from "../../../lib/io/stored_tensor.ts";
import { saveSafetensors } from "../../../lib/io/write_deno.ts";

const w = storedFloat32("w", [2], Float32Array.of(1, -2));

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function files(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

Deno.test("saveSafetensors() writes a file that is read back", async () => {
  await inFolder(async (folder) => {
    await saveSafetensors(`${folder}/m.safetensors`, [w], { metadata: { made: "here" } });
    assert.deepEqual(files(folder), ["m.safetensors"]);
    using source = await openSource(`${folder}/m.safetensors`);
    const { tensors, metadata } = await readSafetensors(source);
    assert.deepEqual({ ...metadata }, { made: "here" });
    assert.deepEqual(await readFloat32(tensors.get("w")!), Float32Array.of(1, -2));
  });
});

Deno.test("saveSafetensors() replaces a file only when told", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/m.safetensors`;
    await Deno.writeTextFile(path, "old");
    await assert.rejects(saveSafetensors(path, [w]), Deno.errors.AlreadyExists);
    assert.equal(await Deno.readTextFile(path), "old");
    await saveSafetensors(path, [w], { force: true });
    assert.notEqual(await Deno.readTextFile(path), "old");
  });
});

Deno.test("saveSafetensors() leaves nothing behind when it fails", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/m.safetensors`;
    const broken = { ...w, name: "b", read: () => Promise.reject(new Error("no bytes")) };
    await assert.rejects(saveSafetensors(path, [w, broken]), /no bytes/);
    const signal = AbortSignal.abort(new Error("stop"));
    await assert.rejects(saveSafetensors(path, [w], { signal }), /stop/);
    assert.deepEqual(files(folder), []);
  });
});
