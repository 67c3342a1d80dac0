import assert from "node:assert/strict";
import { type Declaration, declarationLines } from "../../../scripts/dev/api_text.ts";
import { deno } from "../../../scripts/dev/project.ts";

/** What the API text makes of a module's source. */
async function apiLines(source: string): Promise<string[]> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, source);
  const { stdout } = await deno(["doc", "--json", file]);
  await Deno.remove(file);
  interface Module {
    symbols: { name: string; declarations: Declaration[] }[];
  }
  const modules: Module[] = Object.values(JSON.parse(stdout).nodes);
  return modules.flatMap(({ symbols }) => symbols)
    .flatMap(({ name, declarations }) => declarations.flatMap((d) => declarationLines(name, d)));
}

Deno.test("declarationLines() writes functions, variables and enums as TypeScript does", async () => {
  const lines = [
    "function open(path: string, options?: { force?: boolean }): Promise<Uint8Array<ArrayBuffer>>",
    "function is<T extends object = Date>(this: Date, x: unknown, ...more: T[]): asserts x is T",
    "const limit: readonly [number, string | undefined]",
  ];
  const source = `
    export function open(path: string, options: { force?: boolean } = {}): Promise<Uint8Array<ArrayBuffer>> { throw [path, options]; }
    export function is<T extends object = Date>(this: Date, x: unknown, ...more: T[]): asserts x is T { throw [x, more]; }
    export const limit: readonly [number, string | undefined] = [1, "a"];
    export enum Level { Low = 1, High = "high" }`;
  assert.deepEqual(await apiLines(source), [
    ...lines,
    "enum Level",
    "  Low = 1",
    '  High = "high"',
  ]);
});

Deno.test("declarationLines() writes types of every kind as they were written", async () => {
  const lines = [
    "type A<T> = T extends infer U extends string ? U : never",
    "type B<T> = { readonly [K in keyof T as `x${string & K}`]?: T[K] }",
    "type C = { new(x: number): string; (x: number): string; readonly [k: string]: unknown; m?(): void }",
    'type D = (1 | -1 | true | 10n | "s" | `a${number}b` | null)[]',
    "type E = typeof globalThis.name & unique symbol",
    "type F = new (a: number, ...b: string[]) => (c: Date) => void",
    "type G<T> = { -readonly [K in keyof T]-?: T[K] }",
  ];
  const source = lines.map((line) => `export ${line.replace("new(", "new (")};`).join("\n");
  assert.deepEqual(await apiLines(source), lines);
});

Deno.test("declarationLines() lists public members and heritage", async () => {
  const source = `
    export abstract class Q<T> extends Map<string, T> implements Disposable {
      #hidden = 1;
      private alsoHidden = 2;
      static readonly z: string = "";
      protected y?: number;
      constructor(readonly b: number) { super(); void [this.#hidden, this.alsoHidden]; }
      get size2(): number { return 1; }
      abstract f(a: T): void;
      [Symbol.dispose](): void {}
    }
    export interface I<T> extends Iterable<T> { readonly a?: T; m<U>(u: U): this }`;
  assert.deepEqual(await apiLines(source), [
    "class Q<T> extends Map<string, T> implements Disposable",
    "  new(b: number)",
    "  static readonly z: string",
    "  protected y?: number",
    "  get size2(): number",
    "  abstract f(a: T): void",
    "  [Symbol.dispose](): void",
    "interface I<T> extends Iterable<T>",
    "  readonly a?: T",
    "  m<U>(u: U): this",
  ]);
});
