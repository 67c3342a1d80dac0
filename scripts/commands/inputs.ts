/** Files that commands read: looked for before any work is done, and named when they are wrong. */
import { UsageError } from "./command.ts";

/** What is at a path; refuses one where nothing is. */
export async function statInput(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError(`Cannot read ${path} as there is no such file`, { cause });
  }
}

/** Refuses a path where no file is; an http(s) address is left to the one who opens it. */
export async function checkInputFile(path: string): Promise<void> {
  if (/^https?:\/\//i.test(path)) return;
  if (!(await statInput(path)).isDirectory) return;
  throw new UsageError(`Cannot read ${path} as it must be a file: it is a folder`);
}

/** The object that a JSON file holds. */
export async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  await checkInputFile(path);
  const text = await Deno.readTextFile(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`Cannot read ${path} as it is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Record<string, unknown>;
  }
  throw new UsageError(`Cannot read ${path} as it must be a JSON object: got ${show(json)}`);
}

function show(json: unknown): string {
  return json === null ? "null" : Array.isArray(json) ? "a list" : `a ${typeof json}`;
}
