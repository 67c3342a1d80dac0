/** Reads and writes cells in a page's worker, or in the page itself, by every way that a page has. */
import { openCells } from "../../data/cells/mod.ts";
import { openH5ad, writeH5adBytes } from "../../data/h5ad/mod.ts";
import type { AnnData } from "../../data/mod.ts";
import { openZarr, writeZarr } from "../../data/zarr/mod.ts";

/** What a file gave: X, labels, and the text compressed with lzf where it has one. */
export interface CellsRead {
  readonly X: readonly number[];
  readonly labels: readonly (string | null)[];
}

async function read(opening: Promise<AnnData>): Promise<CellsRead> {
  using adata = await opening;
  const X = [...await (await adata.matrix()).dense()];
  return { X, labels: [...(await adata.obs.column("label", "categorical")).values()] };
}

/** Reads the cells at an address in every way; the results by way. */
export async function readEveryWay(base: string): Promise<Record<string, CellsRead>> {
  const address = new URL("columns.h5ad", base).href;
  const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
  const file = new File([bytes], "columns.h5ad");
  const zip = new Uint8Array(await (await fetch(new URL("columns.zarr.zip", base))).arrayBuffer());
  using cells = await openH5ad(file);
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("cells.zarr", { create: true });
  await writeZarr(cells, folder, { format: 3 });
  const written = await writeH5adBytes(cells);
  return {
    address: await read(openH5ad(address)),
    file: await read(openH5ad(file)),
    bytes: await read(openH5ad(bytes)),
    written: await read(openH5ad(written.bytes)),
    "zarr address": await read(openZarr(new URL("columns.zarr.zip", base))),
    "zarr file": await read(openZarr(new File([zip], "columns.zarr.zip"))),
    "zarr folder": await read(openZarr(folder)),
    "any file": await read(openCells(file)),
    "any ZIP file": await read(openCells(new File([zip], "cells"))),
  };
}

/** A matrix out of a packed table and a triple of files, one of them packed. */
export async function readTexts(): Promise<Record<string, readonly number[]>> {
  const pack = async (text: string) => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    return await new Response(stream).blob();
  };
  using table = await openCells(await pack("cell,A,B\nc1,0,2.5\n"));
  using triple = await openCells([
    new File(
      [await pack("%%MatrixMarket matrix coordinate real general\n2 1 1\n2 1 2.5\n")],
      "matrix.mtx.gz",
    ),
    new File(["E1\tA\nE2\tB\n"], "genes.tsv"),
    new File(["c1\n"], "barcodes.tsv"),
  ]);
  return { table: [...await table.X!.dense()], triple: [...await triple.X!.dense()] };
}

/** Texts compressed with lzf, out of a File. */
export async function readSqueezed(base: string): Promise<readonly string[]> {
  const bytes = await (await fetch(new URL("odd.h5ad", base))).blob();
  using odd = await openH5ad(new File([bytes], "odd.h5ad"));
  return (await odd.obs.column("squeezed", "string")).data;
}

if ("WorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<string>) => void;
    postMessage(message: unknown): void;
  };
  scope.onmessage = async ({ data: base }) => {
    try {
      const [cells, squeezed] = [await readEveryWay(base), await readSqueezed(base)];
      scope.postMessage({ cells, squeezed, texts: await readTexts() });
    } catch (error) {
      scope.postMessage({ error: `${(error as Error).stack}` });
    }
  };
}
