/** Generated expression: values of genes that are not given, from those that are, or from the cell's embedding. */
import type { AnnData } from "../data/mod.ts";
import {
  type CellPrompt,
  eventTurn,
  expressionOf,
  type GeneColumns,
  type GeneMapping,
  generateExpression,
  type GenerateOptions,
  type GeneVocab,
  mapGenes,
  refuseUnknownKeys,
  type ScGPT,
  SPECIAL_TOKENS,
} from "../lib/mod.ts";
import type { EmbedOptions } from "./embed.ts";
import { type Asked, inBatches, type PromptedCell, promptedCells } from "./generate_prompts.ts";
import { type Generation, GenerationCollector } from "./generation.ts";
import type { TrainedModel } from "./trained.ts";

/** Settings of {@linkcode generate}. One of `known`, `genes` and `holdOut` says what is given. */
export interface GenerateCellsOptions
  extends
    Pick<EmbedOptions, "layer" | "geneColumn" | "minCoverage" | "batchTokens" | "seed" | "signal">,
    Pick<GenerateOptions, "steps" | "confidence" | "passes"> {
  /**
   * What the model generates from: "gene" (default), the known genes; "cell", the cell's embedding of its known genes alone; "both", as in
   * the second part of pretraining.
   */
  readonly prompt?: "gene" | "cell" | "both";
  /** Symbols of the genes that are given; all others of the data and the model are generated, or those of `genes`. */
  readonly known?: readonly string[];
  /** Symbols of the genes to generate, which the data need not have; all others are given, or those of `known`. */
  readonly genes?: readonly string[];
  /** Share of each cell's genes that is hidden, generated, and compared with the truth. */
  readonly holdOut?: number;
  /** Called after each batch with the number of cells done. */
  readonly onProgress?: (done: number) => void;
}

const OPTIONS = [
  ...["layer", "geneColumn", "minCoverage", "batchTokens", "seed", "signal"],
  ...["steps", "confidence", "passes", "prompt", "known", "genes", "holdOut", "onProgress"],
];

/**
 * Generates the expression of genes in K steps: in each, all that remain are predicted, the surest are fixed, and the next step sees them.
 * A cell's values depend on its row and name, the model and the seed alone. The bins of a prompt come from its known values alone. A model
 * that learned from expressed genes, as published, says how much of a gene there is where there is any, not whether.
 * Paper: Methods, "Generative pretraining", and Supplementary Figure 1b.
 *
 * @example
 * ```ts
 * import { AnnData, DataFrame, denseMatrix } from "@scgpt/sdk/data";
 * import { openDevice } from "@scgpt/sdk/gpu";
 * import { freshModel, GeneVocab, parseConfig } from "@scgpt/sdk/lib";
 * import { attachGeneration, generate, pretrainedInput, TrainedModel } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const cells = AnnData.fromParts({
 *   X: denseMatrix(Float32Array.of(3, 1, 0, 2, 0, 7), [2, 3]),
 *   obs: new DataFrame({ index: ["cell1", "cell2"] }),
 *   var: new DataFrame({ index: ["ACTB", "CD3D", "LYZ"] }),
 * });
 * await using device = await openDevice({ kind: "wasm" });
 * const config = parseConfig("mini", { generative: true, mvc: true });
 * const vocab = GeneVocab.fromNames(["ACTB", "CD3D", "LYZ", "NKG7"]);
 * const model = await freshModel(device, { config, vocab, seed: 1 }); // a pretrained one: loadTrained(RUN_DIR)
 * using pretrained = new TrainedModel(model, { task: "pretrain", input: pretrainedInput(model) });
 * const generation = await generate(cells, pretrained, { known: ["ACTB", "CD3D"], steps: 2 });
 * assert.deepEqual(generation.genes, ["LYZ"]); // NKG7 is asked for by { genes: ["NKG7"] }
 * const written = await attachGeneration(cells, generation);
 * assert.ok(written.layers.has("scgpt_generated"));
 * ```
 *
 * @param adata Cells with counts, or a monotone transform of them
 * @param pretrained A generative model, as `pretrain` gives it or `loadTrained` reads it; or published weights
 * @param options What is given, and settings
 * @returns Values with confidence and step, cell by cell
 * @throws {RangeError} When the model is not generative, no gene is given or asked, a gene is in neither data nor vocabulary, or a setting
 *   is out of range
 */
