import assert from "node:assert/strict";
import { fitUmapCurve } from "../../../tasks/analysis/umap_curve.ts";
import { optimizeLayout } from "../../../tasks/analysis/umap_layout.ts";
import { graphOf } from "./expected.ts";

const curve = fitUmapCurve(0.5, 1);
const turn = () => Promise.resolve();

/** Two pairs of cells, 10 apart, among 96 cells so far away that they hardly repel. */
const START = Float64Array.from(
  { length: 200 },
  (_, at) => at < 8 ? [0, 0, 10, 0, 0, 1000, 10, 1000][at]! : 1e4 * (at + 1),
);

/** Distances inside the two pairs after some passes. */
async function pairs(nEpochs: number, weight: number, start = START): Promise<[number, number]> {
  const points = start.slice(), graph = graphOf(100, [[0, 1, 1], [2, 3, weight]]);
  await optimizeLayout(graph, points, { curve, nEpochs, seed: 0, turn });
  const apart = (a: number, b: number) =>
    Math.hypot(points[2 * a]! - points[2 * b]!, points[2 * a + 1]! - points[2 * b + 1]!);
  return [apart(0, 1), apart(2, 3)];
}

Deno.test("optimizeLayout() brings joined cells near each other, and not onto each other", async () => {
  for (const x of [0.01, 30]) {
    for (const distance of await pairs(300, 1, START.with(2, x).with(6, x))) {
      assert.ok(distance > 0.01 && distance < 4, `${distance} from ${x}`);
    }
  }
});

Deno.test("optimizeLayout() draws a light edge more rarely than a heavy one", async () => {
  const [heavy, light] = await pairs(60, 0.02);
  assert.ok(heavy < 3, `${heavy}`);
  assert.ok(light > 9, `${light}`); // drawn once in 60 passes
});

Deno.test("optimizeLayout() awaits its turn before each pass", async () => {
  let turns = 0;
  const stop = () => ++turns > 3 ? Promise.reject(new Error("stopped")) : Promise.resolve();
  const run = optimizeLayout(graphOf(2, [[0, 1, 1]]), Float64Array.of(0, 0, 1, 1), {
    curve,
    nEpochs: 10,
    seed: 0,
    turn: stop,
  });
  await assert.rejects(run, /stopped/);
  assert.equal(turns, 4);
});
