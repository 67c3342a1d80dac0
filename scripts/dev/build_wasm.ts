/**
 * Compiles AssemblyScript to the WASM modules that are committed as text: the kernels of gpu, with relaxed SIMD and without, and those of
 * data's codecs. `deno task build:wasm` writes them; with `--check` it fails when the committed text is not what the source gives.
 */
import asc from "assemblyscript/asc";
import { generateMicro } from "../../gpu/wasm/kernels/generate_micro.ts";

/** A module. */
interface Build {
  /** Folder of its source, whose entry is index.ts. */
  readonly source: string;
  /** File of its text. */
  readonly file: string;
  /** Its constant, and how the comment above calls it. */
  readonly constant: string;
  readonly title: string;
  readonly flags: readonly string[];
}

const GPU_FLAGS = [
  // At -O3 the optimiser nests the unrolled multiply-adds, live ranges grow and V8 spills registers.
  "-O1",
  "--enable=simd,threads",
  "--importMemory",
  "--sharedMemory",
  "--initialMemory=1",
  "--maximumMemory=65536",
  // The first 4 KiB are the control block, the scratch table and the arguments; tables of Math functions come behind them.
  "--memoryBase=4096",
];

/** A build of gpu's kernels. */
function gpuBuild(name: string, flags: readonly string[]): Build {
  return {
    source: "gpu/wasm/kernels",
    file: `gpu/wasm/build/${name}.ts`,
    constant: name.toUpperCase(),
    title: `The ${name} SIMD build`,
    flags: [...GPU_FLAGS, ...flags],
  };
}

const BUILDS: readonly Build[] = [
  gpuBuild("relaxed", ["--enable=relaxed-simd"]),
  gpuBuild("plain", []),
  {
    source: "data/codecs/kernels",
    file: "data/codecs/build/kernels.ts",
    constant: "KERNELS",
    title: "The build",
    flags: ["-O3", "--enable=simd", "--initialMemory=4", "--maximumMemory=4096"],
  },
];

const root = new URL("../../", import.meta.url);

/** Compiles one build and returns the binary module. */
async function compile({ source, flags }: Build): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["index.ts", "--outFile=out.wasm", "--noAssert", "--runtime=stub", ...flags],
    {
      readFile: (name: string) => readSource(source, name),
      writeFile: (_name: string, contents: string | Uint8Array) => {
        if (contents instanceof Uint8Array) binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) {
    throw new Error(`Cannot compile ${source}:\n${stderr.toString()}`);
  }
  return binary;
}

function readSource(source: string, name: string): string | null {
  const base = name.replace(/^\.\//, "");
  if (base === "micro.ts") return generateMicro();
  try {
    return Deno.readTextFileSync(new URL(`${source}/${base}`, root));
  } catch {
    return null;
  }
}

function asModule({ title, source, constant }: Build, binary: Uint8Array): string {
  const lines = binary.toBase64().match(/.{1,120}/g) ?? [];
  return `/** ${title} of ${source}, made by \`deno task build:wasm\`; base64. */\n` +
    `export const ${constant}: string = \`\n${lines.join("\n")}\n\`;\n`;
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  for (const build of BUILDS) {
    const binary = await compile(build);
    const file = new URL(build.file, root);
    const text = asModule(build, binary);
    if (!check) {
      await Deno.mkdir(new URL(".", file), { recursive: true });
      await Deno.writeTextFile(file, text);
      console.log(`${build.file}: ${binary.length} bytes`);
    } else if (await Deno.readTextFile(file).catch(() => "") !== text) {
      console.error(`${build.file} is not what its source gives: run deno task build:wasm`);
      Deno.exit(1);
    }
  }
}
