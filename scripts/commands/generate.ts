/** `scgpt generate`: expression of genes that are not given, by a pretrained model. */
import {
  attachGeneration,
  type Device,
  generate,
  type GenerateCellsOptions,
  generatedCells,
  type HeldOutScores,
  loadModel,
  loadTrained,
  pretrainedInput,
  runManifest,
  TrainedModel,
} from "../../mod.ts";
import { CellsProgress } from "./cells_progress.ts";
import { command, type Context, type Flags, type FlagValues, UsageError } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { checkInputFile } from "./inputs.ts";
import { checkOutputCells, writeCells } from "./outputs.ts";
import { FORCE_FLAG, READ_FLAGS, readOptions } from "./read_flags.ts";

const GENERATE_FLAGS = {
  known: { kind: "string", help: "text file of the genes that are given, one a line" },
  genes: {
    kind: "string",
    help: "text file of the genes to generate; the output has these alone, as with --layer raw",
    byDefault: "all of model and data that are not given",
  },
  holdOut: {
    kind: "number",
    help: "share of each cell's genes to hide, generate and compare with the truth",
  },
  prompt: {
    kind: "string",
    help: "what to generate from: the known genes, the cell's embedding of them, or both",
    choices: ["gene", "cell", "both"],
    default: "gene",
  },
  steps: { kind: "integer", help: "steps, each fixing the surest part of the genes", default: 3 },
  confidence: {
    kind: "string",
    help: "what makes a value sure: both decoders agree, or dropout leaves it",
    choices: ["agreement", "dropout"],
    byDefault: "agreement where the model has GEPC",
  },
  passes: { kind: "integer", help: "passes of confidence by dropout", default: 4 },
  ...READ_FLAGS,
  minCoverage: { kind: "number", help: "least part of the genes in the vocabulary", default: 0.2 },
  seed: { kind: "integer", help: "seed of hidden genes, tied bins and dropout", default: 0 },
} as const satisfies Flags;

/** The command. */
export const generateCommand = command({
  name: "generate",
  help: "generate genes that are not given, by a model of: train pretrain",
  flags: {
    model: { kind: "string", help: "folder of the run, or of published weights", required: true },
    input: { kind: "string", help: "h5ad file with cells", required: true },
    output: {
      kind: "string",
      help: "h5ad file to write, with the values as layers",
      required: true,
    },
    force: FORCE_FLAG,
    ...GENERATE_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { input, output, force = false } = flags;
    const { say, signal } = context;
    await checkOutputCells(output, force);
    await checkInputCells(input);
    const options = await generateOptions(flags);
    using cells = await openCells(input);
    await using device = await openFromFlags(flags, context);
    using pretrained = await openGenerator(flags.model, device, context);
    const progress = new CellsProgress("generated", cells.nObs, context);
    const onProgress = (done: number) => progress.show(done);
    const generation = await generate(cells, pretrained, { ...options, signal, onProgress })
      .finally(() => progress.stop());
    const { report, scores, genes, values } = generation;
    say(
      `genes: ${report.matched} of ${report.total} in the vocabulary; generated ${values.length} values of ${genes.length} genes, in bins`,
    );
    if (scores !== undefined) sayScores(scores, context);
    const manifest = await runManifest(
      "generate",
      pretrained.model,
      options as Record<string, unknown>,
    );
    const overColumns = flags.genes === undefined && flags.layer !== "raw"; // raw has genes of its own
    const written = overColumns
      ? await attachGeneration(cells, generation, { manifest })
      : generatedCells(cells, generation, { manifest });
    await writeCells(written, { output, force }, context);
    const counts = { cells: cells.nObs, genes: genes.length, values: values.length };
    return { ...counts, output, ...scores && { scores }, manifest };
  },
});

async function generateOptions(
  { known, genes, holdOut, confidence, prompt, steps, passes, ...reading }: FlagValues<
    typeof GENERATE_FLAGS
  >,
): Promise<GenerateCellsOptions> {
  return {
    ...readOptions(reading),
    steps,
    passes,
    prompt: prompt as NonNullable<GenerateCellsOptions["prompt"]>,
    ...confidence !== undefined && { confidence: confidence as "agreement" | "dropout" },
    ...holdOut !== undefined && { holdOut },
    ...known !== undefined && { known: await readNames(known) },
    ...genes !== undefined && { genes: await readNames(genes) },
  };
}

/** Names, one a line; empty lines are left out. */
async function readNames(path: string): Promise<string[]> {
  await checkInputFile(path);
  const names = (await Deno.readTextFile(path)).split(/\r?\n/).map((line) => line.trim());
  const given = names.filter((name) => name !== "");
  if (given.length > 0) return given;
  throw new UsageError(`Cannot use ${path} as it must have names of genes, one a line: got none`);
}

/** The model of a run, or published weights, which have no description. */
async function openGenerator(
  folder: string,
  device: Device,
  { signal }: Context,
): Promise<TrainedModel> {
  const isRun = /^https?:/i.test(folder) ||
    await Deno.stat(`${folder}/task.json`).then(() => true, () => false);
  if (isRun) return await loadTrained(folder, device, { signal });
  const model = await loadModel(folder, device, { signal });
  return new TrainedModel(model, { task: "pretrain", input: pretrainedInput(model) });
}

function sayScores(scores: HeldOutScores, { say }: Pick<Context, "say">): void {
  const show = (value: number | null) => value?.toFixed(3) ?? "not defined";
  const { pearson, pearsonShuffledCells, pearsonShuffledGenes, meanAbsoluteError, steps } = scores;
  say(
    `held out: ${scores.values} values, correlation ${show(pearson)}, mean error ${
      meanAbsoluteError.toFixed(2)
    } bins`,
  );
  say(
    `controls: truth shuffled among a gene's cells ${
      show(pearsonShuffledCells)
    }, among a cell's genes ${show(pearsonShuffledGenes)}`,
  );
  if (steps.length < 2) return;
  for (const { step, values, pearson, meanAbsoluteError } of steps) {
    say(
      `step ${step}: ${values} values, correlation ${show(pearson)}, mean error ${
        meanAbsoluteError.toFixed(2)
      } bins`,
    );
  }
}
