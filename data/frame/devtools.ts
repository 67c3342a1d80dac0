/** How a page's console shows tables. */

/** A formatter of objects in a browser's developer tools. */
export interface ConsoleFormatter {
  /** What is shown for a value; null where the formatter does not know it. */
  header(value: unknown): readonly [tag: string, attributes: object, text: string] | null;
  /** Whether there is more to unfold. */
  hasBody(value: unknown): boolean;
}

/** A value that says what it is, as frames and annotated data do. */
function isShown(value: unknown): value is { toString(): string } {
  return typeof value === "object" && value !== null &&
    Symbol.for("Deno.customInspect") in value;
}

/**
 * Shows frames and annotated data in a browser's console as Deno does, once custom formatters are switched on in its settings;
 * `console.log(String(frame))` shows the same without that.
 *
 * @example For `globalThis.devtoolsFormatters`
 * ```ts
 * import assert from "node:assert/strict";
 * import { consoleFormatter, DataFrame } from "@scgpt/sdk/data";
 *
 * Object.assign(globalThis, { devtoolsFormatters: [consoleFormatter] });
 * const header = consoleFormatter.header(new DataFrame({ index: ["a"] }));
 * assert.match(header![2], /^DataFrame: 1 rows x 0 columns/);
 * assert.equal(consoleFormatter.header({}), null);
 * ```
 */
export const consoleFormatter: ConsoleFormatter = {
  header: (value) => isShown(value) ? ["pre", {}, String(value)] : null,
  hasBody: () => false,
};
