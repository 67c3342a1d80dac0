import assert from "node:assert/strict";
import { removeUnfinished, writeWhole } from "../../data/atomic_deno.ts";
import { TempFolder } from "./fixtures.ts";

const text = (words: string) => (at: string) => Deno.writeTextFile(at, words);
const names = (folder: TempFolder) => [...Deno.readDirSync(folder.path)].map(({ name }) => name);

Deno.test("writeWhole() writes beside the file and gives what the writer gave", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.txt");
  const given = await writeWhole(path, async (temporary) => {
    assert.ok(temporary.startsWith(`${path}.`));
    await Deno.writeTextFile(temporary, "whole");
    assert.equal(names(folder).includes("a.txt"), false);
    return 7;
  });
  assert.equal(given, 7);
  assert.equal(await Deno.readTextFile(path), "whole");
  assert.deepEqual(names(folder), ["a.txt"]);
});

Deno.test("writeWhole() replaces a file only when told", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.txt");
  await Deno.writeTextFile(path, "old");
  await assert.rejects(writeWhole(path, text("new")), Deno.errors.AlreadyExists);
  assert.equal(await Deno.readTextFile(path), "old");
  await writeWhole(path, text("new"), { force: true });
  assert.equal(await Deno.readTextFile(path), "new");
});

Deno.test("writeWhole() leaves the earlier file and nothing else when the writer fails", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.txt");
  await Deno.writeTextFile(path, "old");
  const failing = async (at: string) => {
    await Deno.writeTextFile(at, "half");
    throw new Error("no more");
  };
  await assert.rejects(writeWhole(path, failing, { force: true }), /no more/);
  assert.equal(await Deno.readTextFile(path), "old");
  assert.deepEqual(names(folder), ["a.txt"]);
});

Deno.test("writeWhole() does not replace a file that came while it wrote", async () => {
  using folder = new TempFolder();
  const path = folder.file("a.txt");
  const late = async (at: string) => {
    await Deno.writeTextFile(at, "ours");
    await Deno.writeTextFile(path, "theirs");
  };
  await assert.rejects(writeWhole(path, late), Deno.errors.AlreadyExists);
  assert.equal(await Deno.readTextFile(path), "theirs");
});

Deno.test("writeWhole() refuses other options", async () => {
  using folder = new TempFolder();
  const given = { froce: true } as never;
  await assert.rejects(writeWhole(folder.file("a.txt"), text("x"), given), /did you mean "force"/);
  assert.deepEqual(names(folder), []);
});

Deno.test("removeUnfinished() removes the temporaries of this file alone", async () => {
  using folder = new TempFolder();
  const unfinished = `a.txt.${crypto.randomUUID()}.tmp`;
  const others = ["a.txt", `b.txt.${crypto.randomUUID()}.tmp`, "a.txt.mine.tmp", "a.txt.tmp"];
  for (const name of [unfinished, ...others]) await Deno.writeTextFile(folder.file(name), "x");
  await removeUnfinished(folder.file("a.txt"));
  assert.deepEqual(names(folder).sort(), others.toSorted());
});
