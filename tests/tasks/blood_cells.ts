/** Real cells for the tests of tasks and commands: those of the demo, log-normalised counts in `raw`. */
import { type AnnData, type Device, GeneVocab, openH5ad, type ScGPT } from "../../mod.ts";
import { freshModel } from "../lib/model/fresh_model.ts";

/** The demo's file: 700 blood cells, 765 genes, labels in obs.bulk_labels. */
export const BLOOD_FILE: string =
  new URL("../../scripts/demo/10x_pbmc68k_reduced.h5ad", import.meta.url).pathname;

/** Opens all cells; the caller closes them. */
export function openBlood(): Promise<AnnData> {
  return openH5ad(BLOOD_FILE);
}

/** `count` rows spread over the file. */
export function spreadRows(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + Math.floor(i * 690 / count));
}

/** A vocabulary of the cells' genes. */
export function bloodVocab(cells: AnnData): GeneVocab {
  return GeneVocab.fromNames(cells.raw?.var.index ?? []);
}

/** A small model with fresh weights for the cells' genes. */
export function bloodModel(device: Device, cells: AnnData): Promise<ScGPT> {
  return freshModel(device, { vocab: bloodVocab(cells) });
}
