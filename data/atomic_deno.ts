/** Files and folders that appear under their name only when they are whole, so that a crash at any moment leaves the earlier one. */
import { checkOptions } from "./checks.ts";

/** Settings of {@linkcode writeWhole}. */
export interface WriteWholeOptions {
  /** Whether a file that exists is replaced; refused unless told. */
  readonly force?: boolean;
}

/**
 * Lets a file or a folder be written under a temporary name beside it, brings it to the disk and renames it.
 *
 * @example
 * ```ts
 * import { writeWhole } from "@scgpt/sdk/data";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * await writeWhole(`${folder}/a.txt`, (temporary) => Deno.writeTextFile(temporary, "whole"));
 * assert.equal(await Deno.readTextFile(`${folder}/a.txt`), "whole");
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param path Path of the file
 * @param write Makes the file or folder at the path that it is given
 * @param options Replacement
 * @returns What `write` returned
 * @throws {Deno.errors.AlreadyExists} When the path exists and `force` is not set
 */
export async function writeWhole<T>(
  path: string,
  write: (temporary: string) => Promise<T>,
  options: WriteWholeOptions = {},
): Promise<T> {
  checkOptions("write a file", options, ["force"]);
  const { force = false } = options;
  if (!force) await refuseExisting(path);
  const temporary = `${path}.${crypto.randomUUID()}${TEMPORARY}`;
  try {
    const result = await write(temporary);
    const { isDirectory } = await Deno.stat(temporary);
    await (isDirectory ? syncAll(temporary) : sync(temporary, { write: true }));
    if (!force) await refuseExisting(path);
    await (isDirectory ? replaceFolder(temporary, path) : Deno.rename(temporary, path));
    await syncFolder(path);
    return result;
  } catch (cause) {
    // The first error is the one to tell.
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw cause;
  }
}

/** Removes what a killed process left of an unfinished {@linkcode writeWhole} to this path. Nobody else may be writing it. */
export async function removeUnfinished(path: string): Promise<void> {
  const [folder, name] = parted(path);
  for await (const entry of Deno.readDir(folder)) {
    const middle = entry.name.slice(name.length, -TEMPORARY.length);
    if (entry.name === `${name}${middle}${TEMPORARY}` && UNIQUE.test(middle)) {
      await Deno.remove(`${folder}/${entry.name}`, { recursive: true });
    }
  }
}

const TEMPORARY = ".tmp";
const UNIQUE = /^\.[0-9a-f-]{36}$/;

async function refuseExisting(path: string): Promise<void> {
  const there = await Deno.lstat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
  if (!there) return;
  throw new Deno.errors.AlreadyExists(
    `Cannot write ${path} as it is there already: set force to replace it`,
  );
}

async function sync(path: string, options: Deno.OpenOptions): Promise<void> {
  using file = await Deno.open(path, options);
  await file.sync();
}

/** Brings all files of a folder to the disk. */
async function syncAll(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    await (isDirectory ? syncAll(path) : sync(path, { write: true }));
  }
}

/** Renames a folder in place of what is there; a folder cannot replace another by one rename, so the earlier one steps aside. */
async function replaceFolder(temporary: string, path: string): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}${TEMPORARY}`;
  const moved = await Deno.rename(path, aside).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
  try {
    await Deno.rename(temporary, path);
  } catch (cause) {
    if (moved) await Deno.rename(aside, path);
    throw cause;
  }
  if (moved) await Deno.remove(aside, { recursive: true });
}

/** A rename is on the disk when its folder is; Windows neither needs nor allows it. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os !== "windows") await sync(parted(path)[0], { read: true });
}

/** Folder and name. */
function parted(path: string): [string, string] {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return [at < 0 ? "." : path.slice(0, at) || "/", path.slice(at + 1)];
}
