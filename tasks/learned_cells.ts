/** What the training tasks share: genes, a model to begin with, and cells as tokens. */
import type { AnnData } from "../data/mod.ts";
import type { Device } from "../gpu/mod.ts";
import {
  type BinningMode,
  type ConfigOverrides,
  expressionOf,
  freshModel,
  geneNames,
  GeneVocab,
  highlyVariableGenes,
  inspectValues,
  parseConfig,
  type Preset,
  type ScGPT,
  tokenizeCells,
  type TrainingCells,
} from "../lib/mod.ts";
import { type CellInput, panelLoading } from "./trained.ts";

/** Where a training run begins; the same for all tasks. */
export interface StartOptions {
  /** A pretrained model: its weights are copied, and heads that it lacks are fresh. Without one all weights are. */
  readonly pretrained?: ScGPT;
  /** Size of a fresh model; "mini" by default. */
  readonly preset?: Preset;
  /** Knobs of the architecture that differ from the preset's, or the pretrained model's. */
  readonly config?: ConfigOverrides;
  /** Highly variable genes that the model sees; 1,200 by default, Infinity: all. */
  readonly nTopGenes?: number;
  /** "X" (default), "raw", or the name of a layer, with counts; logarithms of them where binning is "none". */
  readonly layer?: string;
  /** Column of `var` with gene symbols. */
  readonly geneColumn?: string;
  /** How values become bins; "reference" by default. "none" learns from logged values as they are. */
  readonly binning?: BinningMode;
  /** Whether genes with value zero are tokens too. */
  readonly includeZeroGenes?: boolean;
  /** Most tokens of a cell; default: as many as there are genes, and `<cls>`. */
  readonly maxLength?: number;
  /** Seed of fresh weights, and of all else; 0 by default. */
  readonly seed?: number;
}

/** Names of {@linkcode StartOptions}. */
export const START_OPTIONS = [
  "pretrained",
  "preset",
  "config",
  "nTopGenes",
  "layer",
  "geneColumn",
  "binning",
  "includeZeroGenes",
  "maxLength",
  "seed",
] as const;

/** Genes to learn from: names, each once. */
export interface ChosenGenes {
  /** Symbols. */
  readonly names: readonly string[];
  /** How they were chosen, for people. */
  readonly how: string;
}

/**
 * The highly variable genes of the cells: by `seurat_v3` where the values are counts, by `cell_ranger` where they are logarithms. With a
 * pretrained model only genes of its vocabulary count.
 */
export async function chooseGenes(
  adata: AnnData,
  options: StartOptions & {
    readonly batch?: readonly (string | null)[];
    readonly signal?: AbortSignal;
  },
): Promise<ChosenGenes> {
  const { layer = "X", nTopGenes = 1200, pretrained, geneColumn, batch, signal } = options;
  const { matrix, var: frame, name } = await expressionOf(adata, layer);
  const { names } = await geneNames(frame, geneColumn);
  const known = names.map((gene) =>
    pretrained === undefined || pretrained.vocab.id(gene) !== undefined
  );
  const unique = (columns: Iterable<number>) => {
    const seen = new Set<string>();
    for (const column of columns) if (known[column]) seen.add(names[column]!);
    return [...seen];
  };
  if (nTopGenes >= names.length) return { names: unique(names.keys()), how: "all genes" };
  const places = { matrix: name, obsNames: adata.obsNames, varNames: frame.index };
  const { kind } = await inspectValues(matrix, places, signal && { signal });
  const flavor = kind === "counts" ? "seurat_v3" : "cell_ranger";
  const hvg = { flavor, nTopGenes, ...batch && { batch }, ...signal && { signal } } as const;
  const { columns } = await highlyVariableGenes(matrix, hvg);
  return { names: unique(columns), how: `${nTopGenes} highly variable genes (${flavor})` };
}

/** Makes the model that learns: fresh, or with the weights of a pretrained one. */
export async function startModel(
  device: Device,
  genes: readonly string[],
  options: StartOptions,
  knobs: ConfigOverrides,
): Promise<ScGPT> {
  const { pretrained, preset = "mini", seed = 0 } = options;
  if (pretrained !== undefined) {
    const { config, vocab, nTokens, weights } = pretrained;
    const own = parseConfig(config as ConfigOverrides, { nTokens, ...options.config, ...knobs });
    return await freshModel(device, { config: own, vocab, seed, from: weights });
  }
  const config = parseConfig(preset, {
    generative: false,
    mvc: false,
    ...options.config,
    ...knobs,
  });
  return await freshModel(device, { config, vocab: GeneVocab.fromNames(genes), seed });
}

/** How the cells of a run become tokens. */
export function cellInput(genes: readonly string[], options: StartOptions): CellInput {
  return {
    genes,
    clsValue: 0,
    maxLength: options.maxLength ?? genes.length + 1,
    binning: options.binning ?? "reference",
    includeZeroGenes: options.includeZeroGenes ?? false,
  };
}

/** Labels of cells, and how the cells are read. */
export interface ReadOptions extends Pick<StartOptions, "layer" | "geneColumn" | "seed"> {
  /** Class of each cell. */
  readonly classes?: Uint32Array<ArrayBuffer>;
  /** Batch of each cell. */
  readonly batchLabels?: Uint32Array<ArrayBuffer>;
  /** Stops the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** Reads all cells as the tokens that a run learns from. */
export async function readTokens(
  adata: AnnData,
  model: ScGPT,
  input: CellInput,
  options: ReadOptions,
): Promise<TrainingCells> {
  const { classes, batchLabels } = options;
  const { loading } = await panelLoading(adata, model, input, options);
  return await tokenizeCells(adata, {
    ...loading,
    ...classes && { classes },
    ...batchLabels && { batchLabels },
  });
}

/** Learning rate where none is given: the published one for pretrained weights; fresh ones do not get far with less than ten times it. */
export function usualRate({ pretrained }: StartOptions): number {
  return pretrained === undefined ? 1e-3 : 1e-4;
}
