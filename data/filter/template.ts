/** Filters as tagged templates. */
import { type ParsedFilter, parseFilter } from "./parse.ts";

/** A condition on rows of a table: made by {@linkcode obs}, {@linkcode vars} or {@linkcode where}. */
export interface Filter extends ParsedFilter {
  /** Which table of annotated data it is about; undefined where that is open. */
  readonly axis: "obs" | "var" | undefined;
}

function filterOf(
  axis: Filter["axis"],
  parts: TemplateStringsArray,
  values: readonly unknown[],
): Filter {
  const texts = parts.map((part, k) => part ?? parts.raw[k]!);
  return { ...parseFilter(texts, values), axis };
}

/**
 * A condition on cells. Interpolated values are literals, whatever they look like.
 *
 * @throws {SyntaxError} Where it is no filter; the message points at the place.
 *
 * @example Cells of some tissues
 * ```ts
 * import assert from "node:assert/strict";
 * import { CategoricalColumn, DataFrame, obs } from "@scgpt/sdk/data";
 *
 * const frame = new DataFrame({ index: ["c1", "c2", "c3"] })
 *   .with("tissue", CategoricalColumn.from(["lung", "liver", "lung"]))
 *   .with("n_genes", Int32Array.of(150, 900, 800));
 * const tissues = ["lung", "skin"];
 * const kept = await frame.filter(obs`tissue in ${tissues} && n_genes > 200`);
 * assert.deepEqual(kept.index, ["c3"]);
 * ```
 */
export function obs(parts: TemplateStringsArray, ...values: readonly unknown[]): Filter {
  return filterOf("obs", parts, values);
}

/** A condition on genes, as {@linkcode obs} is one on cells. */
export function vars(parts: TemplateStringsArray, ...values: readonly unknown[]): Filter {
  return filterOf("var", parts, values);
}

/** A condition on the rows of any frame, as {@linkcode obs} is one on cells. */
export function where(parts: TemplateStringsArray, ...values: readonly unknown[]): Filter {
  return filterOf(undefined, parts, values);
}
