/**
 * Compiles the AssemblyScript kernels to the two WASM modules that are committed as text, one with relaxed SIMD and one without.
 * `deno task build:wasm` writes them; with `--check` it fails when the committed text is not what the source gives.
 */
import asc from "assemblyscript/asc";
import { generateMicro } from "../../gpu/wasm/kernels/generate_micro.ts";

const KERNELS = new URL("../../gpu/wasm/kernels/", import.meta.url);
const BUILD = new URL("../../gpu/wasm/build/", import.meta.url);

const FLAGS = [
  // At -O3 the optimiser nests the unrolled multiply-adds, live ranges grow and V8 spills registers.
  "-O1",
  "--noAssert",
  "--runtime=stub",
  "--enable=simd,threads",
  "--importMemory",
  "--sharedMemory",
  "--initialMemory=1",
  "--maximumMemory=65536",
  // The first 4 KiB are the control block, the scratch table and the arguments; tables of Math functions come behind them.
  "--memoryBase=4096",
];

const BUILDS = [
  { name: "relaxed", flags: ["--enable=relaxed-simd"] },
  { name: "plain", flags: [] },
];

/** Compiles one build and returns the binary module. */
async function compile(flags: string[]): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["index.ts", "--outFile=out.wasm", ...FLAGS, ...flags],
    {
      readFile: (name: string) => readSource(name),
      writeFile: (_name: string, contents: string | Uint8Array) => {
        if (contents instanceof Uint8Array) binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) {
    throw new Error(`Cannot compile the WASM kernels:\n${stderr.toString()}`);
  }
  return binary;
}

function readSource(name: string): string | null {
  const base = name.replace(/^\.\//, "");
  if (base === "micro.ts") return generateMicro();
  try {
    return Deno.readTextFileSync(new URL(base, KERNELS));
  } catch {
    return null;
  }
}

function asModule(name: string, binary: Uint8Array): string {
  const lines = binary.toBase64().match(/.{1,120}/g) ?? [];
  return `/** The ${name} SIMD build of gpu/wasm/kernels, made by \`deno task build:wasm\`; base64. */\n` +
    `export const ${name.toUpperCase()}: string = \`\n${lines.join("\n")}\n\`;\n`;
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  await Deno.mkdir(BUILD, { recursive: true });
  for (const { name, flags } of BUILDS) {
    const binary = await compile(flags);
    const file = new URL(`${name}.ts`, BUILD);
    const text = asModule(name, binary);
    if (!check) {
      await Deno.writeTextFile(file, text);
      console.log(`${name}: ${binary.length} bytes`);
    } else if (await Deno.readTextFile(file).catch(() => "") !== text) {
      console.error(
        `gpu/wasm/build/${name}.ts is not what its source gives: run deno task build:wasm`,
      );
      Deno.exit(1);
    }
  }
}
