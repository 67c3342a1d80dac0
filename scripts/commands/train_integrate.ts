/** `scgpt train integrate`: a model whose embeddings forget the batch. */
import { type IntegrationPrepared, type IntegrationTrained, trainIntegration } from "../../mod.ts";
import { command, type Context, type Flags, type FlagValues } from "./command.ts";
import { DEVICE_FLAGS } from "./device_flags.ts";
import {
  GENE_FLAGS,
  geneOptions,
  recipeFlags,
  RUN_FLAGS,
  START_FLAGS,
  startOptions,
} from "./train_flags.ts";
import { earlierOptions, followRun, openRun } from "./train_run.ts";

/** Flags of an integration's recipe; the paper's. */
export const INTEGRATION_FLAGS = {
  ...START_FLAGS,
  ...GENE_FLAGS,
  includeZeroGenes: {
    kind: "boolean",
    help: "leave genes with value zero out of a cell",
    default: true,
  },
  maskRatio: { kind: "number", help: "share of the values that is masked", default: 0.4 },
  ecsBeta: { kind: "number", help: "similarity threshold of ECS", default: 0.6 },
  ecsWeight: { kind: "number", help: "weight of ECS", default: 10 },
  darWeight: { kind: "number", help: "weight of DAR", default: 1 },
  dsbn: { kind: "boolean", help: "no norm for each batch at the input", default: true },
  explicitZeroProb: { kind: "boolean", help: "also learn which values are zero" },
  ...recipeFlags({ epochs: 15, batchSize: 64, validation: 0.1, schedule: "step-decay" }),
} as const satisfies Flags;

/** The command. */
export const trainIntegrate = command({
  name: "integrate",
  help: "learn embeddings corrected for batches; use the model with: scgpt integrate",
  flags: {
    input: { kind: "string", help: "h5ad file with cells of all batches", required: true },
    batchKey: { kind: "string", help: "column of obs with the batches", required: true },
    ...RUN_FLAGS,
    ...INTEGRATION_FLAGS,
    ...DEVICE_FLAGS,
  },
  earlier: earlierOptions,
  run: async (flags, context) => {
    const { output, input, batchKey } = flags;
    await using run = await openRun(flags, [input], context);
    const options = { batchKey, ...integrationOptions(flags), ...run.start, fit: run.fit };
    const events = trainIntegration(run.cells[0]!, run.device, options);
    const { summary, model } = await followRun(events, run.place, {
      context,
      prepared: (event: IntegrationPrepared) => sayBatches(event, context),
      trained: ({ integrator }: IntegrationTrained) => integrator,
    });
    using _model = model;
    context.say(`wrote ${output}; use it with: deno task scgpt integrate --model ${output}`);
    return { ...summary, batches: model.description.batches };
  },
});

/** The flags as options; the caller adds batches, pretrained model and training loop. */
export function integrationOptions(flags: FlagValues<typeof INTEGRATION_FLAGS>) {
  const { includeZeroGenes, maskRatio, ecsBeta, ecsWeight, darWeight, dsbn, validation } = flags;
  const { explicitZeroProb = false } = flags;
  return {
    ...startOptions(flags),
    ...geneOptions(flags),
    includeZeroGenes,
    maskRatio,
    ecsBeta,
    ecsWeight,
    darWeight,
    dsbn,
    explicitZeroProb,
    validation,
  };
}

/** Says what is learned from. */
export function sayBatches(
  { genes, batches }: IntegrationPrepared,
  { say }: Pick<Context, "say">,
): void {
  const counts = Object.entries(batches).map(([name, cells]) => `${name} ${cells}`);
  say(`genes: ${genes.names.length}, ${genes.how}`);
  say(`${counts.length} batches: ${counts.join(", ")}`);
}
