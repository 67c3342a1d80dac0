/** A temporary folder with a model of twelve genes, and cells for it. */
import { AnnData, DataFrame, denseMatrix, type GeneVocab, writeH5ad } from "../../mod.ts";
import { TempFolder } from "../data/fixtures.ts";
import { freshFiles, type FreshOptions, geneVocab } from "../lib/model/fresh_model.ts";

/** Names of the twelve genes. */
export const GENES: readonly string[] = geneVocab(12).names().slice(0, 12);

/** Counts of a cell. */
export const CELL: readonly number[] = [3, 0, 1, 5, 0, 0, 9, 2, 0, 0, 1, 4];

/** Cells cell0, cell1, … with these counts and the labels a, b, a, b, … */
export function cellsOf(
  rows: readonly (readonly number[])[],
  genes: readonly string[] = GENES,
): AnnData {
  const index = rows.map((_, row) => `cell${row}`);
  return AnnData.fromParts({
    X: denseMatrix(Float32Array.from(rows.flat()), [rows.length, genes.length]),
    obs: new DataFrame({ index }).with("kind", index.map((_, row) => "ab"[row % 2]!)),
    var: new DataFrame({ index: genes }),
  });
}

/** The folder; it goes when the test is over. */
export class CellsFolder extends TempFolder {
  /** Writes cells and returns the path. */
  async cells(name: string, adata: AnnData): Promise<string> {
    await writeH5ad(adata, this.file(name));
    return this.file(name);
  }

  /** Writes a model folder and returns its path. */
  async model(
    name = "model",
    options: FreshOptions & { readonly vocab?: GeneVocab } = {},
  ): Promise<string> {
    const { files } = await freshFiles({ vocab: geneVocab(12), ...options });
    const folder = this.file(name);
    await Deno.mkdir(folder);
    for (const [file, content] of Object.entries(files)) {
      const bytes = content instanceof Blob ? await content.bytes() : content;
      await Deno.writeFile(`${folder}/${file}`, bytes);
    }
    return folder;
  }
}
