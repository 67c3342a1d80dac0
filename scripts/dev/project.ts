/** What the dev tools know of this repository, which is the current folder, and how they run Deno. */

/** Folders of source in the order in which data pass them. */
export const FOLDERS = ["data", "gpu", "lib", "tasks", "scripts"] as const;

interface Config {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly lint: { readonly exclude: readonly string[] };
}

/** Reads deno.json. */
export function readConfig(): Config {
  return JSON.parse(Deno.readTextFileSync("deno.json"));
}

/** Files of the entry points, "mod.ts" first. */
export function entryFiles(config: Config): string[] {
  return Object.values(config.exports).map(withoutDot);
}

/** All TypeScript files under some folders, sorted, less what lint excludes (AssemblyScript is not TypeScript). */
export function sourceFiles(folders: readonly string[], { lint }: Config): string[] {
  const excluded = lint.exclude.map((path) => `${withoutDot(path)}/`);
  return folders.flatMap(walk)
    .filter((path) => path.endsWith(".ts") && !excluded.some((start) => path.startsWith(start)))
    .sort();
}

function walk(path: string): string[] {
  const entries = [...Deno.readDirSync(path)];
  return entries.flatMap(({ name, isDirectory }) =>
    isDirectory ? walk(`${path}/${name}`) : [`${path}/${name}`]
  );
}

function withoutDot(path: string): string {
  return path.replace(/^\.\//, "");
}

/** What a command did. */
export interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  /** Both streams, stderr last, without blanks around. */
  readonly text: string;
}

/** Runs this same Deno with arguments and gathers what it prints. */
export async function deno(args: readonly string[]): Promise<Outcome> {
  const env = { NO_COLOR: "1" };
  const command = new Deno.Command(Deno.execPath(), { args: [...args], env, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [
    string,
    string,
  ];
  return { ok: success, stdout: out, text: `${out}\n${err}`.trim() };
}
