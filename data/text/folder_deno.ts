/** Names of the files in a folder of the server; throws `Deno.errors.NotFound` where there is none. */
export async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) names.push(name);
  }
  return names.sort();
}
