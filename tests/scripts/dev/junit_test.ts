import assert from "node:assert/strict";
import { parseJunit, type TestCase } from "../../../scripts/dev/junit.ts";

/** The report of `deno test` on a module with this source. */
async function report(source: string): Promise<TestCase[]> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/a_test.ts`, source);
  const args = ["test", "--no-check", `--junit-path=${folder}/report.xml`, "a_test.ts"];
  await new Deno.Command(Deno.execPath(), { args, cwd: folder }).output();
  const cases = parseJunit(await Deno.readTextFile(`${folder}/report.xml`));
  await Deno.remove(folder, { recursive: true });
  return cases;
}

Deno.test("parseJunit() tells what passed, failed and was skipped, steps included", async () => {
  const cases = await report(`
    Deno.test("a < b & \\"c\\"", () => {});
    Deno.test({ name: "later", ignore: true, fn() {} });
    Deno.test("outer", async (t) => {
      await t.step("inner", () => { throw new Error('<testcase name="x"><skipped/>'); });
    });`);
  assert.deepEqual(cases.map(({ file, name, state }) => [file, name, state]), [
    ["a_test.ts", 'a < b & "c"', "passed"],
    ["a_test.ts", "later", "skipped"],
    ["a_test.ts", "outer", "failed"],
    ["a_test.ts", "outer > inner", "failed"],
  ]);
});
