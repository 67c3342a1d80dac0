/** Downloads of source files. */
import type { Hash } from "node:crypto";
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import type { Census } from "./census.ts";

/** How a file is downloaded. */
export interface DownloadOptions {
  /** Whether a file that exists is replaced; refused unless told. */
  readonly force?: boolean;
  /** SHA-256 that the file must have, in hexadecimal digits. */
  readonly sha256?: string;
  /** Told of progress, in bytes. */
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
 * Downloads the h5ad file that a dataset came as. What is not finished stands beside it as `.part`, and is gone on with
 * when it is called again.
 *
 * @param census The Census, opened by its version.
 * @param datasetId `dataset_id` of the dataset.
 * @param toPath Path of the file.
 * @param options Replacement, checksum, progress.
 * @returns Length and SHA-256 of the file.
 * @throws {Deno.errors.AlreadyExists} Where the file exists and `force` is not set.
 * @throws {FormatError} Where its SHA-256 is another one.
 */
export async function downloadSourceH5ad(
  census: Census,
  datasetId: string,
  toPath: string,
  options: DownloadOptions = {},
): Promise<Download> {
  checkOptions("download a source file", options, ["force", "sha256", "onProgress", "signal"]);
  const { force = false, sha256, onProgress, signal } = options;
  if (!force && await Deno.stat(toPath).then(() => true, () => false)) {
    throw new Deno.errors.AlreadyExists(
      `Cannot write ${toPath} as it is there already: set force to replace it`,
    );
  }
  const { store, path } = await census.sourceH5ad(datasetId);
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const entry = (await store.list(folder, { signal })).find(({ name }) => path.endsWith(name));
  if (entry === undefined) {
    throw new FormatError("missing-key", "Cannot download a source file as it is not there", {
      file: store.name,
      key: path,
    });
  }
  const part = `${toPath}.part`;
  const { createHash } = await import("node:crypto"); // which a page that never downloads does not have
  const hash = createHash("sha256");
  let done = await hashPart(part, entry.size, hash);
  using file = await Deno.open(part, { append: true, create: true });
  while (done < entry.size) {
    signal?.throwIfAborted();
    const length = Math.min(PART, entry.size - done);
    const bytes = await store.read(path, { offset: done, length, signal });
    hash.update(bytes);
    for (let at = 0; at < length;) at += await file.write(bytes.subarray(at));
    done += length;
    onProgress?.(done, entry.size);
  }
  await file.sync();
  const digest = hash.digest("hex");
  if (sha256 !== undefined && sha256.toLowerCase() !== digest) {
    await Deno.remove(part);
    throw new FormatError(
      "value",
      `Cannot use a download as its SHA-256 must be ${sha256}: got ${digest}`,
      {
        file: store.name,
        key: path,
      },
    );
  }
  await Deno.rename(part, toPath);
  return { bytes: done, sha256: digest };
}

/** Hashes what an earlier download left; returns its length, or 0 after removing what cannot be of this file. */
async function hashPart(
  part: string,
  size: number,
  hash: Hash,
): Promise<number> {
  const there = await Deno.stat(part).catch(() => undefined);
  if (there === undefined) return 0;
  if (there.size > size) {
    await Deno.remove(part);
    return 0;
  }
  const file = await Deno.open(part);
  for await (const bytes of file.readable) hash.update(bytes);
  return there.size;
}
