/** Models that were trained for a task, with what is needed to use them. */
import type { AnnData } from "../data/mod.ts";
import {
  type BinningMode,
  eventTurn,
  expressionOf,
  loadBatches,
  type PackedBatch,
  type ScGPT,
} from "../lib/mod.ts";
import { mapPanel, type PanelOptions, type PanelReport } from "./gene_panel.ts";

/** How cells of a trained model become tokens. */
export interface CellInput {
  /** Names of the genes that the model was trained on. */
  readonly genes: readonly string[];
  /** Value of `<cls>`: 0 in fine-tuning, as published. */
  readonly clsValue: number;
  /** Most tokens of a cell. */
  readonly maxLength: number;
  /** How values become bins. */
  readonly binning: BinningMode;
  /** Whether genes with value zero are tokens too. */
  readonly includeZeroGenes: boolean;
}

/** What a run folder says about its model beside args.json and vocab.json. */
export interface TaskDescription {
  /** Task: "annotate", "integrate" or "pretrain". */
  readonly task: string;
  /** How cells become tokens. */
  readonly input: CellInput;
  /** Class names in the order of the class head. */
  readonly classes?: readonly string[];
  /** Batch names in the order of the batch tables. */
  readonly batches?: readonly string[];
}

/** A model with its description. Own it with `using`: it frees the model. */
export class TrainedModel {
  /** The model. */
  readonly model: ScGPT;
  /** What it was trained for. */
  readonly description: TaskDescription;

  /** Takes over a model. */
  constructor(model: ScGPT, description: TaskDescription) {
    this.model = model;
    this.description = description;
  }

  /** Frees the model. */
  [Symbol.dispose](): void {
    this.model[Symbol.dispose]();
  }
}

/** How cells meet a trained model. */
export interface TrainedInput extends PanelOptions {
  /** "X" (default), "raw", or the name of a layer. */
  readonly layer?: string;
  /** Most tokens of a batch; does not change the numbers. */
  readonly batchTokens?: number;
  /** Seed of tied bins and sampled genes; 0 by default. */
  readonly seed?: number;
  /** Stops between batches. */
  readonly signal?: AbortSignal;
}

/** Names of {@linkcode TrainedInput}. */
export const TRAINED_INPUT = [
  "geneColumn",
  "minCoverage",
  "layer",
  "batchTokens",
  "seed",
  "signal",
] as const;

/** The cells of an AnnData as batches of tokens for a trained model, and what was found of its genes. */
export async function trainedBatches(
  adata: AnnData,
  { model, description: { input } }: TrainedModel,
  options: TrainedInput,
): Promise<{ batches: AsyncIterable<PackedBatch>; panel: PanelReport }> {
  const { layer = "X", seed = 0, batchTokens, signal } = options;
  const { genes, ...reading } = input;
  const { var: frame } = await expressionOf(adata, layer);
  const mapping = await mapPanel(frame, model.vocab, genes, options);
  const batches = loadBatches(adata, {
    ...reading,
    vocab: model.vocab,
    config: model.config,
    mapping,
    layer,
    seed,
    ...batchTokens !== undefined && { batchTokens },
    ...signal && { signal },
  });
  return { batches: withTurns(batches, signal), panel: mapping.panel };
}

/** Lets waiting events have their turn before each batch. */
async function* withTurns(
  batches: AsyncIterable<PackedBatch>,
  signal: AbortSignal | undefined,
): AsyncGenerator<PackedBatch, void, undefined> {
  for await (const batch of batches) {
    await eventTurn();
    signal?.throwIfAborted();
    yield batch;
  }
}
