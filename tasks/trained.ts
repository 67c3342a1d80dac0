/** Models that were trained for a task, with what is needed to use them. */
import type { AnnData } from "../data/mod.ts";
import { run, scope, type Tensor } from "../gpu/mod.ts";
import {
  type BinningMode,
  eventTurn,
  expressionOf,
  loadBatches,
  type LoadOptions,
  type PackedBatch,
  type ScGPT,
  type TokenBatch,
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

/**
 * How cells become tokens in pretraining as published: all genes of the vocabulary, `<cls>` with the value of pads, and expressed genes alone.
 *
 * @param model A pretrained model
 */
export function pretrainedInput({ vocab, config }: ScGPT): CellInput {
  return {
    genes: vocab.names().filter((name) => !name.startsWith("<")),
    clsValue: config.padValue,
    maxLength: config.maxSeqLen,
    binning: "reference",
    includeZeroGenes: false,
  };
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

/** How cells become tokens for a model, and what was found of its genes. */
export interface PanelLoading {
  /** Options of the loader. */
  readonly loading: LoadOptions;
  /** What was found. */
  readonly panel: PanelReport;
}

/** Finds a model's genes in an AnnData. */
export async function panelLoading(
  adata: AnnData,
  { vocab, config }: ScGPT,
  input: CellInput,
  options: PanelOptions & Pick<TrainedInput, "layer" | "seed"> & {
    signal?: AbortSignal | undefined;
  },
): Promise<PanelLoading> {
  const { layer = "X", seed = 0, signal } = options;
  const { genes, ...reading } = input;
  const { var: frame } = await expressionOf(adata, layer);
  const mapping = await mapPanel(frame, vocab, genes, options);
  const loading = { ...reading, vocab, config, mapping, layer, seed, ...signal && { signal } };
  return { loading, panel: mapping.panel };
}

/** Numbers of cells by a trained model. */
export interface CellRows {
  /** Row-major [cells, width]. */
  readonly values: Float32Array<ArrayBuffer>;
  /** What was found of the model's genes. */
  readonly panel: PanelReport;
}

/**
 * Runs a trained model over the cells of an AnnData, batch by batch, and gathers a row of numbers for each cell in the AnnData's order.
 *
 * @param work `width` of a row; `rows` gives those of a batch, [batch's cells, width]; `done` is told the cells done
 */
export async function cellRows(
  adata: AnnData,
  { model, description: { input } }: TrainedModel,
  options: TrainedInput,
  work: {
    readonly width: number;
    readonly rows: (batch: PackedBatch) => Tensor;
    readonly done?: ((cells: number) => void) | undefined;
  },
): Promise<CellRows> {
  const { loading, panel } = await panelLoading(adata, model, input, options);
  const { batchTokens, signal } = options;
  const limit = batchTokens === undefined ? {} : { batchTokens };
  const values = new Float32Array(adata.nObs * work.width);
  let done = 0;
  for await (const batch of loadBatches(adata, { ...loading, ...limit })) {
    await eventTurn();
    signal?.throwIfAborted();
    using tensor = scope(model.device, () => work.rows(batch));
    const rows = await tensor.data();
    batch.cells.forEach((cell, i) =>
      values.set(rows.subarray(i * work.width, (i + 1) * work.width), cell * work.width)
    );
    done += batch.cells.length;
    work.done?.(done);
  }
  return { values, panel };
}

/** Unit vectors of a batch's cells, [cells, D]. */
export function unitEmbeddings(model: ScGPT, batch: TokenBatch): Tensor {
  return run("l2_normalize", { x: model.embedCells(batch) }, { eps: 1e-12 }).y;
}
