/** Generative pretraining on any number of data sets. */
import type { AnnData } from "../data/mod.ts";
import type { Device } from "../gpu/mod.ts";
import {
  cellPrompt,
  expressionOf,
  fit,
  type FitEvent,
  type FitOptions,
  freshModel,
  geneNames,
  GeneVocab,
  gep,
  gepc,
  joinCells,
  mapGenes,
  parseConfig,
  refuseUnknownKeys,
  type ScGPT,
  splitCells,
  tokenizeCells,
} from "../lib/mod.ts";
import { START_OPTIONS, type StartOptions } from "./learned_cells.ts";
import { type CellInput, pretrainedInput, TrainedModel } from "./trained.ts";

/** Settings of {@linkcode pretrain}. */
export interface PretrainOptions extends Omit<StartOptions, "nTopGenes"> {
  /** Vocabulary; by default all genes of the data sets. */
  readonly vocab?: GeneVocab;
  /** Shares of a cell's genes to be generated, one drawn for each cell and epoch; [0.25, 0.5, 0.75] by default, as published. */
  readonly ratios?: readonly number[];
  /** Steps before generation from a cell prompt begins; 1,000 by default, as published. */
  readonly cellPromptAfter?: number;
  /** Share of the cells that validate; 0.003 by default, as published. */
  readonly validation?: number;
  /** Recipe; what is not given is the published one: learning rate 1e-4, cosine with 10,000 steps of warm-up, 6 epochs, batches of 32. */
  readonly fit?: Omit<FitOptions, "objectives" | "prompt" | "split" | "seed">;
}

const OPTIONS = [
  ...START_OPTIONS.filter((name) => name !== "nTopGenes"),
  "vocab",
  "ratios",
  "cellPromptAfter",
  "validation",
  "fit",
];

/** Data sets are read. */
export interface PretrainPrepared {
  /** Tells events apart. */
  readonly kind: "prepared";
  /** Words of the vocabulary. */
  readonly words: number;
  /** Cells of each data set. */
  readonly cells: readonly number[];
}

/** The model is ready. */
export interface Pretrained {
  /** Tells events apart. */
  readonly kind: "trained";
  /** It belongs to the caller. */
  readonly pretrained: TrainedModel;
}

/** What {@linkcode pretrain} tells. */
export type PretrainEvent = PretrainPrepared | FitEvent | Pretrained;

/**
 * Trains a generative model on cells: a part of each cell's expressed genes is to be generated from the rest (gene prompt, GEP and GEPC), and
 * later from the cell's own embedding (cell prompt). Paper: Methods, "Generative pretraining".
 *
 * @param datasets Cells with counts in X, of one or more data sets
 * @param device Device that computes
 * @param options Settings
 * @returns Events; the last one has the model
 * @throws {RangeError} When there is no data set, too few genes are in the vocabulary, or a setting is out of range
 * @throws {TrainingError} When a loss is no number
 */
export async function* pretrain(
  datasets: readonly AnnData[],
  device: Device,
  options: PretrainOptions = {},
): AsyncGenerator<PretrainEvent, void, undefined> {
  refuseUnknownKeys(options, OPTIONS, "pretrain");
  if (datasets.length === 0) {
    throw new RangeError("Cannot pretrain as there must be data: got none");
  }
  if (options.binning === "none") {
    throw new RangeError('Cannot pretrain as generated values are bins: got binning "none"');
  }
  const { seed = 0, ratios = [0.25, 0.5, 0.75] } = options;
  const vocab = options.pretrained?.vocab ?? options.vocab ??
    GeneVocab.fromNames(await allGenes(datasets, options));
  const model = await generativeModel(device, vocab, options);
  let handedOver = false;
  try {
    const parts = await Promise.all(
      datasets.map((adata) => tokensOf(adata, model, options)),
    );
    yield { kind: "prepared", words: vocab.size, cells: parts.map(({ nCells }) => nCells) };
    const cells = parts.length === 1 ? parts[0]! : joinCells(parts);
    const split = splitCells(cells.keys, { seed, validation: options.validation ?? 0.003 });
    yield* fit(model, cells, {
      epochs: 6,
      schedule: { kind: "cosine", warmup: 10_000 },
      ...options.fit,
      objectives: [gep(), gepc(), cellPrompt({ afterStep: options.cellPromptAfter ?? 1000 })],
      prompt: { kind: "generative", ratios },
      split,
      seed,
    });
    const input = { ...pretrainedInput(model), ...given(options) };
    handedOver = true;
    yield { kind: "trained", pretrained: new TrainedModel(model, { task: "pretrain", input }) };
  } finally {
    if (!handedOver) model[Symbol.dispose]();
  }
}

/** What of the way cells become tokens was chosen. */
function given({ maxLength, binning, includeZeroGenes }: PretrainOptions): Partial<CellInput> {
  return {
    ...maxLength !== undefined && { maxLength },
    ...binning !== undefined && { binning },
    ...includeZeroGenes !== undefined && { includeZeroGenes },
  };
}

async function allGenes(
  datasets: readonly AnnData[],
  { layer = "X", geneColumn }: PretrainOptions,
): Promise<string[]> {
  const all = new Set<string>();
  for (const adata of datasets) {
    const { var: frame } = await expressionOf(adata, layer);
    for (const name of (await geneNames(frame, geneColumn)).names) all.add(name);
  }
  return [...all];
}

async function generativeModel(
  device: Device,
  vocab: GeneVocab,
  { pretrained, preset = "mini", config, seed = 0 }: PretrainOptions,
): Promise<ScGPT> {
  const knobs = { ...config, generative: true, mvc: true };
  if (pretrained === undefined) {
    return await freshModel(device, { config: parseConfig(preset, knobs), vocab, seed });
  }
  const { nTokens, weights } = pretrained;
  const own = parseConfig(pretrained.config, { nTokens, ...knobs });
  return await freshModel(device, { config: own, vocab, seed, from: weights });
}

async function tokensOf(
  adata: AnnData,
  { vocab, config }: ScGPT,
  options: PretrainOptions,
) {
  const { layer = "X", geneColumn, binning, includeZeroGenes, maxLength, seed = 0 } = options;
  const { var: frame } = await expressionOf(adata, layer);
  const mapping = await mapGenes(frame, vocab, geneColumn === undefined ? {} : { geneColumn });
  const { signal } = options.fit ?? {};
  return await tokenizeCells(adata, {
    vocab,
    config,
    mapping,
    layer,
    seed,
    ...binning && { binning },
    ...includeZeroGenes !== undefined && { includeZeroGenes },
    ...maxLength !== undefined && { maxLength },
    ...signal && { signal },
  });
}
