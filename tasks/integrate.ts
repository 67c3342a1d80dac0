/** Batch integration: a model learns cell embeddings that forget the batch. */
import type { AnnData } from "../data/mod.ts";
import type { Device } from "../gpu/mod.ts";
import {
  dar,
  ecs,
  fit,
  type FitEvent,
  type FitOptions,
  gep,
  gepc,
  type Objective,
  refuseUnknownKeys,
  splitCells,
  zeroLogProb,
} from "../lib/mod.ts";
import type { PanelReport } from "./gene_panel.ts";
import { categoriesOf, labelsOf } from "./labels.ts";
import {
  cellInput,
  chooseGenes,
  type ChosenGenes,
  readTokens,
  START_OPTIONS,
  startModel,
  type StartOptions,
  usualRate,
} from "./learned_cells.ts";
import {
  cellRows,
  TRAINED_INPUT,
  type TrainedInput,
  TrainedModel,
  unitEmbeddings,
} from "./trained.ts";

/** Settings of {@linkcode trainIntegration}. */
export interface TrainIntegrationOptions extends StartOptions {
  /** Column of `obs` with the batch of each cell. */
  readonly batchKey: string;
  /** Share of the values that is masked; 0.4 by default, as published. */
  readonly maskRatio?: number;
  /** Similarity threshold of ECS; 0.6 by default (the paper's; the tutorial has 0.8). */
  readonly ecsBeta?: number;
  /** Weight of ECS; 10 by default. */
  readonly ecsWeight?: number;
  /** Weight of DAR; 1 by default. */
  readonly darWeight?: number;
  /** Whether a norm for each batch stands at the input; true by default. */
  readonly dsbn?: boolean;
  /** Whether decoders also learn which values are zero (not in the paper); false by default. */
  readonly explicitZeroProb?: boolean;
  /** Share of the cells that validate; 0.1 by default. */
  readonly validation?: number;
  /** Recipe; what is not given is the published fine-tuning's, with learning rate 1e-3 for fresh weights. */
  readonly fit?: Omit<FitOptions, "objectives" | "prompt" | "split" | "seed">;
}

const OPTIONS = [
  ...START_OPTIONS,
  "batchKey",
  "maskRatio",
  "ecsBeta",
  "ecsWeight",
  "darWeight",
  "dsbn",
  "explicitZeroProb",
  "validation",
  "fit",
];

/** Genes and batches are known. */
export interface IntegrationPrepared {
  /** Tells events apart. */
  readonly kind: "prepared";
  /** Genes that the model sees. */
  readonly genes: ChosenGenes;
  /** Cells of each batch. */
  readonly batches: Readonly<Record<string, number>>;
}

/** The model is ready. */
export interface IntegrationTrained {
  /** Tells events apart. */
  readonly kind: "trained";
  /** It belongs to the caller; {@linkcode integrate} embeds cells by it. */
  readonly integrator: TrainedModel;
}

/** What {@linkcode trainIntegration} tells. */
export type IntegrationEvent = IntegrationPrepared | FitEvent | IntegrationTrained;

/**
 * Trains a model whose cell embeddings are corrected for batches, by the paper's recipe: masked values predicted from tokens (GEP) and from the
 * cell (GEPC), elastic similarity of cells (ECS), a batch discriminator behind a gradient reversal (DAR), a norm for each batch (DSBN); genes
 * with value zero are tokens; 15 epochs of batches of 64. Paper: Methods, "Batch correction on integrating multiple scRNA-seq datasets".
 *
 * @param adata Cells of at least two batches, with counts in X
 * @param device Device that computes
 * @param options `batchKey` and settings
 * @returns Events; the last one has the model
 * @throws {RangeError} When the batch column does not exist, has missing values or one batch only, or a setting is out of range
 * @throws {TrainingError} When a loss is no number
 */
