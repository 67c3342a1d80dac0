import assert from "node:assert/strict";
import { lossPlot } from "../../../tasks/plots/losses.ts";
import { COLORS } from "../../../tasks/plots/palette.ts";
import { select, textsOf } from "./svg.ts";

const run = (shift: number) => ({
  train: [3, 2, 1, 0.5].map((loss, at) => ({ at: at + 1, loss: loss + shift })),
  validation: [3, 1.5, 1.2, 1.4].map((loss, at) => ({ at: at + 1, loss: loss + shift })),
});

Deno.test("lossPlot() draws a line for each run and split, and a dot at the lowest validation", () => {
  const svg = lossPlot([run(0), run(0.3)], { title: "Run <1>", subtitle: "PBMC" });
  const lines = select(svg, "g[aria-label=line]").map((group) => [
    group.getAttribute("stroke"),
    group.querySelectorAll("path").length,
  ]);
  assert.deepEqual(lines, [[COLORS[0], 2], [COLORS[4], 2]]);
  const [main] = select(svg, "svg > svg");
  const dots = [...main!.querySelectorAll("g[aria-label=dot] circle")];
  assert.equal(dots.length, 2);
  assert.equal(new Set(dots.map((dot) => dot.getAttribute("cx"))).size, 1); // both at epoch 3
  const texts = textsOf(svg);
  assert.deepEqual(texts.slice(0, 2), ["Run <1>", "PBMC · 2 runs"]);
  for (const text of ["Epoch", "Loss", "training", "validation", "lowest of a run"]) {
    assert.ok(texts.includes(text), text);
  }
});

Deno.test("lossPlot() without validation shows none", () => {
  const texts = textsOf(lossPlot([{ train: run(0).train }], { axis: "Step" }));
  assert.ok(texts.includes("training") && texts.includes("Step") && texts.includes("1 run"));
  assert.ok(!texts.includes("validation"));
});

Deno.test("lossPlot() has a logarithmic axis, and refuses losses that do not fit on it", () => {
  const heights = [false, true].map((log) => {
    const [line] = select(lossPlot([run(0)], { log }), "g[aria-label=line] path");
    return line!.getAttribute("d");
  });
  assert.notEqual(heights[0], heights[1]);
  assert.throws(() => lossPlot([run(-1)], { log: true }), /> 0 on a logarithmic axis: got 0 at 3/);
  assert.throws(() => lossPlot([run(NaN)]), /finite: got NaN at 1/);
  assert.throws(() => lossPlot([{ train: [] }]), /got none/);
  assert.throws(() => lossPlot([run(0)], { titel: "" } as object), /did you mean "title"/);
});
