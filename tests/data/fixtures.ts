/** Files and small objects that the tests of data/ share. */
import type { AnnData, CsrRows, Matrix } from "../../data/mod.ts";
import { openH5ad } from "../../data/h5ad/mod.ts";

/** Path of a fixture that scripts/dev/make_h5ad_fixtures.py makes. */
export function fixture(name: string): string {
  return new URL(`../fixtures/h5ad/${name}.h5ad`, import.meta.url).pathname;
}

/** Values of the fixtures' X, row by row. */
export const VALUES = [0, 1, 2.5, 0, 0, 0, 3, 0, 0, 0, 4, 5];

/** Opens a fixture. */
export function openFixture(name: string): Promise<AnnData> {
  return openH5ad(fixture(name));
}

/** All values of a matrix. */
export async function valuesOf(matrix: Matrix): Promise<number[]> {
  return [...await matrix.dense({ dtype: "float64" })];
}

/** All pieces of a matrix. */
export async function piecesOf(rows: AsyncIterable<CsrRows>): Promise<CsrRows[]> {
  const pieces: CsrRows[] = [];
  for await (const piece of rows) pieces.push(piece);
  return pieces;
}

/** A temporary folder that is removed when the test is over. */
export class TempFolder {
  readonly path: string = Deno.makeTempDirSync();

  /** Path of a file in it. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
