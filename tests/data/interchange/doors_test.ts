import assert from "node:assert/strict";

/** Modules that an entry point loads before anything is called. */
async function modulesOf(entry: string): Promise<string[]> {
  const root = new URL("../../../", import.meta.url);
  const args = ["info", "--json", new URL(entry, root).pathname];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string }[];
  };
  return modules.map(({ specifier }) => specifier);
}

Deno.test("mod.ts and data/mod.ts load no library of other formats", async () => {
  const libraries = /apache-arrow|hyparquet|papaparse|danfojs|interchange/;
  for (const entry of ["mod.ts", "data/mod.ts"]) {
    const modules = await modulesOf(entry);
    assert.ok(modules.length > 20, entry);
    assert.deepEqual(modules.filter((name) => libraries.test(name)), [], entry);
  }
  assert.ok((await modulesOf("data/interchange/arrow.ts")).some((name) => libraries.test(name)));
});
