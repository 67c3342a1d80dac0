/** Opens a checkpoint of either format and compares its tensors with those of a model. */
import type { ByteSource } from "../../data/mod.ts";
import { refuseUnknownKeys } from "../options.ts";
import { CheckpointError } from "./errors.ts";
import { canonicalName } from "./names.ts";
import { readSafetensors } from "./safetensors.ts";
import type { StoredTensor } from "./stored_tensor.ts";
import { readTorchPt } from "./torch_pt.ts";

/** Tensors by canonical name. */
export type StateDict = ReadonlyMap<string, StoredTensor>;

/** A key of a file and the name it has here. */
export interface RenamedKey {
  /** Key in the file. */
  readonly from: string;
  /** Canonical name. */
  readonly to: string;
}

/** The tensors of a file under their canonical names. */
export interface Checkpoint {
  /** What the file's bytes are. */
  readonly format: "safetensors" | "torch";
  /** Tensors; bytes are read when asked for, so the source must stay open. */
  readonly tensors: StateDict;
  /** Keys that had another name in the file. */
  readonly renamed: readonly RenamedKey[];
  /** What a person should know: an unwrapped state dict, entries left aside. */
  readonly notes: readonly string[];
}

/** A tensor whose shape is not the model's. */
export interface MisshapenTensor {
  /** Canonical name. */
  readonly name: string;
  /** Shape in the model. */
  readonly expected: readonly number[];
  /** Shape in the file. */
  readonly found: readonly number[];
}

/** Every key of model and file, each in one list (`renamed` ones stand in another as well). */
export interface StateDictReport {
  /** Same name and shape. */
  readonly matched: readonly string[];
  /** Had another name in the file. */
  readonly renamed: readonly RenamedKey[];
  /** In the model alone. */
  readonly missing: readonly string[];
  /** In the file alone. */
  readonly extra: readonly string[];
  /** In both with different shapes. */
  readonly misshapen: readonly MisshapenTensor[];
}

/** Names by prefix (a string) or by pattern. */
export type NamePatterns = readonly (string | RegExp)[];

/** Which differences are meant; all others are errors. */
export interface MatchOptions {
  /** Tensors of the model that the file need not have. */
  readonly allowMissing?: NamePatterns;
  /** Tensors of the file that the model need not have. */
  readonly allowExtra?: NamePatterns;
  /** Tensors that may have another shape; they are not loaded. */
  readonly allowMisshapen?: NamePatterns;
}

/**
 * Opens a checkpoint, known by its bytes and not by its name: safetensors, or a zip file of `torch.save`.
 *
 * @param source Bytes of the file; must stay open while tensors are read
 * @returns The tensors under canonical names
 * @throws {CheckpointError} When the file is neither, is damaged, or asks for anything but tensors
 */
export async function openCheckpoint(source: ByteSource): Promise<Checkpoint> {
  const head = await source.read(0, Math.min(source.size, 16));
  const format = sniff(head, source);
  const { tensors, notes } = format === "torch"
    ? await readTorchPt(source)
    : await readNotedSafetensors(source);
  return { format, notes, ...canonical(tensors, source.name) };
}

/** What a writer says of the weights' origin is worth telling: fresh weights are random. */
async function readNotedSafetensors(
  source: ByteSource,
): Promise<{ tensors: StateDict; notes: string[] }> {
  const { tensors, metadata: { origin } } = await readSafetensors(source);
  return { tensors, notes: origin === undefined ? [] : [`weights: ${origin}`] };
}

/**
 * Compares the tensors of a file with those of a model; the reference drops what differs without a word.
 *
 * @example
 * ```ts
 * import { openSource } from "@scgpt/sdk/data";
 * import { matchStateDict, openCheckpoint } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * using source = await openSource("tests/fixtures/scgpt/small_checkpoint/best_model.pt");
 * const checkpoint = await openCheckpoint(source);
 * const expected = new Map([["encoder.embedding.weight", [200, 64]]]);
 * assert.throws(() => matchStateDict(expected, checkpoint), /extra encoder.enc_norm.weight/);
 * const report = matchStateDict(expected, checkpoint, { allowExtra: [/./] });
 * assert.deepEqual(report.matched, ["encoder.embedding.weight"]);
 * ```
 *
 * @param expected Shapes of the model's tensors by canonical name
 * @param found The file's tensors
 * @param options Differences that are allowed
 * @returns Every key in its list, allowed differences included
 * @throws {CheckpointError} Of kind "mismatch", with the report, when a difference is not allowed
 */
