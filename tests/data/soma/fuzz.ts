/**
 * Damages stores and reads them: every case must give an error of ours, or data; nothing may hang or take memory without end.
 * `deno run -A tests/data/soma/fuzz.ts [CASES] [SEED]` prints a table of damages and outcomes.
 */
import { deflateSync, inflateSync } from "node:zlib";
import { FormatError, memoryStore, openSoma } from "../../../data/soma/mod.ts";
import { below, fixtureArrays } from "./stores.ts";
import { type Random, seeded } from "../seeded.ts";

/** A store that is damaged, by path. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** What became of a case. */
export type Outcome = "same data" | "other data" | `error: ${string}`;

/** Most memory that a case may take, in bytes. */
export const FUZZ_MEMORY = 1 << 24;

type Damage = (bytes: Uint8Array, random: Random) => Uint8Array | undefined;

/** Values that lengths and counts do not like. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  1n << 40n,
  1n << 53n,
  (1n << 64n) - 1n,
];

function flip(bytes: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  if (out.length === 0) return out;
  for (let k = random(8); k >= 0; k--) out[random(out.length)]! ^= 1 << random(8);
  return out;
}

function overwrite(bytes: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  const width = [1, 2, 4, 8][random(4)]!;
  if (out.length < width) return out;
  const at = random(out.length - width + 1);
  let value = EXTREMES[random(EXTREMES.length)]!;
  for (let k = 0; k < width; k++, value >>= 8n) out[at + k] = Number(value & 255n);
  return out;
}

/** Where the one chunk of a generic tile's zlib stream starts, and what comes before: undefined for other files. */
function tileChunk(bytes: Uint8Array, at: number): { header: number; end: number } | undefined {
  if (at + 46 > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const filters = view.getUint32(at + 30, true);
  const header = at + 34 + filters;
  if (header + 36 > bytes.length || view.getBigUint64(header, true) !== 1n) return undefined;
  const [filtered, noted] = [view.getUint32(header + 12, true), view.getUint32(header + 16, true)];
  const start = header + 20 + noted;
  return start + filtered <= bytes.length && bytes[start] === 0x78
    ? { header, end: start + filtered }
    : undefined;
}

/** Damages what a generic tile packs, and packs it again so that it unpacks well. */
function repack(bytes: Uint8Array, random: Random): Uint8Array | undefined {
  const starts = bytes.length < 64 ? [] : [0];
  for (let at = 1; at + 46 < bytes.length && starts.length < 64; at++) {
    if (bytes[at]! >= 16 && bytes[at]! <= 22 && tileChunk(bytes, at)) starts.push(at);
  }
  const tiles = starts.filter((at) => tileChunk(bytes, at));
  if (tiles.length === 0) return undefined;
  const at = tiles[random(tiles.length)]!;
  const { header, end } = tileChunk(bytes, at)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const noted = view.getUint32(header + 16, true);
  const content = inflateSync(bytes.subarray(header + 20 + noted, end));
  const damaged = [flip, overwrite][random(2)]!(content, random);
  const packed = deflateSync(damaged);
  const head = bytes.slice(0, header + 20 + noted);
  const out = new DataView(head.buffer);
  out.setBigUint64(at + 4, BigInt(20 + noted + packed.length), true);
  out.setUint32(header + 12, packed.length, true);
  out.setUint32(head.length - 4, packed.length, true);
  return new Uint8Array([...head, ...packed, ...bytes.subarray(end)]);
}

/** Ways of damaging a file; undefined where a file cannot be damaged so. */
export const DAMAGES: Readonly<Record<string, Damage>> = {
  truncated: (bytes, random) => bytes.slice(0, random(bytes.length + 1)),
  "bits flipped": flip,
  "number overwritten": overwrite,
  "metadata repacked": repack,
  grown: (bytes, random) =>
    new Uint8Array([...bytes, ...Array.from({ length: random(64) + 1 }, () => random(256))]),
  removed: () => undefined,
};

/** Reads everything of a store; the text differs where the data do. */
async function readEverything(files: Files): Promise<string> {
  const array = await openSoma(memoryStore(files, "fuzzed"), { maxMemory: FUZZ_MEMORY });
  const out: unknown[] = [[...array.metadata], array.type];
  const json = (value: unknown) =>
    JSON.stringify(
      value,
      (_, value) =>
        typeof value === "bigint"
          ? `${value}n`
          : ArrayBuffer.isView(value)
          ? [...value as Uint8Array]
          : value,
    );
  if (array.type === "SOMADenseNDArray") {
    const { data, shape } = await array.read({ int64: "bigint" });
    return json([...out, data, shape]);
  }
  if (array.type !== "SOMADataFrame" && array.type !== "SOMASparseNDArray") return json(out);
  const columns = array.schema.map(({ name }) => name);
  const [index] = array.schema;
  const coords = index!.type === "int64" ? { [index!.name]: { min: 3, max: 220 } } : {};
  const table = await array.readAll({ columns, coords, int64: "bigint" });
  return json([...out, columns.map((name) => table.column(name))]);
}

/** Damages one file of a store in one way. */
export function damage(files: Files, kind: string, random: Random): Files {
  const paths = [...files.keys()];
  const damaged = new Map(files);
  for (let attempt = 0; attempt < 100; attempt++) {
    const path = paths[random(paths.length)]!;
    const bytes = DAMAGES[kind]!(files.get(path)!, random);
    if (bytes === undefined && kind !== "removed") continue;
    if (bytes === undefined) damaged.delete(path);
    else damaged.set(path, bytes);
    return damaged;
  }
  return damaged;
}

/** Reads a damaged store; throws where the failure is not one that the reader itself tells. */
export async function outcomeOf(files: Files, right: string): Promise<Outcome> {
  try {
    return await readEverything(files) === right ? "same data" : "other data";
  } catch (error) {
    if (!(error instanceof Error) || !/^Cannot /.test(error.message)) throw error;
    return `error: ${error instanceof FormatError ? error.kind : error.name}`;
  }
}

/** The stores that are damaged, with what they hold; those with a number are of older formats. */
export async function fuzzedStores(): Promise<{ name: string; files: Files; right: string }[]> {
  const [newest, versions] = [await fixtureArrays(), await fixtureArrays("versions.tar.gz")];
  const names = [
    "filters",
    "updates_consolidated",
    "deletes",
    "dense_cr",
    "16/frame",
    "21/nullable",
  ];
  return await Promise.all(
    names.map(async (name) => {
      const arrays = /^\d/.test(name) ? versions : newest;
      const store = below(arrays, name);
      const files = new Map<string, Uint8Array>();
      for (const path of arrays.keys()) {
        if (!path.startsWith(`${name}/`)) continue;
        const file = path.slice(name.length + 1);
        files.set(file, await store.read(file, { offset: 0, length: arrays.get(path)!.length }));
      }
      return { name, files, right: await readEverything(files) };
    }),
  );
}

/** Runs cases, each with a seed of its own. */
export async function* fuzz(
  cases: number,
  seed: number,
): AsyncGenerator<{ kind: string; store: string; seed: number; outcome: Outcome }> {
  const stores = await fuzzedStores();
  const kinds = Object.keys(DAMAGES);
  for (let k = 0; k < cases; k++) {
    const random = seeded(seed + k);
    const { name, files, right } = stores[random(stores.length)]!;
    const kind = kinds[random(kinds.length)]!;
    const damaged = damage(files, kind, random);
    try {
      yield { kind, store: name, seed: seed + k, outcome: await outcomeOf(damaged, right) };
    } catch (cause) {
      throw new Error(`case ${seed + k} (${kind} in ${name})`, { cause });
    }
  }
}

if (import.meta.main) {
  const [cases = 10_000, seed = 1] = Deno.args.map(Number);
  const counts = new Map<string, Map<Outcome, number>>();
  let [slowest, last, most] = [0, performance.now(), 0];
  for await (const { kind, outcome } of fuzz(cases, seed)) {
    const now = performance.now();
    slowest = Math.max(slowest, now - last);
    last = now;
    most = Math.max(most, Deno.memoryUsage().rss);
    const row = counts.get(kind) ?? new Map<Outcome, number>();
    counts.set(kind, row.set(outcome, (row.get(outcome) ?? 0) + 1));
  }
  const outcomes = [...new Set([...counts.values()].flatMap((row) => [...row.keys()]))].sort();
  console.log(`| damage | ${outcomes.join(" | ")} |\n| --- |${" ---: |".repeat(outcomes.length)}`);
  for (const [kind, row] of [...counts].sort()) {
    console.log(`| ${kind} | ${outcomes.map((outcome) => row.get(outcome) ?? 0).join(" | ")} |`);
  }
  console.log(
    `\n${cases} cases from seed ${seed}; slowest ${slowest.toFixed(0)} ms; most memory ${
      (most / 2 ** 20).toFixed(0)
    } MiB`,
  );
}
