/** Flags of the commands that read cells for a model and write them back with what it says. */
import { BINNING_MODES } from "../../mod.ts";
import type { Flag, Flags, FlagValues } from "./command.ts";

/** The flag that names the column of gene symbols. */
export const GENE_COLUMN_FLAG = {
  kind: "string",
  help: "column of var with gene symbols",
  byDefault: "the index",
} as const satisfies Flag;

/** The flag that bounds a batch. */
export const BATCH_TOKENS_FLAG = {
  kind: "integer",
  help: "most tokens a batch: bounds memory, changes no number",
  byDefault: "16384",
} as const satisfies Flag;

/** The flag of ways to bin. */
export const BINNING_FLAG = {
  kind: "string",
  help: "how tied values are binned; none: logged values as they are",
  choices: BINNING_MODES,
} as const satisfies Flag;

/** The flag that allows an output to be replaced. */
export const FORCE_FLAG = {
  kind: "boolean",
  help: "replace the output if it exists",
} as const satisfies Flag;

/** Flags of cells that meet a trained model. */
export const READ_FLAGS = {
  layer: { kind: "string", help: "matrix to read: X, raw or a layer", default: "X" },
  geneColumn: GENE_COLUMN_FLAG,
  minCoverage: { kind: "number", help: "least part of the model's genes", default: 0.5 },
  batchTokens: BATCH_TOKENS_FLAG,
  seed: { kind: "integer", help: "seed of tied bins and sampled genes", default: 0 },
} as const satisfies Flags;

/** The flags as options. */
export function readOptions(
  { layer, geneColumn, minCoverage, batchTokens, seed }: FlagValues<typeof READ_FLAGS>,
) {
  return {
    layer,
    minCoverage,
    seed,
    ...geneColumn !== undefined && { geneColumn },
    ...batchTokens !== undefined && { batchTokens },
  };
}
