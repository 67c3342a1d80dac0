/** `scgpt embed`: cells in, the same file with embeddings out. */
import {
  attachEmbedding,
  EmbeddingCollector,
  embedEvents,
  loadModelWithReport,
  runManifest,
} from "../../mod.ts";
import { command } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { EMBED_FLAGS, embedOptions, EmbedProgress } from "./embed_flags.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { checkOutputCells, writeCells } from "./outputs.ts";
import { FORCE_FLAG } from "./read_flags.ts";

/** The command. */
export const embedCommand = command({
  name: "embed",
  help: "embed cells: writes obsm X_scGPT into a copy of the file",
  flags: {
    model: { kind: "string", help: "model folder", required: true },
    input: { kind: "string", help: "h5ad file", required: true },
    output: { kind: "string", help: "h5ad file to write", required: true },
    force: FORCE_FLAG,
    ...EMBED_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { model: folder, input, output, force = false } = flags;
    await checkOutputCells(output, force);
    await checkInputCells(input);
    using adata = await openCells(input);
    await using device = await openFromFlags(flags, context);
    const { model, report } = await loadModelWithReport(folder, device, { signal: context.signal });
    using _model = model;
    for (const note of report.notes) context.say(`note: ${note}`);
    const options = embedOptions(flags, context.signal);
    const progress = new EmbedProgress(context);
    const collected = new EmbeddingCollector(adata.nObs, model.config.embsize);
    for await (const event of embedEvents(adata, model, options)) {
      progress.show(event);
      collected.add(event);
    }
    const result = collected.result();
    const manifest = await runManifest("embed", model, options as Record<string, unknown>);
    const annotated = attachEmbedding(adata, result, manifest);
    await writeCells(annotated, { output, force }, context);
    return { cells: adata.nObs, width: result.width, genes: result.genes, output, manifest };
  },
});
