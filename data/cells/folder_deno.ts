/** What a path is: a file, a zarr store, the folder of a matrix triple, another folder, or nothing. */
export async function pathKind(
  path: string,
): Promise<"file" | "zarr" | "triple" | "folder" | "nothing"> {
  const info = await Deno.stat(path).catch((error) => {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return undefined;
    throw error;
  });
  if (info === undefined) return "nothing";
  if (!info.isDirectory) return "file";
  const names: string[] = [];
  for await (const { name } of Deno.readDir(path)) names.push(name);
  if (["zarr.json", ".zgroup", ".zmetadata"].some((name) => names.includes(name))) return "zarr";
  return names.some((name) => /matrix\.mtx(\.gz)?$/.test(name)) ? "triple" : "folder";
}

/** The error for a path where nothing is. */
export function notFound(path: string): Error {
  return new Deno.errors.NotFound(`Cannot open ${path} as there is no such file or folder`);
}
