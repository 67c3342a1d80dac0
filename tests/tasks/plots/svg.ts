/** Reading of figures in tests. */
import { parseHTML } from "linkedom/worker";

/** The elements of an SVG text that match a selector. */
export function select(svg: string, selector: string): Element[] {
  const { document } = parseHTML(`<!doctype html><html><body>${svg}</body></html>`);
  return [...document.querySelectorAll(selector)];
}

/** The texts that a reader sees, in the order of the document. */
export function textsOf(svg: string): string[] {
  return select(svg, "text").map((element) => element.textContent ?? "");
}
