/** `scgpt embed`: cells in, the same file with embeddings out. */
import { attachEmbedding, loadModel, openH5ad, runManifest, writeH5ad } from "../../mod.ts";
import { command } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { EMBED_FLAGS, embedOptions, embedWithProgress } from "./embed_flags.ts";
import { refuseExisting } from "./outputs.ts";

/** The command. */
export const embedCommand = command({
  name: "embed",
  help: "embed cells: writes obsm X_scGPT into a copy of the file",
  flags: {
    model: { kind: "string", help: "model folder", required: true },
    input: { kind: "string", help: "h5ad file", required: true },
    output: { kind: "string", help: "h5ad file to write", required: true },
    force: { kind: "boolean", help: "replace the output if it exists" },
    ...EMBED_FLAGS,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { model: folder, input, output, force = false } = flags;
    await refuseExisting(output, force);
    using adata = await openH5ad(input);
    await using device = await openFromFlags(flags, context);
    using model = await loadModel(folder, device, { signal: context.signal });
    const options = embedOptions(flags, context.signal);
    const result = await embedWithProgress(adata, model, options, context);
    const manifest = await runManifest("embed", model, options as Record<string, unknown>);
    const annotated = attachEmbedding(adata, result, manifest);
    const { notCarried } = await writeH5ad(annotated, output, { force, signal: context.signal });
    for (const { key, reason } of notCarried) context.say(`not carried over: ${key}: ${reason}`);
    context.say(`wrote ${output}`);
    return { cells: adata.nObs, width: result.width, genes: result.genes, output, manifest };
  },
});
