/** Downloads of source files. */
import type { Hash } from "node:crypto";
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import type { Store } from "../soma/mod.ts";
import type { Census } from "./census.ts";

/** How a file is downloaded. */
export interface DownloadOptions {
  /** Whether a file that exists is replaced; refused unless told. */
  readonly force?: boolean;
  /** SHA-256 that the file must have, in hexadecimal digits. */
  readonly sha256?: string;
  /** Told of progress, in bytes: first of what an earlier download left, then after each piece. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops it; what was downloaded stays, and the next download goes on from there. */
  readonly signal?: AbortSignal;
}

/** A finished download. */
export interface Download {
  /** Length of the file. */
  readonly bytes: number;
  /** Its SHA-256 in hexadecimal digits. */
  readonly sha256: string;
}

/** Bytes of a request. */
const PART = 8 * 1024 * 1024;

/**
 * Downloads the h5ad file that a dataset came as. What is not finished stands beside it as `.part`, under a name of this
 * source alone, and is gone on with when it is called again.
 *
 * @param census The Census, opened by its version or with `h5ads`.
 * @param datasetId `dataset_id` of the dataset.
 * @param toPath Path of the file.
 * @param options Replacement, checksum, progress.
 * @returns Length and SHA-256 of the file.
 * @throws {Deno.errors.AlreadyExists} Where the file exists and `force` is not set.
 * @throws {RangeError} Where there is no such dataset, or the Census does not say where source files lie.
 * @throws {FormatError} Where the file is not there, or its SHA-256 is another one.
 */
export async function downloadSourceH5ad(
  census: Census,
  datasetId: string,
  toPath: string,
  options: DownloadOptions = {},
): Promise<Download> {
  checkOptions("download a source file", options, ["force", "sha256", "onProgress", "signal"]);
  const { force = false, sha256 } = options;
  if (!force && await Deno.stat(toPath).then(() => true, () => false)) {
    throw new Deno.errors.AlreadyExists(
      `Cannot write ${toPath} as it is there already: set force to replace it`,
    );
  }
  const source = await findSource(census, datasetId, options.signal);
  const { createHash } = await import("node:crypto"); // which a page that never downloads does not have
  const { store, path, size } = source;
  // Two sources must never become one file, so what is left of another is not gone on with.
  const id = createHash("sha256").update(`${store.name}\n${path}\n${size}`).digest("hex");
  const part = `${toPath}.${id.slice(0, 8)}.part`;
  const hash = createHash("sha256");
  await downloadPart(source, part, { ...options, hash });
  const digest = hash.digest("hex");
  if (sha256 !== undefined && sha256.toLowerCase() !== digest) {
    await Deno.remove(part);
    throw new FormatError(
      "value",
      `Cannot use a download as its SHA-256 must be ${sha256}: got ${digest}`,
      { file: store.name, key: path },
    );
  }
  await Deno.rename(part, toPath);
  return { bytes: size, sha256: digest };
}

/** A file to download. */
interface Source {
  readonly store: Store;
  readonly path: string;
  /** Its length in bytes. */
  readonly size: number;
}

/** Where the file of a dataset lies, and its length. */
async function findSource(
  census: Census,
  datasetId: string,
  signal: AbortSignal | undefined,
): Promise<Source> {
  const { store, path } = await census.sourceH5ad(datasetId);
  const at = path.lastIndexOf("/");
  const name = path.slice(at + 1);
  const entries = await store.list(path.slice(0, Math.max(0, at)), { signal });
  const entry = entries.find((entry) => entry.kind === "file" && entry.name === name);
  if (entry !== undefined) return { store, path, size: entry.size };
  throw new FormatError("missing-key", "Cannot download a source file as it is not there", {
    file: store.name,
    key: path,
  });
}

/** Downloads what an earlier download did not, and hashes all of it. */
async function downloadPart(
  { store, path, size }: Source,
  part: string,
  { hash, onProgress, signal }: DownloadOptions & { readonly hash: Hash },
): Promise<void> {
  let done = await hashPart(part, { size, hash, signal });
  onProgress?.(done, size);
  while (done < size) {
    signal?.throwIfAborted();
    const length = Math.min(PART, size - done);
    const bytes = await store.read(path, { offset: done, length, signal });
    hash.update(bytes);
    await Deno.writeFile(part, bytes, { append: true });
    done += length;
    onProgress?.(done, size);
  }
  using file = await Deno.open(part, { append: true, create: true });
  await file.sync();
}

/** Hashes what an earlier download left; returns its length, or 0 after removing what cannot be of this file. */
async function hashPart(
  part: string,
  { size, hash, signal }: {
    readonly size: number;
    readonly hash: Hash;
    readonly signal: AbortSignal | undefined;
  },
): Promise<number> {
  const there = await Deno.stat(part).catch(() => undefined);
  if (there === undefined) return 0;
  if (there.size > size) {
    await Deno.remove(part);
    return 0;
  }
  const file = await Deno.open(part);
  for await (const bytes of file.readable) {
    signal?.throwIfAborted();
    hash.update(bytes);
  }
  return there.size;
}
