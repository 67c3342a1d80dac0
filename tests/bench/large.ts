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
/** Parts of 10 million values, 8 bytes each: of the file that is embedded in part, and of the one that is read whole. */
const PARTS = 63, READ_PARTS = 13;
/** Times that one row is read from closed. */
const ROWS_READ = 7;
/** Cells that are embedded: those of one part with the largest numbers of `rank`. */
const EMBEDDED = 500;

/** Rows of the report. */
export async function largeRows(folder: string, say: (line: string) => void): Promise<string[]> {
  const path = `${folder}large.h5ad`;
  const write = async (parts: number) => {
    const began = performance.now();
    await writeLarge(path, parts);
    return (performance.now() - began) / 1000;
  };
  say("writing 1 GB of cells, and reading them …");
  await write(READ_PARTS);
  const read = readRows(await inChild(path, "row"), await inChild(path, "scan"));
  say("writing 5 GB of cells …");
  const written = await write(PARTS);
  say("opening, filtering and embedding …");
  const embedded = embedRows(await inChild(path, "embed"), written);
  await Deno.remove(path);
  return [...embedded, ...read];
}

/** What a process of its own measures of a file. */
async function inChild(path: string, what: string): Promise<Record<string, number>> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("large.ts", import.meta.url).pathname, path, what],
    stderr: "inherit",
  });
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Heading of a file's table. */
function heading({ bytes, cells, values }: Record<string, number>): string[] {
  const millions = (values! / 1e6).toFixed(0);
  const title = `## A file of ${
    (bytes! / 1e9).toFixed(2)
  } GB: ${cells} cells, ${millions} million values`;
  return [title, "", "| | |", "| --- | --- |"];
}

/** Bytes in MiB. */
function mebi(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function embedRows(found: Record<string, number>, written: number): string[] {
  const { opened, filtered, row, embedded, peak } = found;
  return [
    ...heading(found),
    `| written, X piece by piece | ${written.toFixed(0)} s |`,
    `| opened, names read | ${opened!.toFixed(2)} s |`,
    `| filtered by a label and a number to ${EMBEDDED} cells | ${filtered!.toFixed(2)} s |`,
    `| one row of X read | ${(1000 * row!).toFixed(0)} ms |`,
    `| ${EMBEDDED} cells embedded (3 layers of 64, ${PER_CELL + 1} tokens each) | ${
      embedded!.toFixed(1)
    } s |`,
    `| peak resident memory of all that | ${mebi(peak!)} |`,
    "",
  ];
}

function readRows(rows: Record<string, number>, scan: Record<string, number>): string[] {
  const { first, median } = rows;
  const { seconds, values, peak } = scan;
  return [
    ...heading(scan),
    `| one row of X, from closed, in a new process | ${(1000 * first!).toFixed(0)} ms |`,
    `| the same again, median of ${ROWS_READ} | ${(1000 * median!).toFixed(0)} ms |`,
    `| all of X read | ${seconds!.toFixed(2)} s, ${
      (values! / 1e6 / seconds!).toFixed(0)
    } million values/s |`,
    `| peak resident memory of reading all, in a new process | ${mebi(peak!)} |`,
    "",
  ];
}

/** One part, again and again under other names: concatenation reads nothing until it is written. */
async function writeLarge(path: string, count: number): Promise<void> {
  const part = makePart();
  const parts = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`p${i}`, part] as const),
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

/** Seconds of acts, and the most memory that was resident meanwhile. */
class Watch {
  peak = 0;
  readonly #timer = setInterval(() => this.#look(), 20);

  async time<T>(work: () => Promise<T>): Promise<[T, number]> {
    const began = performance.now();
    const result = await work();
    this.#look();
    return [result, (performance.now() - began) / 1000];
  }

  #look(): void {
    this.peak = Math.max(this.peak, Deno.memoryUsage().rss);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Opens, filters and embeds a part of a file. */
async function measureEmbedding(path: string): Promise<Record<string, number>> {
  using watch = new Watch();
  const [adata, opened] = await watch.time(() => openH5ad(path));
  using cells = adata;
  const first = CELLS - EMBEDDED;
  const [few, filtered] = await watch.time(async () =>
    await cells.filter(obs`part == "p31" && rank >= ${first}`)
  );
  const [, row] = await watch.time(() => readRow(cells));
  await using device = await openWasmDevice();
  const vocab = GeneVocab.fromNames(Array.from({ length: GENES }, (_, i) => `GENE${i}`));
  using model = await freshModel(device, { config: parseConfig("mini"), vocab, seed: 1 });
  const [result, embedded] = await watch.time(() => embed(few, model));
  if (result.embeddings.length !== EMBEDDED * result.width) throw new Error("cells are missing");
  return { cells: cells.nObs, opened, filtered, row, embedded, peak: watch.peak };
}

/** Reads the row in the middle. */
async function readRow(adata: AnnData): Promise<void> {
  const start = adata.nObs >> 1;
  for await (const _ of adata.X!.rows({ start, end: start + 1 }));
}

/** Reads one row from closed, again and again. */
async function measureRow(path: string): Promise<Record<string, number>> {
  using watch = new Watch();
  const times: number[] = [];
  let cells = 0;
  for (let k = 0; k <= ROWS_READ; k++) {
    const [, time] = await watch.time(async () => {
      using adata = await openH5ad(path);
      await readRow(adata);
      cells = adata.nObs;
    });
    times.push(time);
  }
  const [first, ...again] = times;
  const median = again.sort((a, b) => a - b)[ROWS_READ >> 1];
  return { cells, first: first!, median: median! };
}

/** The sum of all values of X. */
async function sumOf(adata: AnnData): Promise<number> {
  let sum = 0;
  for await (const { data } of adata.X!.rows()) sum += sumOfPiece(data);
  return sum;
}

/** In a function of its own, which is compiled as one; inside the loop over pieces it would take longer than the reading. */
function sumOfPiece(data: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < data.length; k++) sum += data[k]!;
  return sum;
}

/** Reads all rows. */
async function measureScan(path: string): Promise<Record<string, number>> {
  using watch = new Watch();
  using adata = await openH5ad(path);
  const [sum, seconds] = await watch.time(() => sumOf(adata));
  if (!(sum > 0)) throw new Error("values are missing");
  return { cells: adata.nObs, seconds, peak: watch.peak };
}

/** What a process of its own may be asked to measure. */
const MEASURES: Readonly<Record<string, (path: string) => Promise<Record<string, number>>>> = {
  embed: measureEmbedding,
  row: measureRow,
  scan: measureScan,
};

if (import.meta.main) {
  const [path, what] = Deno.args;
  const { size: bytes } = await Deno.stat(path!);
  const found = await MEASURES[what!]!(path!);
  console.log(JSON.stringify({ ...found, bytes, values: found.cells! * PER_CELL }));
  Deno.exit(0);
}
