import assert from "node:assert/strict";
import { readFloat32, storedFloat32 } from "../../../lib/io/stored_tensor.ts";
import { saveSafetensors } from "../../../lib/io/write_deno.ts";
import { FolderStore } from "../../../lib/train/folder_store_deno.ts";
import type { FitState, Snapshot } from "../../../lib/train/snapshot.ts";
import { TempFolder } from "../../data/fixtures.ts";
import { pause, runAndKill } from "./child.ts";

const STATE: FitState = {
  step: 7,
  epoch: 1,
  batch: 3,
  sums: { gep: 0.1 + 0.2, cells: 96 },
  best: { epoch: 0, loss: 1 / 3 },
  stale: 1,
  recipe: '{"lr":0.001}',
};
const weight = storedFloat32("w", [2, 3], Float32Array.of(1, -2, 3, 4, 5, 6));
const adam = [
  storedFloat32("exp_avg.w", [2, 3], new Float32Array(6).fill(0.5)),
  storedFloat32("exp_avg_sq.w", [2, 3], new Float32Array(6).fill(0.25)),
  storedFloat32("step.w", [1], Float32Array.of(7)),
];
const names = (folder: TempFolder) =>
  [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();

async function weightOf({ tensors }: Snapshot): Promise<number[]> {
  return [...await readFloat32(tensors.find(({ name }) => name === "w")!)];
}

Deno.test("FolderStore loads what was saved, slot by slot", async () => {
  using folder = new TempFolder();
  const store = new FolderStore(folder.file("run"));
  assert.equal(await store.load("last"), undefined);
  await store.save("last", { state: STATE, tensors: [weight, ...adam] });
  const first = { ...STATE, best: undefined };
  await store.save("best", { state: first, tensors: [weight] });
  assert.deepEqual(names(folder), ["run"]);
  const last = (await new FolderStore(folder.file("run")).load("last"))!;
  assert.deepEqual(last.state, STATE);
  assert.deepEqual(last.tensors.map(({ name }) => name), ["w", ...adam.map(({ name }) => name)]);
  assert.deepEqual(await weightOf(last), [1, -2, 3, 4, 5, 6]);
  assert.deepEqual((await store.load("best"))!.state, first);
  assert.equal(store.place("best"), `${folder.file("run")}/best.safetensors`);
});

Deno.test("FolderStore keeps the earlier state when a save fails, and removes what a killed one left", async () => {
  using folder = new TempFolder();
  const store = new FolderStore(folder.path);
  await store.save("last", { state: STATE, tensors: [weight] });
  const broken = { ...weight, name: "b", read: () => Promise.reject(new Error("device lost")) };
  const later = { ...STATE, step: 8 };
  await assert.rejects(store.save("last", { state: later, tensors: [weight, broken] }), /lost/);
  assert.deepEqual(names(folder), ["last.safetensors"]);
  const left = `last.safetensors.${crypto.randomUUID()}.tmp`;
  await Deno.writeTextFile(folder.file(left), "half");
  assert.equal((await store.load("last"))!.state.step, 7);
  await store.save("best", { state: later, tensors: [weight] });
  assert.deepEqual(names(folder), ["best.safetensors", "last.safetensors"]);
});

Deno.test("FolderStore says what is wrong with a file", async () => {
  using folder = new TempFolder();
  const store = new FolderStore(folder.path);
  const path = store.place("last");
  const refused = async (message: RegExp) =>
    await assert.rejects(store.load("last"), (error: Error) => {
      assert.equal(error.name, "CheckpointError");
      assert.match(error.message, message);
      assert.match(error.message, /last\.safetensors/);
      return true;
    });
  const put = async (state: unknown, tensors = [weight]) => {
    const text = typeof state === "string" ? state : JSON.stringify(state);
    await saveSafetensors(path, tensors, { force: true, metadata: { fit_state: text } });
  };
  await saveSafetensors(path, [weight], { force: true });
  await refused(/must have "fit_state" in its metadata: got none/);
  await put("{half");
  await refused(/must have JSON in "fit_state": got \{half/);
  await put({ ...STATE, step: -1 });
  await refused(/must have an integer >= 0 as step in "fit_state": got -1/);
  await put({ ...STATE, sums: { gep: "x" } });
  await refused(/must have numbers by name as sums/);
  await put({ ...STATE, best: { epoch: 1 } });
  await refused(/must have an epoch and its loss as best/);
  await put({ ...STATE, recipe: "lr" });
  await refused(/must have the JSON of a recipe as recipe/);
  await put(null);
  await refused(/an integer >= 0 as step/);
  await put(STATE, [weight, ...adam.slice(0, 2)]);
  await refused(/must have step\.w of shape \[1\]: got none/);
  await put(STATE, [weight, storedFloat32("exp_avg.w", [6], new Float32Array(6))]);
  await refused(/must have exp_avg\.w of shape \[2,3\]: got \[6\]/);
  await put(STATE, [{ ...weight, dtype: "I32" }]);
  await refused(/must have w in F32: got I32/);
  await put(STATE);
  const whole = await Deno.readFile(path);
  await Deno.writeFile(path, whole.subarray(0, whole.length - 4));
  await refused(/as a safetensors file must have 24 bytes of data: got 20/);
  await Deno.writeFile(path, new Uint8Array(3));
  await refused(/must have at least 8 bytes: got 3/);
});

Deno.test("FolderStore keeps a valid state when its process is killed at any moment", async () => {
  using folder = new TempFolder();
  const store = new FolderStore(folder.path);
  let unfinished = 0, step = 1;
  for (let kill = 0; kill < 10; kill++) {
    const { told, killed } = await runAndKill(
      "save_child.ts",
      [folder.path, String(step), "1000"],
      async (told) => {
        if (!told.includes("saved")) return false;
        await pause(Math.random() * 90); // a save takes about 60 ms
        return true;
      },
    );
    assert.ok(killed);
    unfinished += names(folder).filter((name) => name.endsWith(".tmp")).length;
    const saved = [...told.matchAll(/^saved (\d+)$/gm)].map(([, step]) => Number(step));
    const snapshot = (await store.load("last"))!;
    assert.ok(snapshot.state.step >= saved.at(-1)!, `${snapshot.state.step} after ${saved.at(-1)}`);
    for (const tensor of snapshot.tensors) {
      assert.deepEqual(new Set(await readFloat32(tensor)), new Set([snapshot.state.step]));
    }
    step = snapshot.state.step + 1;
  }
  assert.ok(unfinished >= 1, "no kill fell into a save");
  await store.save("last", { state: { ...STATE, step }, tensors: [weight] });
  assert.deepEqual(names(folder), ["last.safetensors"]);
});

Deno.test({
  name: "FolderStore keeps the earlier state when the disk is full",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using folder = new TempFolder();
    const store = new FolderStore(folder.path);
    await store.save("last", { state: STATE, tensors: [weight] });
    const script = new URL("save_child.ts", import.meta.url).pathname;
    // Files may grow to 50 KiB, a state has 160 KiB; without the signal's death the write fails as on a full disk.
    const shell = `trap "" XFSZ; ulimit -f 50; exec "$@"`;
    const { code, stderr } = await new Deno.Command("bash", {
      args: ["-c", shell, "bash", Deno.execPath(), "run", "--allow-all", "--no-check", script]
        .concat(
          [folder.path, "8", "1"],
        ),
    }).output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stderr), /File too large/);
    assert.deepEqual(names(folder), ["last.safetensors"]);
    const kept = (await store.load("last"))!;
    assert.equal(kept.state.step, 7);
    assert.deepEqual(await weightOf(kept), [1, -2, 3, 4, 5, 6]);
  },
});
