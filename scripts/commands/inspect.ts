/** `scgpt inspect`: what a file or a model folder holds. */
import {
  type AnnData,
  type Column,
  type DataFrame,
  followWeights,
  FormatError,
  matchStateDict,
  openModelFolder,
  parameterCount,
  parameterShapes,
  toArgs,
} from "../../mod.ts";
import { command } from "./command.ts";
import {
  CELLS_HELP,
  checkInputCells,
  isModelFolder,
  openCells,
  openModalities,
} from "./cells_file.ts";

/** The command. */
export const inspect = command({
  name: "inspect",
  help: `show what a model folder holds, or a file of cells: ${CELLS_HELP}`,
  positional: ["path"],
  flags: {},
  run: async (_flags, { say, signal }, [path = ""]) => {
    await checkInputCells(path);
    const summary = await isModelFolder(path)
      ? await describeModel(path)
      : await describeFile(path, signal);
    sayTree(summary, say);
    return summary;
  },
});

type Summary = { [key: string]: unknown };

/** Kind of a column, or why it cannot be read. */
async function describeColumn(read: Promise<Column>): Promise<string> {
  try {
    const column = await read;
    if (column.kind !== "categorical") return column.kind;
    return `categorical (${column.categories.length})`;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `unreadable: ${error.message}`;
  }
}

async function describeColumns(frame: DataFrame): Promise<Summary> {
  const kinds: [string, string][] = [];
  for (const name of frame.columns()) {
    kinds.push([name, await describeColumn(frame.column(name))]);
  }
  return Object.fromEntries(kinds);
}

/** All modalities of a file, or its cells. */
async function describeFile(path: string, signal: AbortSignal): Promise<Summary> {
  using mdata = await openModalities(path, signal);
  if (mdata === undefined) {
    // Antibodies and peaks are shown too, whatever a command would read by default.
    using adata = await openCells(path, { featureTypes: "all", signal });
    return await describeCells(adata);
  }
  const modalities: Summary = {};
  for (const [name, adata] of Object.entries(mdata.mod)) {
    modalities[name] = `${adata.nObs} x ${adata.nVars}`;
  }
  return {
    cells: mdata.nObs,
    features: mdata.nVars,
    modalities,
    obs: await describeColumns(mdata.obs),
    var: await describeColumns(mdata.var),
    obsm: mdata.obsm.keys(),
    varm: mdata.varm.keys(),
    uns: mdata.uns.keys(),
    first_cells: mdata.obsNames.slice(0, 3),
  };
}

async function describeCells(adata: AnnData): Promise<Summary> {
  const matrix = (
    { shape, format, dtype }: { shape: readonly number[]; format: string; dtype: string },
  ) => `${shape.join(" x ")} ${format} ${dtype}`;
  return {
    cells: adata.nObs,
    genes: adata.nVars,
    X: adata.X === undefined ? "none" : matrix(adata.X),
    ...adata.raw !== undefined && { "raw.X": matrix(adata.raw.X) },
    obs: await describeColumns(adata.obs),
    var: await describeColumns(adata.var),
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