export function matchStateDict(
  expected: ReadonlyMap<string, readonly number[]>,
  found: Pick<Checkpoint, "tensors" | "renamed">,
  options: MatchOptions = {},
): StateDictReport {
  refuseUnknownKeys(
    options,
    ["allowMissing", "allowExtra", "allowMisshapen"],
    "match a state dict",
  );
  const report = compare(expected, found);
  const { allowMissing = [], allowExtra = [], allowMisshapen = [] } = options;
  const lines = [
    ...report.missing.filter((name) => !matches(name, allowMissing)).map((name) =>
      `missing ${name} [${expected.get(name)}]`
    ),
    ...report.extra.filter((name) => !matches(name, allowExtra)).map((name) =>
      `extra ${name} [${found.tensors.get(name)?.shape}]`
    ),
    ...report.misshapen.filter(({ name }) => !matches(name, allowMisshapen)).map((one) =>
      `misshapen ${one.name}: [${one.expected}] in the model, [${one.found}] in the file`
    ),
  ];
  if (lines.length === 0) return report;
  throw new CheckpointError(
    "mismatch",
    `Cannot load the checkpoint as its tensors must be the model's: got ${lines.length} differences\n  ` +
      lines.join("\n  "),
    { report },
  );
}

function compare(
  expected: ReadonlyMap<string, readonly number[]>,
  { tensors, renamed }: Pick<Checkpoint, "tensors" | "renamed">,
): StateDictReport {
  const matched: string[] = [], missing: string[] = [], misshapen: MisshapenTensor[] = [];
  for (const [name, shape] of expected) {
    const tensor = tensors.get(name);
    if (tensor === undefined) missing.push(name);
    else if (sameShape(shape, tensor.shape)) matched.push(name);
    else misshapen.push({ name, expected: shape, found: tensor.shape });
  }
  const extra = [...tensors.keys()].filter((name) => !expected.has(name));
  return { matched, renamed, missing, extra, misshapen };
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function matches(name: string, patterns: NamePatterns): boolean {
  return patterns.some((pattern) =>
    typeof pattern === "string" ? name.startsWith(pattern) : name.search(pattern) >= 0
  );
}

function canonical(
  found: ReadonlyMap<string, StoredTensor>,
  file: string,
): Pick<Checkpoint, "tensors" | "renamed"> {
  const tensors = new Map<string, StoredTensor>();
  const renamed: RenamedKey[] = [];
  for (const [from, tensor] of found) {
    const to = canonicalName(from);
    if (tensors.has(to)) {
      throw new CheckpointError(
        "format",
        `Cannot read ${file} as each weight must be there once: got two for ${to}, one of them as ${from}`,
      );
    }
    if (to !== from) renamed.push({ from, to });
    tensors.set(to, to === from ? tensor : rename(tensor, to));
  }
  return { tensors, renamed };
}

function rename(tensor: StoredTensor, name: string): StoredTensor {
  return { name, dtype: tensor.dtype, shape: tensor.shape, read: () => tensor.read() };
}

// Opening bytes of a pickled magic number: torch.save before 1.6.
const LEGACY_TORCH = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46];

function sniff(head: Uint8Array, source: ByteSource): Checkpoint["format"] {
  const starts = (bytes: readonly number[]) => bytes.every((byte, at) => head[at] === byte);
  if (starts([0x50, 0x4b, 0x03, 0x04])) return "torch";
  if (head.length >= 9 && head[8] === 0x7b) return "safetensors"; // "{" after the 8-byte header size
  if (starts(LEGACY_TORCH)) {
    throw new CheckpointError(
      "unsupported",
      `Cannot read ${source.name} as it must be a zip file of torch.save: got the format of torch before 1.6; ` +
        `write it anew with torch.save(torch.load(path, map_location="cpu"), path) in a newer torch`,
    );
  }
  throw new CheckpointError(
    "format",
    `Cannot read ${source.name} as it must be a safetensors or torch.save file: ` +
      `got ${source.size} bytes that begin with [${[...head.subarray(0, 8)]}]`,
  );
}