export async function* trainIntegration(
  adata: AnnData,
  device: Device,
  options: TrainIntegrationOptions,
): AsyncGenerator<IntegrationEvent, void, undefined> {
  refuseUnknownKeys(options, OPTIONS, "train an integration");
  const { seed = 0, dsbn = true } = options;
  const labels = await batchesOf(adata, options.batchKey);
  const { names: batches, codes, counts } = categoriesOf(labels);
  if (batches.length < 2) {
    throw new RangeError(
      `Cannot train an integration as obs["${options.batchKey}"] must have at least two batches: got ${batches.length}`,
    );
  }
  const { signal } = options.fit ?? {};
  const choice = { includeZeroGenes: true, ...options, batch: labels };
  const genes = await chooseGenes(adata, { ...choice, ...signal && { signal } });
  yield { kind: "prepared", genes, batches: counts };

  const model = await startModel(device, genes.names, choice, {
    mvc: true,
    dar: true,
    useBatchLabels: true,
    nBatch: batches.length,
    domainSpecBatchnorm: dsbn ? "dsbn" : false,
    explicitZeroProb: options.explicitZeroProb ?? false,
  });
  let handedOver = false;
  try {
    const input = cellInput(genes.names, choice);
    const tokens = await readTokens(adata, model, input, {
      ...options,
      batchLabels: codes,
      signal,
    });
    const { validation } = options;
    const split = splitCells(tokens.keys, {
      seed,
      stratify: codes,
      ...validation !== undefined && { validation },
    });
    yield* fit(model, tokens, {
      lr: usualRate(options),
      batchSize: 64,
      epochs: 15,
      ...options.fit,
      objectives: objectivesOf(options),
      prompt: { kind: "mask", ratio: options.maskRatio ?? 0.4 },
      split,
      seed,
    });
    const description = { task: "integrate", input, batches };
    handedOver = true;
    yield { kind: "trained", integrator: new TrainedModel(model, description) };
  } finally {
    if (!handedOver) model[Symbol.dispose]();
  }
}

function objectivesOf(options: TrainIntegrationOptions): Objective[] {
  const { ecsBeta = 0.6, ecsWeight = 10, darWeight = 1, explicitZeroProb = false } = options;
  return [
    gep(),
    gepc(),
    ...explicitZeroProb ? [zeroLogProb(), zeroLogProb({ of: "gepc" })] : [],
    ecs({ beta: ecsBeta, weight: ecsWeight }),
    dar({ weight: darWeight }),
  ];
}

async function batchesOf(adata: AnnData, batchKey: string): Promise<string[]> {
  const labels = await labelsOf(adata, batchKey);
  const missing = labels.findIndex((label) => label === null);
  if (missing >= 0) {
    throw new RangeError(
      `Cannot take batches from obs["${batchKey}"] as every cell must have one: ${
        adata.obsNames[missing]
      } has none`,
    );
  }
  return labels.map(String);
}

/** Settings of {@linkcode integrate}. */
export interface IntegrateOptions extends TrainedInput {
  /** Column of `obs` with the batch of each cell. */
  readonly batchKey: string;
}

/** Embeddings corrected for batches. */
export interface Integration {
  /** Unit vectors, row-major [cells, width]. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** Width D. */
  readonly width: number;
  /** What was found of the model's genes. */
  readonly panel: PanelReport;
}

/**
 * Embeds cells by a model of {@linkcode trainIntegration}; each cell meets the norm of its batch, whatever cells are beside it.
 *
 * @param adata Cells of batches that the model was trained on
 * @param integrator The model
 * @param options `batchKey` and settings
 * @throws {RangeError} When a cell is of another batch, or too few of the model's genes are there
 */
export async function integrate(
  adata: AnnData,
  integrator: TrainedModel,
  options: IntegrateOptions,
): Promise<Integration> {
  refuseUnknownKeys(options, [...TRAINED_INPUT, "batchKey"], "integrate");
  const { model, description: { batches: names = [] } } = integrator;
  const labels = (await batchesOf(adata, options.batchKey)).map((label, cell) => {
    const at = names.indexOf(label);
    if (at >= 0) return at;
    throw new RangeError(
      `Cannot integrate ${
        adata.obsNames[cell]
      } as its batch must be one that the model was trained on (${names.join(", ")}): got ${label}`,
    );
  });
  const width = model.config.embsize;
  const { values, panel } = await cellRows(adata, integrator, options, {
    width,
    rows: (batch) => {
      const batchLabels = batch.cells.map((cell) => labels[cell]!);
      return unitEmbeddings(model, { ...batch, batchLabels });
    },
  });
  return { embeddings: values, width, panel };
}
