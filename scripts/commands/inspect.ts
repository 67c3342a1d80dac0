/** `scgpt inspect`: what a file or a model folder holds. */
import {
  followWeights,
  matchStateDict,
  openH5ad,
  openModelFolder,
  parameterCount,
  parameterShapes,
  toArgs,
} from "../../mod.ts";
import { command } from "./command.ts";
import { statInput } from "./inputs.ts";

/** The command. */
export const inspect = command({
  name: "inspect",
  help: "show what an h5ad file or a model folder holds",
  positional: ["path"],
  flags: {},
  run: async (_flags, { say }, [path = ""]) => {
    const summary = (await statInput(path)).isDirectory
      ? await describeModel(path)
      : await describeH5ad(path);
    sayTree(summary, say);
    return summary;
  },
});

type Summary = { [key: string]: unknown };

async function describeH5ad(path: string): Promise<Summary> {
  using adata = await openH5ad(path);
  const columns = async (frame: typeof adata.obs) => {
    const kinds = await Promise.all(
      frame.columns().map(async (name) => {
        const column = await frame.column(name);
        return [
          name,
          column.kind === "categorical" ? `categorical (${column.categories.length})` : column.kind,
        ];
      }),
    );
    return Object.fromEntries(kinds);
  };
  const matrix = (
    { shape, format, dtype }: { shape: readonly number[]; format: string; dtype: string },
  ) => `${shape.join(" x ")} ${format} ${dtype}`;
  return {
    cells: adata.nObs,
    genes: adata.nVars,
    X: adata.X === undefined ? "none" : matrix(adata.X),
    ...adata.raw !== undefined && { "raw.X": matrix(adata.raw.X) },
    obs: await columns(adata.obs),
    var: await columns(adata.var),
    layers: adata.layers.keys(),
    obsm: adata.obsm.keys(),
    varm: adata.varm.keys(),
    obsp: adata.obsp.keys(),
    varp: adata.varp.keys(),
    uns: adata.uns.keys(),
    first_cells: adata.obsNames.slice(0, 3),
    first_genes: adata.varNames.slice(0, 3),
  };
}

async function describeModel(path: string): Promise<Summary> {
  using folder = await openModelFolder(path);
  const { vocab, checkpoint, weightFile } = folder;
  const { config, notes } = followWeights(folder.config, checkpoint.tensors);
  const shapes = new Map([...checkpoint.tensors].map(([name, { shape }]) => [name, shape]));
  const expected = parameterShapes(config, config.nTokens ?? vocab.size);
  const anything = [/^/];
  const report = matchStateDict(expected, checkpoint, {
    allowMissing: anything,
    allowExtra: anything,
    allowMisshapen: anything,
  });
  return {
    weights: `${weightFile} (${checkpoint.format}): ${shapes.size} tensors, ${
      parameterCount(shapes)
    } numbers`,
    vocabulary: `${vocab.size} words`,
    matched: report.matched.length,
    renamed: report.renamed.map(({ from, to }) => `${from} -> ${to}`),
    missing: report.missing,
    extra: report.extra,
    misshapen: report.misshapen.map(({ name, expected, found }) =>
      `${name}: [${expected}] expected, [${found}] found`
    ),
    notes: [...checkpoint.notes, ...notes],
    args: toArgs(config),
  };
}

const SHOWN = 40;

function sayTree(summary: Summary, say: (line: string) => void): void {
  for (const [key, value] of Object.entries(summary)) {
    if (Array.isArray(value)) {
      say(
        `${key}: ${value.length === 0 ? "none" : value.slice(0, SHOWN).join(", ")}${
          value.length > SHOWN ? ` … (${value.length})` : ""
        }`,
      );
    } else if (typeof value === "object" && value !== null) {
      say(`${key}:`);
      for (const [name, detail] of Object.entries(value)) {
        say(`  ${name}: ${JSON.stringify(detail) ?? "undefined"}`.replaceAll('"', ""));
      }
    } else say(`${key}: ${value}`);
  }
}
