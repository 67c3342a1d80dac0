/** `scgpt train pretrain`: a generative model from cells without labels. */
import { GeneVocab, pretrain, type Pretrained, type PretrainPrepared } from "../../mod.ts";
import { command } from "./command.ts";
import { DEVICE_FLAGS } from "./device_flags.ts";
import { checkInputFile } from "./inputs.ts";
import { recipeFlags, RUN_FLAGS, START_FLAGS, startOptions } from "./train_flags.ts";
import { earlierOptions, followRun, openRun } from "./train_run.ts";

/** The command. */
export const trainPretrain = command({
  name: "pretrain",
  help:
    "learn to generate expression from unlabelled cells; use the model with: scgpt generate, or --model",
  flags: {
    input: { kind: "paths", help: "h5ad files", required: true },
    vocab: {
      kind: "string",
      help: "vocab.json: gene names to ids",
      byDefault: "all genes of the files",
    },
    ...RUN_FLAGS,
    ...START_FLAGS,
    includeZeroGenes: { kind: "boolean", help: "genes with value zero are tokens too" },
    cellPromptAfter: {
      kind: "integer",
      help: "steps before generation from a cell prompt begins",
      default: 1000,
    },
    ...recipeFlags({ epochs: 6, batchSize: 32, validation: 0.003, schedule: "cosine" }),
    lr: { kind: "number", help: "learning rate", default: 1e-4 },
    ...DEVICE_FLAGS,
  },
  earlier: earlierOptions,
  run: async (flags, context) => {
    const { output, input } = flags;
    const vocab = await readVocab(flags.vocab);
    await using run = await openRun(flags, input, context);
    const events = pretrain(run.cells, run.device, {
      ...startOptions(flags),
      ...flags.includeZeroGenes && { includeZeroGenes: true },
      ...vocab && { vocab },
      cellPromptAfter: flags.cellPromptAfter,
      validation: flags.validation,
      ...run.start,
      fit: run.fit,
    });
    const { summary, model } = await followRun(events, run.place, {
      context,
      prepared: ({ words, cells }: PretrainPrepared) => {
        context.say(`vocabulary: ${words} words; cells: ${cells.join(" + ")}`);
      },
      trained: ({ pretrained }: Pretrained) => pretrained,
    });
    using _model = model;
    context.say(`wrote ${output}; start from it with: deno task train annotate --model ${output}`);
    return { ...summary, words: model.model.vocab.size };
  },
});

async function readVocab(path: string | undefined): Promise<GeneVocab | undefined> {
  if (path === undefined) return undefined;
  await checkInputFile(path);
  return GeneVocab.fromJson(await Deno.readTextFile(path));
}
