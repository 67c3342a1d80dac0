/** Files that commands write: never over something that is there, and whole or not at all. */
import { dirname } from "node:path";
import { writeWhole as writeFileWhole } from "../../data/atomic_deno.ts";
import type { AnnData } from "../../mod.ts";
import { isZarrName, writeFormat } from "./cells_file.ts";
import { type Context, UsageError } from "./command.ts";

/** Refuses an output that exists, before any work is done. */
export async function refuseExisting(path: string, force: boolean): Promise<void> {
  if (force || !(await Deno.stat(path).then(() => true, () => false))) return;
  throw new Deno.errors.AlreadyExists(
    `Cannot write ${path} as it is there already: give --force to replace it`,
  );
}

/** Refuses a file that could not be written at the end, before any work is done. */
export async function checkOutputFile(path: string, force: boolean): Promise<void> {
  await refuseExisting(path, force);
  const isFolder = (at: string) =>
    Deno.stat(at).then(({ isDirectory }) => isDirectory, () => false);
  if (await isFolder(path)) {
    throw new UsageError(`Cannot write ${path} as it must be a file: it is a folder`);
  }
  if (!await isFolder(dirname(path))) {
    throw new UsageError(`Cannot write ${path} as its folder must be there: got ${dirname(path)}`);
  }
}

/** The same for cells, which may be a folder: a zarr store. */
export async function checkOutputCells(path: string, force: boolean): Promise<void> {
  await (isZarrName(path) ? refuseExisting(path, force) : checkOutputFile(path, force));
}

/** Writes a text or bytes whole or not at all, in place of what is there. */
export async function writeWhole(path: string, contents: string | Uint8Array): Promise<void> {
  const write = (temporary: string) =>
    typeof contents === "string"
      ? Deno.writeTextFile(temporary, contents)
      : Deno.writeFile(temporary, contents);
  await writeFileWhole(path, write, { force: true });
}

/** Writes cells to an h5ad file or a zarr store, and says what could not be carried over and where they are. */
export async function writeCells(
  cells: AnnData,
  { output, force }: { readonly output: string; readonly force: boolean },
  { say, signal }: Context,
): Promise<void> {
  const { notCarried } = await writeFormat(cells, output, { force, signal });
  for (const { key, reason } of notCarried) say(`not carried over: ${key}: ${reason}`);
  say(`wrote ${output}`);
}
