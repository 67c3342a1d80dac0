/** Embeddings of cells by a trained model, as it sees them itself. */
import type { AnnData } from "../../data/mod.ts";
import { type PackedBatch, refuseUnknownKeys } from "../../lib/mod.ts";
import type { CellEmbedding } from "../baselines/integration.ts";
import {
  cellRows,
  TRAINED_INPUT,
  type TrainedInput,
  type TrainedModel,
  unitEmbeddings,
} from "../trained.ts";

/**
 * Embeds cells over the genes and with the tokens that a model was trained on (`embed` has those of pretraining).
 *
 * @param adata Cells
 * @param trained Model without batches, such as an annotator
 * @param options Settings
 * @returns Unit vectors [cells, width]
 * @throws {RangeError} When too few of the model's genes are there, or a value is negative or not finite
 */
export async function embedTrained(
  adata: AnnData,
  trained: TrainedModel,
  options: TrainedInput = {},
): Promise<CellEmbedding> {
  refuseUnknownKeys(options, TRAINED_INPUT, "embed cells");
  const { model } = trained;
  const nDims = model.config.embsize;
  const work = { width: nDims, rows: (batch: PackedBatch) => unitEmbeddings(model, batch) };
  const { values } = await cellRows(adata, trained, options, work);
  return { embeddings: values, nDims };
}
