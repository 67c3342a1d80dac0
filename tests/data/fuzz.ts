/**
 * Damages files of cells and reads them: every case must give an error of ours or data; nothing may hang or crash.
 * `deno run -A tests/data/fuzz.ts [CASES] [SEED]` prints a table of formats and outcomes.
 */
import { gzipSync } from "node:zlib";
import type { FuzzTask } from "./fuzz_worker.ts";
import { fixture } from "./fixtures.ts";
import { MTX } from "./text_files.ts";
import { zarrFixture } from "./zarr_fixtures.ts";
import { type Random, seeded } from "./seeded.ts";

/** Milliseconds after which a case counts as hanging. */
const LIMIT_MS = 30_000;

/** What became of a case. */
export interface FuzzResult {
  /** Format of the file. */
  readonly kind: string;
  /** How it was damaged. */
  readonly damage: string;
  /** "same data", "other data", "error: KIND", "foreign MESSAGE", "hang" or "crash". */
  readonly outcome: string;
}

/** Ways of damaging a file. */
export const DAMAGES: Readonly<Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>> =
  {
    truncated: (bytes, random) => bytes.slice(0, random(bytes.length)),
    "bits flipped": (bytes, random) => {
      const out = bytes.slice();
      for (let k = random(8); k >= 0; k--) out[random(out.length)]! ^= 1 << random(8);
      return out;
    },
    overwritten: (bytes, random) => {
      const out = bytes.slice();
      const at = random(out.length);
      out.fill([0, 1, 127, 255][random(4)]!, at, at + 1 + random(8));
      return out;
    },
  };

/** The files that are damaged, by format. */
export function fuzzedFiles(): Record<string, Uint8Array> {
  const path = (name: string) => new URL(`../fixtures/${name}`, import.meta.url).pathname;
  return {
    "h5ad": Deno.readFileSync(fixture("columns")),
    "h5ad, latest HDF5, gzip": Deno.readFileSync(fixture("latest")),
    "h5ad, every filter": Deno.readFileSync(fixture("filters")),
    "h5ad, anndata 0.5": Deno.readFileSync(fixture("legacy")),
    "h5mu": Deno.readFileSync(path("mudata/cite.h5mu")),
    "zarr v2": Deno.readFileSync(zarrFixture("columns_v2")),
    "zarr v3": Deno.readFileSync(zarrFixture("columns_v3")),
    "10x h5": Deno.readFileSync(path("tenx/v3.h5")),
    mtx: new TextEncoder().encode(MTX),
    "mtx.gz": new Uint8Array(gzipSync(MTX)),
  };
}

/** A process in which cases run, started again when one hangs or crashes. */
class Reader {
  #worker: Worker | undefined;

  async read(task: FuzzTask): Promise<string> {
    const worker = this.#worker ??= new Worker(new URL("./fuzz_worker.ts", import.meta.url), {
      type: "module",
    });
    const outcome = await new Promise<string>((resolve) => {
      const timer = setTimeout(() => resolve("hang"), LIMIT_MS);
      worker.onmessage = ({ data }) => (clearTimeout(timer), resolve(data));
      worker.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        resolve(`crash ${event.message}`);
      };
      worker.postMessage(task);
    });
    if (outcome === "hang" || outcome.startsWith("crash")) this[Symbol.dispose]();
    return outcome;
  }

  [Symbol.dispose](): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** Damages files in turn and reads them. */
export async function* fuzz(cases: number, seed: number): AsyncGenerator<FuzzResult> {
  const random = seeded(seed);
  const files = Object.entries(fuzzedFiles());
  const ways = Object.entries(DAMAGES);
  using reader = new Reader();
  const whole = new Map<string, string>();
  for (const [kind, bytes] of files) {
    whole.set(kind, await reader.read({ kind, bytes: new Uint8Array(bytes) }));
  }
  for (let k = 0; k < cases; k++) {
    const [kind, bytes] = files[k % files.length]!;
    const [damage, change] = ways[Math.floor(k / files.length) % ways.length]!;
    const damaged = new Uint8Array(change(bytes, random));
    const found = await reader.read({ kind, bytes: damaged });
    const outcome = !found.startsWith("data")
      ? found
      : found === whole.get(kind)
      ? "same data"
      : "other data";
    yield { kind, damage, outcome };
  }
}

if (import.meta.main) {
  const [cases = "10000", seed = "1"] = Deno.args;
  const table = new Map<string, Record<string, number>>();
  let [slowest, last, most] = [0, performance.now(), 0];
  const kinds = Object.keys(fuzzedFiles()).length;
  for await (const { kind, damage, outcome } of fuzz(Number(cases) * kinds, Number(seed))) {
    const now = performance.now();
    slowest = Math.max(slowest, now - last);
    last = now;
    most = Math.max(most, Deno.memoryUsage().rss);
    if (/^(foreign|hang|crash)/.test(outcome)) console.log(kind, damage, outcome);
    const row = table.get(kind) ?? {};
    row[outcome] = (row[outcome] ?? 0) + 1;
    table.set(kind, row);
  }
  const outcomes = [...new Set([...table.values()].flatMap((row) => Object.keys(row)))].sort();
  console.log(`| format | ${outcomes.join(" | ")} |\n| --- |${" ---: |".repeat(outcomes.length)}`);
  for (const [kind, row] of table) {
    console.log(`| ${kind} | ${outcomes.map((outcome) => row[outcome] ?? 0).join(" | ")} |`);
  }
  console.log(
    `\n${cases} cases a format from seed ${seed}; slowest ${slowest.toFixed(0)} ms; most memory ${
      (most / 2 ** 20).toFixed(0)
    } MiB`,
  );
}
