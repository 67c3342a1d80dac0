import assert from "node:assert/strict";
import { confusionMatrix } from "../../../tasks/metrics/classification.ts";
import { confusionPlot } from "../../../tasks/plots/confusion.ts";
import { select, textsOf } from "./svg.ts";

const matrix = confusionMatrix(
  ["B", "B", "B", "T", "T"],
  ["B", "B", "T", "T", "unknown"],
);

Deno.test("confusionPlot() draws a square for each pair, with its per cent", () => {
  const svg = confusionPlot(matrix, { title: "Mapping", subtitle: "kNN" });
  assert.equal(select(svg, "g[aria-label=cell] rect").length, 6);
  const texts = textsOf(svg);
  assert.deepEqual(texts.slice(0, 2), ["Mapping", "kNN · 5 cells; per cent of each true label"]);
  const inside = select(svg, "g[aria-label=text] text").map((text) => text.textContent);
  assert.deepEqual(inside, ["67", "33", "50", "50"]);
  for (const text of ["B (3)", "T (2)", "unknown", "Predicted label", "True label"]) {
    assert.ok(texts.includes(text), text);
  }
});

Deno.test("confusionPlot() gives the same text each time", () => {
  assert.equal(confusionPlot(matrix), confusionPlot(matrix));
  assert.doesNotMatch(confusionPlot(matrix), /NaN|undefined/);
});
