/** Reading cells: all of a sparse X from closed, beside Python's anndata, and one row of it. */
import {
  AnnData,
  csrMatrix,
  DataFrame,
  openH5ad,
  openZarr,
  writeH5ad,
  writeZarr,
  type WriteZarrOptions,
} from "../../mod.ts";
import { interleave, seconds, type Timing } from "./measure.ts";
import { startPeer } from "./peer.ts";

const [CELLS, GENES, PER_CELL] = [10_000, 20_000, 1000];
const RUNS = 5;

/** The files that are read: one layout each. */
const LAYOUTS: Readonly<Record<string, "h5ad" | "h5ad gzip" | WriteZarrOptions>> = {
  "h5ad": "h5ad",
  "h5ad, gzip": "h5ad gzip",
  "zarr 2, Blosc": { format: 2, compression: "blosc" },
  "zarr 3, zstd": { format: 3 },
  "zarr 3, zstd, shards": { format: 3, shards: true },
};

/** Cells with counts that pack like real ones: most are 1. */
function makeCells(): AnnData {
  const count = CELLS * PER_CELL;
  const step = Math.floor(GENES / PER_CELL);
  const names = (length: number, start: string) =>
    new DataFrame({ index: Array.from({ length }, (_, k) => `${start}${k}`) });
  return AnnData.fromParts({
    obs: names(CELLS, "cell"),
    var: names(GENES, "gene"),
    X: csrMatrix({
      shape: [CELLS, GENES],
      indptr: Uint32Array.from({ length: CELLS + 1 }, (_, row) => row * PER_CELL),
      indices: Uint32Array.from(
        { length: count },
        (_, k) => (k % PER_CELL) * step + Math.imul(k, 2654435761) % step + step >> 1,
      ),
      data: Float32Array.from(
        { length: count },
        (_, k) => 1 + Math.clz32(Math.imul(k, 2246822519) >>> 4) - 4,
      ),
    }),
  });
}

/** Writes the cells in a layout, unless they are there. */
async function makeFile(cells: AnnData, path: string, layout: (typeof LAYOUTS)[string]) {
  if (await Deno.stat(path).then(() => true, () => false)) return;
  if (typeof layout !== "string") await writeZarr(cells, path, layout);
  else await writeH5ad(cells, path, layout === "h5ad" ? {} : { compression: "gzip" });
}

/** Opens a file of either format. */
function open(path: string): Promise<AnnData> {
  return path.endsWith(".zarr") ? openZarr(path) : openH5ad(path);
}

/** Reads all of X, or one row of it, from closed. */
async function readX(path: string, range: { start?: number; end?: number } = {}): Promise<number> {
  using adata = await open(path);
  let sum = 0;
  for await (const { data } of adata.X!.rows(range)) sum += sumOf(data);
  return sum;
}

/** The sum of values, a twentieth of the reading as numpy's is; a loop inside the one over pieces takes half of it. */
function sumOf(values: Float32Array | Float64Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length & ~3;
  for (let k = 0; k < whole; k += 4) {
    a += values[k]!;
    b += values[k + 1]!;
    c += values[k + 2]!;
    d += values[k + 3]!;
  }
  for (let k = whole; k < values.length; k++) a += values[k]!;
  return a + b + c + d;
}

/** Rows of the report; Python of `PYTHON_DATA`, else of `PYTHON`, where it has anndata. */
export async function dataRows(folder: string, say: (line: string) => void): Promise<string[]> {
  const python = Deno.env.get("PYTHON_DATA") ?? Deno.env.get("PYTHON") ?? "python3";
  const peer = await startPeer(python, "anndata", "data_peer.py");
  if (peer === undefined) say(`Python's rows are skipped: ${python} has no anndata`);
  const lines = [
    `## Reading X of ${CELLS} x ${GENES} with ${
      CELLS * PER_CELL / 1e6
    } million values, from closed`,
    "",
    "| file | ours, million values/s | Python's anndata | ours / it | one row, ms |",
    "| --- | --- | --- | --- | --- |",
  ];
  const cells = makeCells();
  for (const [name, layout] of Object.entries(LAYOUTS)) {
    const path = `${folder}${name.replaceAll(/[ ,]+/g, "_")}${
      typeof layout === "string" ? ".h5ad" : ".zarr"
    }`;
    await makeFile(cells, path, layout);
    const expected = await readX(path);
    const ask = async () => {
      const answer = await peer!.ask<{ seconds: number; sum: number }>({ path });
      if (answer.sum !== expected) throw new Error(`${path}: ${answer.sum} is not ${expected}`);
      return answer.seconds;
    };
    const timings = await interleave({
      ours: () => seconds(() => readX(path)),
      ...peer && { python: ask },
      row: () => seconds(() => readX(path, { start: CELLS / 2, end: CELLS / 2 + 1 })),
    }, RUNS);
    lines.push(line(name, timings));
  }
  await peer?.stop();
  return [...lines, ""];
}

/** A row of the table. */
function line(name: string, { ours, python, row }: Record<string, Timing>): string {
  const rate = (timing: Timing | undefined) =>
    timing === undefined ? "" : (CELLS * PER_CELL / 1e6 / timing.median).toFixed(1);
  const ratio = python === undefined ? "" : `${(python.median / ours!.median).toFixed(2)}x`;
  return `| ${name} | ${rate(ours)} | ${rate(python)} | ${ratio} | ${
    (1000 * row!.median).toFixed(0)
  } |`;
}
