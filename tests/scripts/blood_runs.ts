/** Small runs of training commands on real cells. */
import { AnnData, CategoricalColumn, DataFrame, denseMatrix, labelsOf } from "../../mod.ts";
import { openBlood, spreadRows } from "../tasks/blood_cells.ts";
import { CellsFolder } from "./cells_folder.ts";
import { ON_CPU } from "./run_scgpt.ts";

/** A model and a recipe that take a second. */
export const TINY = [
  ...["--n-top-genes", "60", "--nlayers", "1", "--embsize", "16", "--nheads", "2"],
  ...["--d-hid", "16", "--batch-size", "16", "--epochs", "2", "--seed", "1", ...ON_CPU],
] as const;

/** How the cells of a file differ from the first ones. */
export interface BloodOptions {
  /** Changes labels. */
  readonly relabel?: (label: string | null, row: number) => string | null;
  /** Changes gene names. */
  readonly rename?: (gene: string, at: number) => string;
  /** First row of the bundled file. */
  readonly first?: number;
  /** Batches in obs.batch. */
  readonly batches?: number;
}

/** A folder for 120 blood cells with labels in obs.cell_type, and for runs on them. */
export class BloodFolder extends CellsFolder {
  /** Writes cells and returns the path. */
  async blood(name = "cells.h5ad", options: BloodOptions = {}): Promise<string> {
    const { relabel = (label) => label, rename = (gene) => gene, first = 0, batches = 2 } = options;
    using all = await openBlood();
    const some = all.select({ obs: spreadRows(120, first) });
    const { X, var: { index: genes } } = some.raw!;
    const labels = (await labelsOf(some, "bulk_labels")).map(relabel);
    const adata = AnnData.fromParts({
      X: denseMatrix(Float32Array.from(await X.dense()), [120, genes.length]),
      obs: new DataFrame({ index: some.obsNames })
        .with("cell_type", CategoricalColumn.from(labels))
        .with("batch", CategoricalColumn.from(labels.map((_, row) => `b${row % batches}`))),
      var: new DataFrame({ index: genes.map(rename) }),
    });
    return await this.cells(name, adata);
  }

  /** Arguments of a tiny annotator's training into `<name>`. */
  trainArgs(train: string, name = "run"): string[] {
    const data = ["--train", train, "--label-key", "cell_type", "--output", this.file(name)];
    return ["train", "annotate", ...data, ...TINY];
  }
}
