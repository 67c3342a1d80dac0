/**
 * Compares the public API with tests/api_snapshot.txt, so that no change of it goes unseen; `deno task update:api` writes the file anew.
 * A symbol that several entry points export is spelled out once, at the most specific one.
 */
import { type Declaration, declarationLines } from "./api_text.ts";
import { deno, readConfig } from "./project.ts";

const SNAPSHOT = "tests/api_snapshot.txt";

interface Symbols {
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly Declaration[];
  }[];
}

/** Lists the exports of one module: name -> declarations. */
async function readExports(file: string): Promise<Map<string, Declaration[]>> {
  const { ok, stdout, text } = await deno(["doc", "--json", file]);
  if (!ok) throw new Error(text);
  const modules = Object.values(JSON.parse(stdout).nodes as Record<string, Symbols>);
  const exported = modules.flatMap(({ symbols }) => symbols).map(({ name, declarations }) =>
    [name, declarations.filter(({ declarationKind }) => declarationKind === "export")] as const
  );
  return new Map(
    exported.filter(([, declarations]) => declarations.length > 0).map(([n, d]) => [n, [...d]]),
  );
}

/** Writes the API as text. */
async function apiText(): Promise<string> {
  const { name: packageName, exports } = readConfig();
  const homes = new Map<string, string>();
  const sections: string[] = [];
  // The root comes last, as it repeats what the others export.
  for (const [path, file] of Object.entries(exports).sort(([a], [b]) => b.length - a.length)) {
    const section = [`# ${packageName}${path.slice(1)}`, ""];
    const symbols = [...await readExports(file)].sort(([a], [b]) => a < b ? -1 : 1);
    for (const [name, declarations] of symbols) {
      const { filename, line } = declarations[0]!.location;
      const id = `${filename}:${line}`;
      const home = homes.get(id);
      if (home !== undefined) section.push(`${name} (see ${home})`);
      else {section.push(...declarations.flatMap((declaration) =>
          declarationLines(name, declaration)
        ));}
      homes.set(id, home ?? section[0]!.slice(2));
    }
    sections.push(section.join("\n"));
  }
  return `${sections.join("\n\n")}\n`;
}

/** Lines that one text has and the other lacks. */
function difference(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const [oldSet, nowSet] = [new Set(old), new Set(now)];
  return [
    ...old.filter((line) => !nowSet.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !oldSet.has(line)).map((line) => `+ ${line}`),
  ];
}

const text = await apiText();
const old = await Deno.readTextFile(SNAPSHOT).catch(() => "");
if (Deno.args.includes("--update")) {
  await Deno.writeTextFile(SNAPSHOT, text);
  console.log(`wrote ${SNAPSHOT}`);
} else if (old !== text) {
  console.log(`The public API is not what ${SNAPSHOT} says:\n${difference(old, text).join("\n")}`);
  console.log("If that is meant, run: deno task update:api");
  Deno.exit(1);
}
