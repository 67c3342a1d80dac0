import assert from "node:assert/strict";
import { embeddingPlot } from "../../../tasks/plots/embedding.ts";
import { COLORS, NEUTRAL } from "../../../tasks/plots/palette.ts";
import { select, textsOf } from "./svg.ts";

const cells = {
  x: [0, 1, 2, 3],
  y: new Float32Array([3, 1, 4, 1]),
  labels: ["T", "unknown", "B & <plasma>", "T"],
  title: "Four cells",
};

Deno.test("embeddingPlot() draws every cell in its class's colour", () => {
  const svg = embeddingPlot(cells, { subtitle: "UMAP of scGPT embeddings, random weights" });
  const [main, legend] = select(svg, "svg > svg");
  const marks = [...main!.querySelectorAll("circle, g[aria-label=dot] path")];
  const colors = marks.map((mark) => mark.getAttribute("fill")).sort();
  assert.deepEqual(colors, [COLORS[0], COLORS[1], COLORS[1], NEUTRAL].sort());
  const names = [...legend!.querySelectorAll("text")].map((text) => text.textContent);
  assert.deepEqual(names, ["B & <plasma>", "T", "unknown", "1", "2", "1"]);
});

Deno.test("embeddingPlot() says what it shows", () => {
  const svg = embeddingPlot(cells, { subtitle: "random weights", axis: "PCA" });
  const texts = textsOf(svg);
  assert.deepEqual(texts.slice(0, 2), ["Four cells", "random weights · 4 cells"]);
  assert.ok(texts.includes("PCA 1") && texts.includes("PCA 2"));
});

Deno.test("embeddingPlot() gives the same text each time, without leftovers of a page", () => {
  const svg = embeddingPlot(cells);
  assert.equal(embeddingPlot(cells), svg);
  assert.match(svg, /^<svg [^]*<\/svg>$/);
  assert.doesNotMatch(svg, /<style|<html|NaN|undefined/);
  assert.equal("document" in globalThis, false);
});

Deno.test("embeddingPlot() numbers classes when there are more than colours", () => {
  const labels = Array.from({ length: 44 }, (_, cell) => `class ${100 + cell % 22}`);
  const x = labels.map((_, cell) => cell % 7), y = labels.map((_, cell) => cell % 5);
  const svg = embeddingPlot({ x, y, labels, title: "Many" });
  const looks = select(svg, "svg > svg:last-of-type g[aria-label=dot] path").map((mark) =>
    `${mark.getAttribute("fill")} ${mark.getAttribute("d")}`
  );
  assert.equal(new Set(looks).size, looks.length);
  const texts = textsOf(svg);
  assert.ok(texts.includes("22  class 121"));
  assert.equal(texts.filter((text) => text === "22").length, 1); // on the cells
});

Deno.test("embeddingPlot() refuses what it cannot draw", () => {
  assert.throws(() => embeddingPlot({ ...cells, x: [1] }), /got 1, 4 and 4/);
  assert.throws(() => embeddingPlot({ ...cells, x: [0, 1, NaN, 1] }), /cell 2 .* got NaN, 4/);
  assert.throws(() => embeddingPlot(cells, { classes: ["T"] }), /must be one of T/);
  assert.throws(() => embeddingPlot(cells, { subtitel: "" } as object), /"subtitle"/);
});
