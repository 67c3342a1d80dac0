import assert from "node:assert/strict";
import { fitUmapCurve } from "../../../tasks/analysis/umap_curve.ts";
import { EXPECTED } from "./expected.ts";

Deno.test("fitUmapCurve() gives umap-learn's a and b", () => {
  for (const [minDist, spread, a, b] of EXPECTED.curves) {
    const fit = fitUmapCurve(minDist, spread);
    assert.ok(Math.abs(fit.a / a - 1) < 1e-5 && Math.abs(fit.b / b - 1) < 1e-5, `${minDist}`);
  }
});
