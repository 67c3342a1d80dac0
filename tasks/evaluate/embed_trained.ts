/** Embeddings of cells by a trained model, as it sees them itself. */
import type { AnnData } from "../../data/mod.ts";
import { run, scope } from "../../gpu/mod.ts";
import { eventTurn, expressionOf, loadBatches, refuseUnknownKeys } from "../../lib/mod.ts";
import type { CellEmbedding } from "../baselines/integration.ts";
import { mapPanel, type PanelOptions } from "../gene_panel.ts";
import type { TrainedModel } from "../trained.ts";

/** Settings of {@linkcode embedTrained}. */
export interface EmbedTrainedOptions extends PanelOptions {
  /** "X" (default), "raw", or the name of a layer. */
  readonly layer?: string;
  /** Most tokens of a batch; does not change the numbers. */
  readonly batchTokens?: number;
  /** Seed of tied bins and sampled genes; 0 by default. */
  readonly seed?: number;
  /** Stops between batches. */
  readonly signal?: AbortSignal;
}

const OPTIONS = ["geneColumn", "minCoverage", "layer", "batchTokens", "seed", "signal"];

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
  options: EmbedTrainedOptions = {},
): Promise<CellEmbedding> {
  refuseUnknownKeys(options, OPTIONS, "embed cells");
  const { layer = "X", seed = 0, batchTokens, signal } = options;
  const { model, description: { input: { genes, ...reading } } } = trained;
  const { vocab, config, device } = model;
  const { var: frame } = await expressionOf(adata, layer);
  const mapping = await mapPanel(frame, vocab, genes, options);
  const width = config.embsize;
  const embeddings = new Float32Array(adata.nObs * width);
  const load = { ...reading, vocab, config, mapping, layer, seed };
  const limits = {
    ...batchTokens !== undefined && { batchTokens },
    ...signal && { signal },
  };
  for await (const batch of loadBatches(adata, { ...load, ...limits })) {
    await eventTurn();
    signal?.throwIfAborted();
    using unit = scope(
      device,
      () => run("l2_normalize", { x: model.embedCells(batch) }, { eps: 1e-12 }).y,
    );
    const rows = await unit.data();
    batch.cells.forEach((cell, i) =>
      embeddings.set(rows.subarray(i * width, (i + 1) * width), cell * width)
    );
  }
  return { embeddings, nDims: width };
}
