/** `scgpt convert`: the same annotated data in another format. */
import { openCells, writeCells } from "./cells_file.ts";
import { command } from "./command.ts";
import { refuseExisting } from "./outputs.ts";

/** The command. */
export const convert = command({
  name: "convert",
  help: "write an h5ad file or zarr store in the other format, or in another layout",
  positional: ["input", "output"],
  flags: {
    format: { kind: "integer", help: "version of zarr: 2 or 3", default: 2 },
    compression: {
      kind: "string",
      help: "compression of the output",
      choices: ["gzip", "zstd", "blosc", "none"],
      byDefault: "zstd in zarr, none in h5ad",
    },
    shards: { kind: "boolean", help: "let small chunks share files (zarr 3)" },
    force: { kind: "boolean", help: "replace the output if it exists" },
  },
  run: async (flags, { say, signal }, [input = "", output = ""]) => {
    const { format, compression, shards = false, force = false } = flags;
    await refuseExisting(output, force);
    using adata = await openCells(input, signal);
    const options = { format, compression, shards, force, signal };
    const { notCarried } = await writeCells(adata, output, options);
    for (const { key, reason } of notCarried) say(`not carried over: ${key}: ${reason}`);
    say(`wrote ${output}`);
    return { cells: adata.nObs, genes: adata.nVars, output, notCarried };
  },
});
