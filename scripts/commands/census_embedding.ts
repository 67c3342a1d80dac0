/** `scgpt census embedding`: vectors that others made of the Census's cells, into obsm. */
import type { Census } from "../../data/census/mod.ts";
import { AnnData, DataFrame, type NumericColumn } from "../../mod.ts";
import { CELLS_FLAGS, CENSUS_FLAGS, openFromFlags } from "./census_flags.ts";
import { checkFormatName, checkInputCells, openCells } from "./cells_file.ts";
import { command, type Context, type FlagValues, UsageError } from "./command.ts";
import { checkOutputCells, writeCells } from "./outputs.ts";
import { FORCE_FLAG } from "./read_flags.ts";

const ID = "soma_joinid";

const FLAGS = {
  ...CENSUS_FLAGS,
  ...CELLS_FLAGS,
  obsValueFilter: { ...CELLS_FLAGS.obsValueFilter, byDefault: "those of --input" },
  name: { kind: "string", help: "embedding: its name, or its path or address", required: true },
  key: { kind: "string", help: "key in obsm", byDefault: "the name" },
  input: {
    kind: "string",
    help: "cells of the same release, with obs soma_joinid, as get writes them",
  },
  output: { kind: "string", help: "h5ad file or zarr store to write", required: true },
  force: FORCE_FLAG,
} as const;

/** The command. */
export const censusEmbedding = command({
  name: "embedding",
  help: "write an embedding of the Census into obsm: of the cells of a file, or of a filter",
  flags: FLAGS,
  run: async (flags, context) => {
    const { name, organism, input, obsValueFilter, output, force = false } = flags;
    const { key = name.replace(/\/+$/, "").split("/").at(-1)! } = flags;
    if ((input === undefined) === (obsValueFilter === undefined)) {
      throw new UsageError(
        "Cannot run as either --input or --obs-value-filter must say which cells",
      );
    }
    checkFormatName(output);
    await checkOutputCells(output, force);
    if (input !== undefined) await checkInputCells(input);
    const census = await openFromFlags(flags, context);
    using adata = await cellsOf(census, flags, context);
    const joinids = await joinidsOf(adata);
    context.say(`reading vectors of ${joinids.length} cells`);
    const vectors = await census.getEmbedding(name, joinids, { organism, signal: context.signal });
    const [cells, width] = vectors.shape;
    const values = await vectors.dense();
    const missing = joinids.filter((_, row) => Number.isNaN(values[row * width]!)).length;
    if (missing === cells) {
      throw new UsageError(
        `Cannot write ${output} as none of the ${cells} cells has a vector in ${name}`,
      );
    }
    if (missing > 0) context.say(`note: ${missing} of ${cells} cells have no vector: NaN`);
    await writeCells(adata.with({ obsm: { [key]: vectors } }), { output, force }, context);
    return { cells, width, missing, key, output };
  },
});

/** The cells of the file, or the table of those that the filter chooses. */
async function cellsOf(
  census: Census,
  { input, organism, obsValueFilter }: FlagValues<typeof FLAGS>,
  { signal }: Context,
): Promise<AnnData> {
  if (input !== undefined) return await openCells(input, { signal });
  const obs = await census.getObs(organism, {
    ...obsValueFilter !== undefined && { valueFilter: obsValueFilter },
    signal,
  });
  if (obs.length > 0) return AnnData.fromParts({ obs, var: new DataFrame({ index: [] }) });
  throw new UsageError("Cannot read an embedding as the filter must leave cells: got none");
}

/** Ids of the cells in the Census. */
async function joinidsOf({ obs }: AnnData): Promise<Float64Array> {
  if (!obs.columns().includes(ID)) {
    throw new UsageError(`Cannot read an embedding as obs must have ${ID}, which tells the cells`);
  }
  const column: NumericColumn = await obs.column(ID, "numeric");
  const ids = Float64Array.from(column.data);
  const wrong = ids.findIndex((id, row) =>
    !Number.isSafeInteger(id) || id < 0 || column.mask?.[row] === 1
  );
  if (wrong < 0) return ids;
  throw new UsageError(
    `Cannot read an embedding as ${ID} must be integers >= 0: got ${ids[wrong]} in row ${wrong}`,
  );
}
