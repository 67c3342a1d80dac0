import assert from "node:assert/strict";
import { scoresPlot } from "../../../tasks/plots/scores.ts";
import { select, textsOf } from "./svg.ts";

const methods = [
  { method: "scGPT <ours>", scores: { accuracy: [0.955, 0.946, 0.942], seconds: [33, 36, 38] } },
  { method: "kNN", scores: { accuracy: [0.951] } },
];

Deno.test("scoresPlot() draws each seed, the mean of each method, and its number", () => {
  const svg = scoresPlot(methods, { subtitle: "PBMC" });
  const circles = select(svg, "g[aria-label=dot] circle");
  assert.equal(circles.filter((dot) => dot.getAttribute("r") === "2.2").length, 6);
  assert.equal(circles.filter((dot) => dot.getAttribute("r") === "4.5").length, 3);
  const texts = textsOf(svg);
  assert.equal(texts[1], "PBMC · mean, and each of 3 seeds");
  for (const text of ["scGPT <ours>", "kNN", "accuracy", "seconds", "0.948", "0.951", "35.7"]) {
    assert.ok(texts.includes(text), text);
  }
});

Deno.test("scoresPlot() puts larger scores to the right, all inside the panel", () => {
  const svg = scoresPlot(methods);
  const [frame] = select(svg, "g[aria-label=rect] rect");
  const left = Number(frame!.getAttribute("x"));
  const right = left + Number(frame!.getAttribute("width"));
  const [seeds] = select(svg, "g[aria-label=dot]"); // of accuracy
  const x = [...seeds!.querySelectorAll("circle")].map((dot) => Number(dot.getAttribute("cx")));
  assert.ok(x[0]! > x[1]! && x[1]! > x[2]!);
  assert.ok(x.every((place) => place > left && place < right));
});

Deno.test("scoresPlot() refuses what it cannot draw", () => {
  assert.throws(() => scoresPlot([]), /got none/);
  assert.throws(() => scoresPlot(methods, { highlight: "SVM" }), /got "SVM"/);
  const strange = [{ method: "kNN", scores: { accuracy: [NaN] } }];
  assert.throws(() => scoresPlot(strange), /got NaN for accuracy of kNN/);
});
