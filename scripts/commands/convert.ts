/** `scgpt convert`: the same annotated data in another format. */
import { type AnnData, MuData } from "../../mod.ts";
import {
  CELLS_HELP,
  checkFormatName,
  checkInputCells,
  openCells,
  openModalities,
  writeFormat,
} from "./cells_file.ts";
import { command } from "./command.ts";
import { refuseExisting } from "./outputs.ts";

/** The command. */
export const convert = command({
  name: "convert",
  help: `write cells as h5ad or zarr, all modalities as h5mu or zarr; from ${CELLS_HELP}`,
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
    modality: {
      kind: "string",
      help: "modality to write, where there are several: all unless told",
    },
    genome: { kind: "string", help: "genome to read, where a 10x file has several" },
    featureTypes: {
      kind: "strings",
      help: "types of 10x features to read, or all",
      byDefault: "Gene Expression",
    },
    prefix: { kind: "string", help: "what stands before matrix.mtx, where a folder has several" },
    transpose: { kind: "boolean", help: "read a CSV or TSV table as genes x cells" },
    force: { kind: "boolean", help: "replace the output if it exists" },
  },
  run: async (flags, { say, signal }, [input = "", output = ""]) => {
    const { format, compression, shards = false, force = false } = flags;
    await refuseExisting(output, force);
    using data = await openInput(input, flags, signal);
    checkFormatName(output, data instanceof MuData ? ".h5mu" : ".h5ad");
    const options = { format, compression, shards, force, signal };
    const { notCarried } = await writeFormat(data, output, options);
    for (const { key, reason } of notCarried) say(`not carried over: ${key}: ${reason}`);
    say(`wrote ${output}`);
    return { cells: data.nObs, genes: data.nVars, output, notCarried };
  },
});

/** What the flags say of the input. */
interface InputFlags {
  readonly modality: string | undefined;
  readonly genome: string | undefined;
  readonly featureTypes: readonly string[] | undefined;
  readonly prefix: string | undefined;
  readonly transpose: boolean | undefined;
}

/** Opens all modalities, one of them, or the cells of any other file. */
async function openInput(
  path: string,
  flags: InputFlags,
  signal: AbortSignal,
): Promise<AnnData | MuData> {
  const { modality, genome, featureTypes, prefix, transpose } = flags;
  await checkInputCells(path);
  const all = modality === undefined ? await openModalities(path, signal) : undefined;
  if (all !== undefined) return all;
  const types = featureTypes?.join() === "all" ? "all" : featureTypes;
  return await openCells(path, {
    signal,
    ...modality !== undefined && { modality },
    ...genome !== undefined && { genome },
    ...types !== undefined && { featureTypes: types },
    ...prefix !== undefined && { prefix },
    ...transpose !== undefined && { transpose },
  });
}
