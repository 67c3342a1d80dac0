/**
 * Checks who imports whom, on the module graph that Deno resolves: the order of the layers, imports across folders by `mod.ts`
 * alone, the stages of lib, the formats of data, where node:* is known, cycles, and names that say nothing. Prints the size of each layer.
 */
import { pathToFileURL } from "node:url";
import { deno, FOLDERS, readConfig, sourceFiles } from "./project.ts";

/** Layers that a layer may import, itself aside. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  data: [],
  gpu: [],
  lib: ["data", "gpu"],
  tasks: ["data", "gpu", "lib"],
  "mod.ts": ["data", "gpu", "lib", "tasks"],
  scripts: ["mod.ts", "data", "gpu", "lib", "tasks"],
};

/** Stages of lib that a stage may import, itself aside. */
const STAGES: Readonly<Record<string, readonly string[]>> = {
  input: [],
  model: [],
  io: ["input", "model"],
  train: ["input", "model", "io"],
};

/** Stages of lib of which a stage may import types alone. */
const STAGE_TYPES: Readonly<Record<string, readonly string[]>> = { model: ["input", "io"] };

/** Formats of data whose libraries are heavy: neither the core of data nor another format may load one. */
const FORMATS: readonly string[] = ["h5ad", "text", "zarr", "interchange"];

/** Tables in and out: each is an export of its own, and mod.ts has none, as their libraries are heavy. */
const TABLE_DOORS = /^data\/interchange\/(arrow|csv|danfo|parquet)\.ts$/;

const EMPTY_NAMES = /(^|[/_])(utils?|common|helpers?|misc)(_deno)?(\.ts$|\/)/;

/** An import in a file. */
export interface Edge {
  /** Importing file, relative to the repository. */
  readonly from: string;
  /** Imported file, relative to the repository, or a specifier such as `node:fs`. */
  readonly to: string;
  /** How the module is had: `import type` is erased, `import()` is late, all else is static. */
  readonly kind: "type" | "dynamic" | "static";
}

/** Says what is wrong with a module graph, one line a problem. */
export function layerProblems(files: readonly string[], edges: readonly Edge[]): string[] {
  return [
    ...files.filter((file) => EMPTY_NAMES.test(file)).map((file) =>
      `${file}: name what the file holds`
    ),
    ...edges.flatMap((edge) => {
      const problem = edgeProblem(edge);
      return problem === undefined ? [] : [`${edge.from} imports ${edge.to}: ${problem}`];
    }),
    ...findCycles(edges).map((cycle) => `cycle of imports: ${cycle.join(" -> ")}`),
  ];
}

function edgeProblem({ from, to, kind }: Edge): string | undefined {
  const runsOnServer = from.endsWith("_deno.ts") || from.startsWith("scripts/");
  if (to.startsWith("node:")) {
    return runsOnServer ? undefined : "node:* belongs in a *_deno.ts file";
  }
  if (!to.endsWith(".ts")) return undefined;
  if (from.startsWith("scripts/dev/")) return undefined;
  return layerProblem(from, to) ?? stageProblem({ from, to, kind }) ?? formatProblem(from, to);
}

function layerProblem(from: string, to: string): string | undefined {
  const [layer, other] = [firstPart(from), firstPart(to)];
  if (layer === other) return undefined;
  if (!LAYERS[layer]?.includes(other)) return `${layer} must not know ${other}`;
  const isDoor = to === "mod.ts" || to === `${other}/mod.ts` || /^data\/\w+\/mod\.ts$/.test(to) ||
    layer === "scripts" && TABLE_DOORS.test(to);
  const isServerFile = layer === "scripts" && to.endsWith("_deno.ts");
  return isDoor || isServerFile ? undefined : `across folders import ${other}/mod.ts`;
}

