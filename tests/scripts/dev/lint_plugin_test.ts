import assert from "node:assert/strict";
import plugin from "../../../scripts/dev/lint_plugin.ts";

function messages(filename: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, filename, source).map(({ id }) => id.replace("scgpt/", ""));
}

Deno.test("web-only refuses Deno in files that a page loads", () => {
  const source = `export const read = (path: string) => Deno.readFile(path);`;
  assert.deepEqual(messages("data/source.ts", source), ["web-only"]);
  assert.deepEqual(messages("data/source.ts", `export type F = Deno.FsFile;`), ["web-only"]);
  assert.deepEqual(messages("data/source_deno.ts", source), []);
  assert.deepEqual(messages("scripts/scgpt.ts", source), []);
  assert.deepEqual(
    messages("data/source.ts", `export const here = typeof Deno !== "undefined";`),
    [],
  );
});

Deno.test("no-console keeps the library silent", () => {
  assert.deepEqual(messages("lib/fit.ts", `console.log("epoch");`), ["no-console"]);
  assert.deepEqual(messages("scripts/scgpt.ts", `console.log("epoch");`), []);
});

Deno.test("file-length and function-length count lines", () => {
  const lines = (n: number) => Array(n).fill("  f();").join("\n");
  assert.deepEqual(messages("lib/a.ts", lines(400)), []);
  assert.deepEqual(messages("lib/a.ts", lines(401)), ["file-length"]);
  const names = Array.from({ length: 500 }, (_, i) => `  a${i},`).join("\n");
  assert.deepEqual(messages("mod.ts", `export {\n${names}\n} from "./a.ts";`), []);
  assert.deepEqual(messages("lib/a.ts", `export {\n${names}\n} from "./b.ts";`), ["file-length"]);
  assert.deepEqual(messages("lib/a.ts", `function f() {\n${lines(58)}\n}`), []);
  assert.deepEqual(messages("lib/a.ts", `function f() {\n${lines(59)}\n}`), ["function-length"]);
  assert.deepEqual(messages("lib/a.ts", `class A { m() {\n${lines(59)}\n} }`), ["function-length"]);
});

Deno.test("few-parameters counts what stands before the options", () => {
  const exported = (parameters: string) =>
    messages("lib/a.ts", `export function f(${parameters}) {}`);
  assert.deepEqual(exported("a: A, b: B, c: C, d: D, options: Options = {}"), []);
  assert.deepEqual(exported("a: A, b: B, c: C, d: D, { e = 1 }: Options = {}"), []);
  assert.deepEqual(exported("a: A, b: B, c: C, d: D, e: E"), ["few-parameters"]);
  assert.deepEqual(messages("lib/a.ts", `function f(a: A, b: B, c: C, d: D, e: E) {}`), []);
});
