import assert from "node:assert/strict";
import fc from "fast-check";
import { parseHTML } from "linkedom/worker";
import { escapeHtml, reportHtml } from "../../../tasks/report/html.ts";
import { HOSTILE, REPORT } from "./report.ts";

const page = reportHtml(REPORT);
const { document } = parseHTML(page);
const cells = [...document.querySelectorAll("td")].map((cell) => cell.textContent!.trim());

Deno.test("reportHtml() leaves hostile text as text", () => {
  assert.equal(document.querySelectorAll("script").length, 0);
  assert.equal(document.querySelectorAll("[onerror]").length, 0);
  assert.equal(document.querySelectorAll("img").length, REPORT.figures.length);
  for (const place of ["p.summary", "h2", ".caption", "tbody th", "td.text", "li", "dt", "dd"]) {
    const text = document.querySelector(place)?.textContent ?? "";
    assert.ok(text.includes(HOSTILE), `${place}: ${text}`);
  }
});

Deno.test("reportHtml() needs no network and no scripts", () => {
  assert.doesNotMatch(page, /(src|href)="(?!data:)|@import|url\(/);
  assert.match(page, /default-src 'none'/);
});

Deno.test("reportHtml() shows means with their spread and marks the best", () => {
  assert.deepEqual(cells.slice(0, 3), ["0.948 ± 0.007", "35.7 ± 2.5", "–"]);
  assert.deepEqual(cells.slice(3, 5), ["0.951", "2.0"]);
  const best = [...document.querySelectorAll("td.best")].map((cell) => cell.textContent!.trim());
  assert.deepEqual(best, ["0.951", "2.0"]);
});

Deno.test("reportHtml() carries the figures whole", () => {
  const source = document.querySelector("img")!.getAttribute("src")!;
  const svg = decodeURIComponent(source.slice(source.indexOf(",") + 1));
  assert.equal(svg, REPORT.figures[0]!.svg);
  assert.match(document.querySelector("img")!.getAttribute("width")!, /^\d+$/);
});

Deno.test("escapeHtml() leaves no markup in any text, and loses none", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const escaped = escapeHtml(text);
    assert.doesNotMatch(escaped, /[<>"']/);
    const back = escaped.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'").replaceAll("&amp;", "&");
    assert.equal(back, text);
  }));
});
