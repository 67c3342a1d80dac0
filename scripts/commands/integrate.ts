/** `scgpt integrate`: embeddings corrected for batches by a trained integrator. */
import {
  type AnnData,
  denseMatrix,
  embeddingPlot,
  integrate,
  type IntegrateOptions,
  type Integration,
  labelsOf,
  loadTrained,
  runManifest,
  type TrainedModel,
  umap,
} from "../../mod.ts";
import { writeFigures } from "./annotation_figures.ts";
import { command } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { checkOutputCells, writeCells } from "./outputs.ts";
import { FORCE_FLAG, READ_FLAGS, readOptions } from "./read_flags.ts";

/** The command. */
export const integrateCommand = command({
  name: "integrate",
  help: "embed cells without their batch, by a model of: train integrate",
  flags: {
    model: { kind: "string", help: "folder of the run", required: true },
    input: { kind: "string", help: "h5ad file with cells of the run's batches", required: true },
    batchKey: { kind: "string", help: "column of obs with the batches", required: true },
    labelKey: { kind: "string", help: "column of obs with cell types, for a figure" },
    output: {
      kind: "string",
      help: "h5ad file to write: the input with obsm X_scGPT",
      required: true,
    },
    force: FORCE_FLAG,
    figures: { kind: "string", help: "folder for UMAPs" },
    ...READ_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { input, output, force = false, batchKey, labelKey } = flags;
    const { say, signal } = context;
    await checkOutputCells(output, force);
    await checkInputCells(input);
    using cells = await openCells(input);
    await using device = await openFromFlags(flags, context);
    using integrator = await loadTrained(flags.model, device, { signal });
    const given = { batchKey, ...readOptions(flags) } satisfies IntegrateOptions;
    const integration = await integrate(cells, integrator, { ...given, signal });
    const { found, panel } = integration.panel;
    say(`embedded ${cells.nObs} cells; ${found} of the model's ${panel} genes are in the data`);
    const manifest = await runManifest("integrate", integrator.model, given);
    const { embeddings, width } = integration;
    const written = cells.with({
      obsm: { X_scGPT: denseMatrix(embeddings, [cells.nObs, width]) },
      uns: { scgpt: manifest },
    });
    await writeCells(written, { output, force }, context);
    if (flags.figures !== undefined) {
      const keys = [batchKey, ...labelKey === undefined ? [] : [labelKey]];
      const drawn = await drawUmaps(cells, integration, {
        integrator,
        keys,
        folder: flags.figures,
      });
      say(`drew ${drawn.join(", ")}`);
    }
    return { cells: cells.nObs, width, output, panel: integration.panel, manifest };
  },
});

/** One UMAP, coloured by each of some columns. */
async function drawUmaps(
  cells: AnnData,
  { embeddings, width }: Integration,
  { integrator, keys, folder }: {
    readonly integrator: TrainedModel;
    readonly keys: readonly string[];
    readonly folder: string;
  },
): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const { x, y } = await umap(integrator.model.device, embeddings, { nDims: width });
  const figures: Record<string, string> = {};
  for (const key of keys) {
    const labels = (await labelsOf(cells, key)).map((label) => label ?? "unknown");
    const subtitle = "UMAP of the integrated scGPT embeddings";
    figures[`umap_${key.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`] = embeddingPlot(
      { x, y, labels, title: `Cells by ${key}` },
      { subtitle },
    );
  }
  return await writeFigures(folder, figures);
}
