import assert from "node:assert/strict";
import { COLORS, NEUTRAL, stylesOf } from "../../../tasks/plots/palette.ts";

Deno.test("stylesOf() gives 60 classes 60 looks", () => {
  const classes = Array.from({ length: 60 }, (_, at) => `c${at}`);
  const looks = stylesOf(classes, "unknown").map(({ color, symbol }) => `${color} ${symbol}`);
  assert.equal(new Set(looks).size, 60);
});

Deno.test("stylesOf() keeps grey for rejected cells", () => {
  const styles = stylesOf(["a", "unknown", "b"], "unknown");
  assert.deepEqual(styles.map(({ color }) => color), [COLORS[0], NEUTRAL, COLORS[1]]);
});

Deno.test("COLORS stay apart for colour-blind readers", () => {
  for (const [vision, matrix] of Object.entries(VISIONS)) {
    const seen = COLORS.map((color) => lab(matrix, color));
    seen.forEach((a, i) =>
      seen.slice(0, i).forEach((b, j) => {
        const difference = Math.hypot(...a.map((value, at) => value - b[at]!));
        assert.ok(
          difference >= 16,
          `${vision}: ${COLORS[i]} and ${COLORS[j]} differ by ${difference}`,
        );
      })
    );
  }
});

/** What dichromats see of linear RGB: Machado, Oliveira and Fernandes 2009, table 1, severity 1. */
const VISIONS = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b* (D65) of a colour as seen. */
function lab(matrix: number[][], color: string): [number, number, number] {
  const linear = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((s) => s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4);
  const seen = times(matrix, linear).map((value) => Math.min(1, Math.max(0, value)));
  const xyz = times(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
    seen,
  );
  const [x, y, z] = [xyz[0]! / 0.9505, xyz[1]!, xyz[2]! / 1.089]
    .map((t) => t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116) as [number, number, number];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function times(matrix: number[][], vector: number[]): number[] {
  return matrix.map((row) => row.reduce((sum, value, at) => sum + value * vector[at]!, 0));
}