function stageProblem({ from, to, kind }: Edge): string | undefined {
  if (firstPart(from) !== "lib") return undefined;
  const [stage, other] = [libStage(from), libStage(to)];
  if (other === undefined || stage === other || from === "lib/mod.ts") return undefined;
  if (stage === undefined) return `a file of lib itself must not know lib/${other}`;
  const known = kind === "type" ? [STAGES, STAGE_TYPES] : [STAGES];
  if (known.some((table) => table[stage]?.includes(other))) return undefined;
  return `lib/${stage} must not know lib/${other}`;
}

function formatProblem(from: string, to: string): string | undefined {
  const [own, other] = [dataFolder(from), dataFolder(to)];
  if (own === undefined || other === undefined || own === other) return undefined;
  if (!FORMATS.includes(other) || !["", ...FORMATS].includes(own)) return undefined;
  return own === "" ? `the core of data must not know ${other}` : `${own} must not know ${other}`;
}

/** "h5ad" for data/h5ad/x.ts, "" for data/x.ts; undefined for other layers. */
function dataFolder(path: string): string | undefined {
  const match = /^data\/(?:(\w+)\/)?/.exec(path);
  return match === null ? undefined : match[1] ?? "";
}

function firstPart(path: string): string {
  return path.split("/", 1)[0]!;
}

/** "input" for lib/input/x.ts; undefined for lib/x.ts and for other layers. */
function libStage(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

/** One cycle for each import that closes one; types and import() may go round, as they do not matter at load time. */
function findCycles(edges: readonly Edge[]): string[][] {
  const values = Map.groupBy(edges.filter(({ kind }) => kind === "static"), ({ from }) => from);
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file]);
    if (path.includes(file) || done.has(file)) return;
    path.push(file);
    for (const { to } of values.get(file) ?? []) visit(to);
    path.pop();
    done.add(file);
  };
  for (const file of values.keys()) visit(file);
  return cycles;
}

/** The part of `deno info --json` that is read here. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string; readonly error?: string };
      readonly type?: { readonly specifier?: string; readonly error?: string };
      readonly isDynamic?: boolean;
    }[];
  }[];
}

/** Asks Deno for the imports of some files; an import that cannot be resolved is an error. */
async function readEdges(files: readonly string[]): Promise<Edge[]> {
  const root = `${pathToFileURL(Deno.cwd())}/`;
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    entry,
    files.map((file) => `import "${root + encodeURI(file)}";\n`).join(""),
  );
  const { ok, stdout, text } = await deno(["info", "--json", "--config", "deno.json", entry]);
  await Deno.remove(entry);
  if (!ok) throw new Error(text);
  const relative = (url: string) => url.startsWith(root) ? url.slice(root.length) : url;
  return (JSON.parse(stdout) as Info).modules.flatMap(({ specifier, error, dependencies = [] }) => {
    if (error) throw new Error(`${relative(specifier)}: ${error}`);
    if (!files.includes(relative(specifier))) return [];
    return dependencies.map(({ specifier: written, code, type, isDynamic }): Edge => {
      const target = code ?? type;
      if (target?.error) throw new Error(`${relative(specifier)}: ${target.error}`);
      const kind = code === undefined ? "type" : isDynamic ? "dynamic" : "static";
      return { from: relative(specifier), to: relative(target?.specifier ?? written), kind };
    });
  });
}

function sizes(files: readonly string[]): string {
  const lines = (file: string) => Deno.readTextFileSync(file).trimEnd().split("\n").length;
  return Object.entries(Object.groupBy(files, firstPart)).map(([layer, inLayer = []]) => {
    const total = inLayer.reduce((sum, file) => sum + lines(file), 0);
    return `${layer} ${inLayer.length} files ${total} lines`;
  }).join(", ");
}

if (import.meta.main) {
  const files = ["mod.ts", ...sourceFiles(FOLDERS, readConfig())];
  const problems = layerProblems(files, await readEdges(files));
  console.log(problems.length === 0 ? sizes(files) : problems.join("\n"));
  Deno.exit(problems.length === 0 ? 0 : 1);
}
