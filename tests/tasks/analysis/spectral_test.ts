import assert from "node:assert/strict";
import { spectralLayout } from "../../../tasks/analysis/spectral.ts";
import { EXPECTED, GRAPH, graphOf } from "./expected.ts";

const settings = { seed: 0, turn: () => Promise.resolve() };

Deno.test("spectralLayout() gives the second and third eigenvector, up to one factor and signs", async () => {
  const points = await spectralLayout(GRAPH, settings);
  const length = Math.hypot(...points);
  for (const [axis, mode] of EXPECTED.spectral.entries()) {
    const along = mode.reduce((sum, value, at) => sum + value * points[2 * at + axis]!, 0);
    assert.ok(Math.abs(Math.abs(along) - length / Math.SQRT2) < 1e-3 * length);
  }
});

Deno.test("spectralLayout() keeps components apart", async () => {
  const ring = (first: number, n: number): [number, number, number][] =>
    Array.from({ length: n }, (_, at) => [first + at, first + (at + 1) % n, 1]);
  const graph = graphOf(15, [...ring(0, 6), ...ring(6, 6), [12, 13, 1]]); // and 14 alone
  const points = await spectralLayout(graph, settings);
  const of = (cell: number) => cell < 6 ? 0 : cell < 12 ? 1 : cell < 14 ? 2 : 3;
  const centres = [[1, 0], [0, 1], [-1, 0], [0, -1]];
  for (let cell = 0; cell < 15; cell++) {
    const [x, y] = centres[of(cell)]!;
    const away = Math.max(Math.abs(points[2 * cell]! - x!), Math.abs(points[2 * cell + 1]! - y!));
    assert.ok(away <= Math.SQRT1_2 + 1e-9, `cell ${cell} at ${away}`);
  }
});
