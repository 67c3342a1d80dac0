/** Reads damaged files one after another in a process of its own, which its parent may end. */
import { createHash } from "node:crypto";
import { type AnnData, FormatError } from "../../data/mod.ts";
import { openCells } from "../../data/cells/mod.ts";
import { partsOf } from "./same.ts";
import { triple } from "./text_files.ts";

/** What is read: the kind of file and its bytes. */
export interface FuzzTask {
  readonly kind: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A hash of all that cells hold. */
async function digestOf(adata: AnnData): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, read] of partsOf(adata)) {
    const text = JSON.stringify([name, await read()], (_, value) => {
      if (ArrayBuffer.isView(value)) hash.update(value as Uint8Array);
      if (ArrayBuffer.isView(value)) return value.byteLength;
      return typeof value === "bigint" ? `${value}n` : Number.isNaN(value) ? "NaN" : value;
    });
    hash.update(text);
  }
  return hash.digest("hex").slice(0, 16);
}

/** How an error is told: those that are not of ours are what no damage may lead to. */
function nameOf(error: unknown): string {
  if (error instanceof FormatError) return `error: ${error.kind}`;
  const ours = error instanceof Error && /^Cannot /.test(error.message);
  return ours ? `error: ${error.name}` : `foreign ${error instanceof Error ? error.stack : error}`;
}

/** Tries every part; one that fails with what is not an error of ours counts before the others. */
async function worst(adata: AnnData, first: unknown): Promise<string> {
  let name = nameOf(first);
  for (const [, read] of partsOf(adata)) {
    await read().catch((error) => {
      if (!name.startsWith("foreign")) {
        name = nameOf(error).startsWith("foreign") ? nameOf(error) : name;
      }
    });
  }
  return name;
}

/** What becomes of a file: a digest, or the kind of its first error. */
export async function outcomeOf({ kind, bytes }: FuzzTask): Promise<string> {
  let adata: AnnData;
  try {
    const source = kind.startsWith("mtx") ? { ...triple(), matrix: bytes } : bytes;
    adata = await openCells(source, kind === "h5mu" ? { modality: "rna" } : {});
  } catch (error) {
    return nameOf(error);
  }
  using cells = adata;
  try {
    return `data ${await digestOf(cells)}`;
  } catch (error) {
    return await worst(cells, error);
  }
}

if (!("Window" in globalThis) && "WorkerGlobalScope" in globalThis) {
  const scope = self as unknown as { onmessage: unknown; postMessage(message: unknown): void };
  scope.onmessage = async ({ data }: MessageEvent<FuzzTask>) =>
    scope.postMessage(await outcomeOf(data));
}
