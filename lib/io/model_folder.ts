/** A model folder: `args.json`, `vocab.json`, and the weights as safetensors or as the reference's `best_model.pt`. */
import { type ByteSource, openSource } from "../../data/mod.ts";
import { parseArgs, type ScgptConfig } from "../config.ts";
import { GeneVocab } from "../input/vocab.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";

/** Names of the weights' file, the preferred first. */
export const WEIGHT_FILES = [
  "model.safetensors",
  "best_model.safetensors",
  "best_model.pt",
] as const;

/** Files that a page was given, by name without folder. */
export interface ModelFiles {
  /** Contents by file name, such as "args.json". */
  readonly files: Readonly<Record<string, Blob | Uint8Array>>;
}

/** A model folder, open: the weights are read from it when asked for. */
export interface ModelFolder {
  /** Architecture, with `nTokens` from the vocabulary where args.json says nothing. */
  readonly config: ScgptConfig;
  /** Gene vocabulary. */
  readonly vocab: GeneVocab;
  /** Weights by canonical name. */
  readonly checkpoint: Checkpoint;
  /** Name of the weights' file. */
  readonly weightFile: string;
  /** Closes the weights' file. */
  [Symbol.dispose](): void;
}

/**
 * Opens a model folder. Where safetensors and .pt are both there, safetensors is read.
 *
 * @example
 * ```ts
 * import { openModelFolder, readFloat32 } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * using folder = await openModelFolder("tests/fixtures/scgpt/small_checkpoint");
 * assert.equal(folder.config.embsize, 64);
 * const table = folder.checkpoint.tensors.get("encoder.embedding.weight")!;
 * assert.equal((await readFloat32(table)).length, folder.vocab.size * 64);
 * ```
 *
 * @param folder Path of the folder (on a server), its http(s) address, or files in memory
 * @returns Configuration, vocabulary and weights; dispose it when the weights are loaded
 * @throws {CheckpointError} Of kind "missing-file" when a file is not there, or of another kind for bad weights
 * @throws {SyntaxError | TypeError | RangeError} For a bad args.json or vocab.json
 */
export async function openModelFolder(folder: string | URL | ModelFiles): Promise<ModelFolder> {
  const config = parseArgs(await readModelFile(folder, "args.json"));
  const vocab = GeneVocab.fromJson(await readModelFile(folder, "vocab.json"));
  const source = await openWeights(folder);
  try {
    return {
      config: Object.freeze({ ...config, nTokens: config.nTokens ?? vocab.size }),
      vocab,
      checkpoint: await openCheckpoint(source),
      weightFile: source.file,
      [Symbol.dispose]: () => source[Symbol.dispose](),
    };
  } catch (cause) {
    source[Symbol.dispose]();
    throw cause;
  }
}

type Folder = string | URL | ModelFiles;

/**
 * Reads a text file of a model folder.
 *
 * @param folder Path of the folder (on a server), its http(s) address, or files in memory
 * @param file Its name, such as "task.json"
 * @returns The text
 * @throws {CheckpointError} Of kind "missing-file" when it is not there
 */
export async function readModelFile(
  folder: string | URL | ModelFiles,
  file: string,
): Promise<string> {
  using source = await openFile(folder, file);
  if (source === undefined) throw missing(folder, file);
  return new TextDecoder().decode(await source.read(0, source.size));
}

async function openWeights(folder: Folder): Promise<ByteSource & { readonly file: string }> {
  for (const file of WEIGHT_FILES) {
    const source = await openFile(folder, file);
    if (source === undefined) continue;
    return {
      file,
      size: source.size,
      name: source.name,
      read: (offset, length) => source.read(offset, length),
      [Symbol.dispose]: () => source[Symbol.dispose](),
    };
  }
  throw missing(folder, WEIGHT_FILES.join(" or "));
}

/** The file, or undefined where there is none; other failures are thrown. */
async function openFile(folder: Folder, file: string): Promise<ByteSource | undefined> {
  if (!(typeof folder === "string" || folder instanceof URL)) {
    const contents = folder.files[file];
    return contents === undefined ? undefined : await openSource(contents);
  }
  try {
    return await openSource(join(folder, file));
  } catch (cause) {
    if (isNotFound(cause)) return undefined;
    throw cause;
  }
}

function join(folder: string | URL, file: string): string | URL {
  if (folder instanceof URL || /^https?:\/\//i.test(folder)) {
    const url = new URL(folder);
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${file}`;
    return url;
  }
  return `${folder.replace(/[/\\]$/, "")}/${file}`;
}

/** A file system's NotFound, or a server's 404. */
function isNotFound(cause: unknown): boolean {
  return cause instanceof Error &&
    (cause.name === "NotFound" || /answered 404\b/.test(cause.message));
}

function missing(folder: Folder, file: string): CheckpointError {
  const place = typeof folder === "string" || folder instanceof URL
    ? String(folder)
    : `the files ${Object.keys(folder.files).join(", ")}`;
  return new CheckpointError(
    "missing-file",
    `Cannot open the model as ${place} must hold ${file}: no such file`,
  );
}
