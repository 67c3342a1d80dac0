/** A file larger than memory should be: 5 GB of cells are opened, filtered and embedded in part, in a process of its own. */
import {
  AnnData,
  concat,
  csrMatrix,
  DataFrame,
  embed,
  freshModel,
  GeneVocab,
  NumericColumn,
  obs,
  openH5ad,
  openWasmDevice,
  parseConfig,
  RandomStream,
  writeH5ad,
} from "../../mod.ts";

const CELLS = 10_000, GENES = 20_000, PER_CELL = 1000;
/** Parts of 10 million values, 8 bytes each. */
const PARTS = 63;
/** Cells that are embedded: those of one part with the largest numbers of `rank`. */
const EMBEDDED = 500;

/** Rows of the report. */
export async function largeRows(folder: string, say: (line: string) => void): Promise<string[]> {
  const path = `${folder}large.h5ad`;
  say("writing 5 GB of cells …");
  const began = performance.now();
  await writeLarge(path);
  const written = (performance.now() - began) / 1000;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("large.ts", import.meta.url).pathname, path],
    stderr: "inherit",
  });
  say("opening, filtering and embedding …");
  const { stdout } = await child.output();
  const { bytes, cells, values, opened, filtered, row, embedded, peak } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  await Deno.remove(path);
  return [
    `## A file of ${(bytes / 1e9).toFixed(2)} GB: ${cells} cells, ${
      (values / 1e6).toFixed(0)
    } million values`,
    "",
    "| | |",
    "| --- | --- |",
    `| written, X piece by piece | ${written.toFixed(0)} s |`,
    `| opened, names read | ${opened.toFixed(2)} s |`,
    `| filtered by a label and a number to ${EMBEDDED} cells | ${filtered.toFixed(2)} s |`,
    `| one row of X read | ${(1000 * row).toFixed(0)} ms |`,
    `| ${EMBEDDED} cells embedded (3 layers of 64, ${PER_CELL + 1} tokens each) | ${
      embedded.toFixed(1)
    } s |`,
    `| peak resident memory of all that | ${(peak / 2 ** 20).toFixed(0)} MiB |`,
    "",
  ];
}

/** One part, again and again under other names: concatenation reads nothing until it is written. */
async function writeLarge(path: string): Promise<void> {
  const part = makePart();
  const parts = Object.fromEntries(
    Array.from({ length: PARTS }, (_, i) => [`p${i}`, part] as const),
  );
  const all = await concat(parts, { label: "part", indexUnique: "-" });
  await writeH5ad(all, path, { force: true });
}

function makePart(): AnnData {
  const random = new RandomStream(7, 102), step = GENES / PER_CELL;
  const indices = new Uint32Array(CELLS * PER_CELL), data = new Float32Array(CELLS * PER_CELL);
  for (let i = 0; i < indices.length; i++) {
    indices[i] = (i % PER_CELL) * step + random.below(step);
    data[i] = 1 + random.below(20);
  }
  const indptr = Uint32Array.from({ length: CELLS + 1 }, (_, cell) => cell * PER_CELL);
  const names = (length: number, start: string) => Array.from({ length }, (_, i) => `${start}${i}`);
  const rank = new NumericColumn(Float32Array.from({ length: CELLS }, (_, i) => i));
  return AnnData.fromParts({
    X: csrMatrix({ shape: [CELLS, GENES], indptr, indices, data }),
    obs: new DataFrame({ index: names(CELLS, "cell") }).with("rank", rank),
    var: new DataFrame({ index: names(GENES, "GENE") }),
  });
}

/** The measured process. */
async function measure(path: string): Promise<void> {
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 20);
  const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const began = performance.now();
    const result = await work();
    peak = Math.max(peak, Deno.memoryUsage().rss);
    return [result, (performance.now() - began) / 1000];
  };
  const [adata, opened] = await timed(() => openH5ad(path));
  using cells = adata;
  const first = CELLS - EMBEDDED;
  const [few, filtered] = await timed(async () =>
    await cells.filter(obs`part == "p31" && rank >= ${first}`)
  );
  const [, row] = await timed(async () => {
    for await (const _ of cells.X!.rows({ start: 400_000, end: 400_001 }));
  });
  await using device = await openWasmDevice();
  const vocab = GeneVocab.fromNames(Array.from({ length: GENES }, (_, i) => `GENE${i}`));
  using model = await freshModel(device, { config: parseConfig("mini"), vocab, seed: 1 });
  const [result, embedded] = await timed(() => embed(few, model));
  if (result.embeddings.length !== EMBEDDED * result.width) throw new Error("cells are missing");
  clearInterval(watch);
  const { size: bytes } = await Deno.stat(path);
  const values = PARTS * CELLS * PER_CELL;
  console.log(
    JSON.stringify({ bytes, cells: cells.nObs, values, opened, filtered, row, embedded, peak }),
  );
}

if (import.meta.main) {
  await measure(Deno.args[0]!);
  Deno.exit(0);
}