export async function generate(
  adata: AnnData,
  pretrained: TrainedModel,
  options: GenerateCellsOptions,
): Promise<Generation> {
  refuseUnknownKeys(options, OPTIONS, "generate");
  const { layer = "X", seed = 0, signal, prompt = "gene", batchTokens = 16_384 } = options;
  const { steps, confidence, passes, onProgress } = options;
  checkPrompt(prompt);
  const { model, description: { input } } = pretrained;
  const { mapping, asked, ids } = await choose(adata, model.vocab, { ...options, layer });
  const settings = { model, input, mapping, asked, layer, seed, signal };
  const how = {
    seed,
    clsValue: input.clsValue,
    ...signal && { signal },
    ...steps !== undefined && { steps },
    ...confidence !== undefined && { confidence },
    ...passes !== undefined && { passes },
  };
  await generateExpression(model, [], how); // refuses bad settings before cells are read
  const made = new GenerationCollector(model.vocab, ids);
  for await (const cells of inBatches(promptedCells(adata, settings), batchTokens)) {
    await eventTurn();
    signal?.throwIfAborted();
    const prompts = await promptsOf(model, cells, { prompt, clsValue: input.clsValue });
    made.add(cells, await generateExpression(model, prompts, how));
    onProgress?.(made.cells);
  }
  return made.result({ report: mapping.report, seed });
}

function checkPrompt(prompt: string): void {
  if (["gene", "cell", "both"].includes(prompt)) return;
  refuse("prompt must be gene, cell or both", `"${prompt}"`);
}

function refuse(rule: string, got: unknown): never {
  throw new RangeError(`Cannot generate as ${rule}: got ${got}`);
}

/** Which columns are genes of the model, which of these are given, and which are asked. */
async function choose(
  adata: AnnData,
  vocab: GeneVocab,
  { layer, geneColumn, minCoverage, known, genes, holdOut }: GenerateCellsOptions & {
    readonly layer: string;
  },
): Promise<{ mapping: GeneMapping; asked: Asked; ids: Uint32Array<ArrayBuffer> }> {
  const { var: frame } = await expressionOf(adata, layer);
  const found = await mapGenes(frame, vocab, {
    ...geneColumn !== undefined && { geneColumn },
    ...minCoverage !== undefined && { minCoverage },
  });
  const mapping = { ...found, ...eachOnce(found) };
  const own = new Set([...mapping.ids].filter((id) => id >= 0));
  if (holdOut !== undefined) {
    if (known !== undefined || genes !== undefined) {
      refuse("holdOut draws the known genes", `${known ? "known" : "genes"} as well`);
    }
    if (!(holdOut > 0 && holdOut < 1)) refuse("holdOut must be in (0, 1)", holdOut);
    return { mapping, asked: { holdOut }, ids: Uint32Array.from(own) };
  }
  if (known === undefined && genes === undefined) {
    refuse("one of known, genes and holdOut must say what is given", "none");
  }
  const wanted = genes && new Set(idsOf(genes, vocab));
  const given = known
    ? new Set(known.map((name) => vocab.id(name)).filter((id) => id !== undefined && own.has(id)))
    : new Set([...own].filter((id) => !wanted!.has(id)));
  const both = wanted && [...wanted].find((id) => given.has(id));
  if (both !== undefined) refuse("a gene is either known or generated", vocab.name(both));
  if (given.size === 0) refuse("some known gene must be in the data and the model", "none");
  const ids = Uint32Array.from(wanted ?? [...own].filter((id) => !given.has(id)));
  if (ids.length === 0) {
    refuse("some gene of the model must not be known: name those to generate as genes", "none");
  }
  return { mapping, asked: { known: given as Set<number>, genes: ids }, ids };
}

/** Ids of genes that the model must know. */
function idsOf(genes: readonly string[], vocab: GeneVocab): number[] {
  return genes.map((name) => {
    const id = (SPECIAL_TOKENS as readonly string[]).includes(name) ? undefined : vocab.id(name);
    return id ?? refuse("the model must know the genes to generate", `"${name}"`);
  });
}

/** The first column of each gene: one gene has one value. */
function eachOnce({ ids, occurrences }: GeneColumns): GeneColumns {
  return { ids: ids.map((id, column) => occurrences[column] === 0 ? id : -1), occurrences };
}

/** Prompts with the cells' embeddings where these are asked for. */
async function promptsOf(
  model: ScGPT,
  cells: readonly PromptedCell[],
  { prompt, clsValue }: { readonly prompt: string; readonly clsValue: number },
): Promise<CellPrompt[]> {
  if (prompt === "gene") return cells.map(({ prompt }) => prompt);
  const { config: { embsize }, vocab } = model;
  const offsets = Uint32Array.of(0, ...cells.map(({ prompt }) => 1 + prompt.knownIds.length));
  for (let cell = 1; cell < offsets.length; cell++) offsets[cell]! += offsets[cell - 1]!;
  const ids = new Uint32Array(offsets.at(-1)!), values = new Float32Array(ids.length);
  cells.forEach(({ prompt: { knownIds, knownValues } }, cell) => {
    const start = offsets[cell]!;
    [ids[start], values[start]] = [vocab.require("<cls>"), clsValue];
    ids.set(knownIds, start + 1);
    values.set(knownValues, start + 1);
  });
  using tensor = model.embedCells({ ids, values, offsets });
  const embeddings = await tensor.data();
  return cells.map(({ prompt: own }, cell) => ({
    ...own,
    ...prompt === "cell" && { knownIds: new Uint32Array(), knownValues: new Float32Array() },
    cellEmbedding: embeddings.slice(cell * embsize, (cell + 1) * embsize),
  }));
}
