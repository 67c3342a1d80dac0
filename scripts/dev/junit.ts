/** Reads the report that `deno test --junit-path` writes. */

/** One test, or one step of a test (named `test > step`). */
export interface TestCase {
  /** Path relative to the repository. */
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
}

/** Lists the tests in a report. */
export function parseJunit(xml: string): TestCase[] {
  return xml.split("<testcase ").slice(1).map((text): TestCase => ({
    file: attribute(text, "classname").replace(/^\.\//, ""),
    name: attribute(text, "name"),
    state: text.includes("<failure") ? "failed" : text.includes("<skipped") ? "skipped" : "passed",
  }));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function attribute(text: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1] ?? "";
  return value.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
}
