/**
 * `deno task check`: everything that can be said of the source without running the tests.
 * Prints a line per check, and the output of those that failed.
 */
import { deno, entryFiles, FOLDERS, readConfig, sourceFiles } from "./project.ts";

interface Check {
  readonly name: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
}

const CHECKS_AT_ONCE = 2;

function checks(): Check[] {
  const config = readConfig();
  const entries = entryFiles(config);
  const published = [
    "mod.ts",
    ...sourceFiles(FOLDERS.filter((name) => name !== "scripts"), config),
  ];
  const all = [...published, ...sourceFiles(["scripts", "tests"], config)];
  return [
    // Slowest first, as two run at a time.
    { name: "types", args: ["check", "--frozen", ...all] },
    {
      name: "doc examples",
      args: ["test", "--quiet", "--allow-all", "--doc", ...published, "README.md"],
    },
    { name: "wasm is built", args: ["run", "--allow-all", "scripts/dev/build_wasm.ts", "--check"] },
    { name: "publish", args: ["publish", "--dry-run", "--allow-dirty", "--no-check"] },
    { name: "docs", args: ["doc", "--lint", ...entries] },
    { name: "api snapshot", args: ["run", "--allow-all", "scripts/dev/check_api.ts"] },
    { name: "layers", args: ["run", "--allow-all", "scripts/dev/check_layers.ts"] },
    { name: "lint", args: ["lint"] },
    { name: "format", args: ["fmt", "--check"] },
  ];
}

/** Runs one check, prints its line, and says whether it passed. */
async function run({ name, args }: Check): Promise<boolean> {
  const start = performance.now();
  const { ok, text } = await deno(args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(ok ? `ok ${name} ${seconds} s` : `FAILED ${name} ${seconds} s\n\n${text}\n`);
  return ok;
}

const queue = checks();
const failed: string[] = [];
const total = queue.length;
await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, async () => {
  for (let check = queue.shift(); check; check = queue.shift()) {
    if (!await run(check)) failed.push(check.name);
  }
}));
console.log(failed.length === 0 ? `${total} checks passed` : `FAILED: ${failed.join(", ")}`);
Deno.exit(failed.length === 0 ? 0 : 1);
