/** Where the reference's numbers lie: all of them beside the repository, if they are there, else the committed subset. */

const COMMITTED = new URL("../fixtures/scgpt/", import.meta.url);
const ALL = new URL("../../../shared/fixtures/scgpt/", import.meta.url);

/** Reads a file of a case; undefined where neither place has it. */
export async function readRecorded(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (const folder of [ALL, COMMITTED]) {
    try {
      return await Deno.readFile(new URL(path, folder));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}
