/** `scgpt census source`: the h5ad file that a dataset of the Census came as. */
import { downloadSourceH5ad } from "../../data/census/mod.ts";
import { BytesProgress } from "./bytes_progress.ts";
import { CENSUS_FLAGS, openFromFlags } from "./census_flags.ts";
import { command, InterruptedError } from "./command.ts";
import { checkOutputFile } from "./outputs.ts";
import { FORCE_FLAG } from "./read_flags.ts";

/** The command. */
export const censusSource = command({
  name: "source",
  help: "download the h5ad file that a dataset came as; goes on where an earlier run stopped",
  positional: ["dataset-id"],
  flags: {
    ...CENSUS_FLAGS,
    output: { kind: "string", help: "file to write", required: true },
    sha256: { kind: "string", help: "SHA-256 that the file must have", byDefault: "any" },
    force: FORCE_FLAG,
  },
  run: async (flags, context, [datasetId = ""]) => {
    const { output, sha256, force = false } = flags;
    const { say, signal } = context;
    await checkOutputFile(output, force);
    const census = await openFromFlags(flags, context);
    const progress = new BytesProgress(context);
    let here = 0;
    const onProgress = (done: number, total: number) => {
      here = done;
      progress.show(done, total);
    };
    const options = { force, onProgress, signal, ...sha256 !== undefined && { sha256 } };
    try {
      const made = await downloadSourceH5ad(census, datasetId, output, options);
      progress.stop();
      say(`wrote ${output}: ${made.bytes} bytes, SHA-256 ${made.sha256}`);
      return { datasetId, output, ...made, release: census.release?.releaseBuild ?? null };
    } catch (cause) {
      if (!signal.aborted) throw cause;
      const left = here === 0
        ? "nothing was downloaded"
        : `${here} bytes are kept beside ${output}, and the same command goes on with them`;
      throw new InterruptedError(`Interrupted: ${left}.`, { cause });
    } finally {
      progress.stop();
    }
  },
});
