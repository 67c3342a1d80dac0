/** Reads damaged files one after another in a process of its own, which its parent may end. */
import { type AnnData, FormatError } from "../../data/mod.ts";
import { openCells } from "../../data/cells/mod.ts";
import { triple } from "./text_files.ts";

/** What is read: the kind of file and its bytes. */
export interface FuzzTask {
  readonly kind: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A hash of all that cells hold: names, columns, values of X. */
export async function digestOf(adata: AnnData): Promise<string> {
  const parts: unknown[] = [adata.obsNames, adata.varNames];
  for (const frame of [adata.obs, adata.var]) {
    for (const name of frame.columns()) {
      parts.push([name, ...(await frame.column(name)).values()]);
    }
  }
  for await (const { indptr, indices, data } of (await adata.matrix()).rows()) {
    parts.push([...indptr], [...indices], [...data]);
  }
  const text = JSON.stringify(
    parts,
    (_, value) => typeof value === "bigint" ? `${value}n` : Number.isNaN(value) ? "NaN" : value,
  );
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash).subarray(0, 8), (b) => b.toString(16)).join("");
}

/** What becomes of a file: a digest, or the kind of its error. */
export async function outcomeOf({ kind, bytes }: FuzzTask): Promise<string> {
  try {
    const source = kind.startsWith("mtx") ? { ...triple(), matrix: bytes } : bytes;
    using adata = await openCells(source);
    return `data ${await digestOf(adata)}`;
  } catch (error) {
    if (error instanceof FormatError) return `error ${error.kind}`;
    const ours = error instanceof Error && /^Cannot /.test(error.message);
    return ours ? `error ${error.name}` : `foreign ${error}`;
  }
}

if (!("Window" in globalThis) && "WorkerGlobalScope" in globalThis) {
  const scope = self as unknown as { onmessage: unknown; postMessage(message: unknown): void };
  scope.onmessage = async ({ data }: MessageEvent<FuzzTask>) =>
    scope.postMessage(await outcomeOf(data));
}
