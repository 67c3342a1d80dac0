/** The reference's preprocessing of simulated cells, from tests/fixtures/preprocess. */
import { AnnData, DataFrame, denseMatrix } from "../../../../data/mod.ts";
import { readFixture } from "../../fixtures.ts";

/** A recorded tensor by name. */
export const recorded = await readFixture("preprocess/pipeline.safetensors");

/** Batch of each cell. */
export const BATCH: readonly string[] = Array.from(recorded("batch").values, String);

/** Cells of a recorded matrix, with the names that the reference had. */
export function cellsOf(name: "X_raw" | "cell_ranger.X_in"): AnnData {
  const { shape, values } = recorded(name);
  const [nObs = 0, nVars = 0] = shape;
  const numbered = (count: number, letter: string) =>
    Array.from({ length: count }, (_, i) => `${letter}${i}`);
  return AnnData.fromParts({
    X: denseMatrix(Float32Array.from(values), [nObs, nVars]),
    obs: new DataFrame({ index: numbered(nObs, "c") }),
    var: new DataFrame({ index: numbered(nVars, "G") }),
  });
}

/** Largest difference, relative to the largest finite number expected; infinite where NaN meets a number. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let error = 0, scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!, b = expected[i]!;
    if (Number.isNaN(a) !== Number.isNaN(b)) return Infinity;
    if (Number.isNaN(b)) continue;
    scale = Math.max(scale, Math.abs(b));
    error = Math.max(error, Math.abs(a - b));
  }
  return error / scale;
}
