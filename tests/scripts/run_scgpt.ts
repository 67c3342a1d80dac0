/** Runs the executable: in this process where it can, as a child where streams and signals matter. */
import { main } from "../../scripts/scgpt.ts";

/** What a run gave. */
export interface Outcome {
  readonly code: number;
  /** What went to stdout. */
  readonly out: string;
  /** What went to stderr. */
  readonly err: string;
}

/** Flags of the device that is there on every machine. */
export const ON_CPU = ["--device", "wasm", "--threads", "1"] as const;

/** Runs `main` with its words caught. */
export async function scgpt(...args: string[]): Promise<Outcome> {
  const out: string[] = [], err: string[] = [];
  const { log, error } = console, { stderr } = Deno, write = stderr.writeSync;
  console.log = (...words: unknown[]) => void out.push(words.join(" "));
  console.error = (...words: unknown[]) => void err.push(words.join(" "));
  stderr.writeSync = (bytes) => (err.push(new TextDecoder().decode(bytes)), bytes.length);
  try {
    const code = await main(args);
    return { code, out: out.join("\n"), err: err.join("\n") };
  } finally {
    Object.assign(console, { log, error });
    stderr.writeSync = write;
  }
}

const SCRIPT = new URL("../../scripts/scgpt.ts", import.meta.url).pathname;

/** Runs a child; `interruptAt`: sends SIGINT, or another signal, when stderr holds this text, or when this has settled. */
export async function scgptProcess(
  args: readonly string[],
  options: { readonly interruptAt?: string | Promise<void>; readonly signal?: Deno.Signal } = {},
): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", SCRIPT, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = new Response(child.stdout).text();
  const { interruptAt, signal = "SIGINT" } = options;
  let err = "", sent = false;
  if (typeof interruptAt === "object") interruptAt.then(() => child.kill(signal));
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    err += text;
    if (sent || typeof interruptAt !== "string" || !err.includes(interruptAt)) continue;
    child.kill(signal);
    sent = true;
  }
  return { code: (await child.status).code, out: await stdout, err };
}

/** Names in a folder, sorted. */
export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
