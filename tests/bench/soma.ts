/** Reading SOMA stores in the settings of the Census: beside tiledbsoma, and over http. */
import {
  directoryStore,
  httpStore,
  openSoma,
  type SomaSparseNDArray,
  type Store,
} from "../../data/soma/mod.ts";
import { S3Server } from "../data/soma/s3_server.ts";
import { interleave, type Timing } from "./measure.ts";
import { type Peer, startPeer } from "./peer.ts";

const RUNS = 7;
const CELLS = 8192;
const ROWS = 1_000_000;
const FILTER = "tissue_general == 'tissue 7' and cell_type in ['cell type 3', 'cell type 44']";

/** Rows of the report; tiledbsoma of the Python in `PYTHON_SOMA` makes the stores. */
export async function somaRows(folder: string, say: (line: string) => void): Promise<string[]> {
  const python = Deno.env.get("PYTHON_SOMA") ?? "python3";
  const peer = await startPeer(python, "tiledbsoma", "soma_peer.py");
  if (peer === undefined) {
    say(
      `SOMA rows are skipped: ${python} has no tiledbsoma (pip install tiledbsoma, or set PYTHON_SOMA)`,
    );
    return [];
  }
  await Deno.mkdir(folder, { recursive: true });
  const [x, obs] = [`${folder}soma_x`, `${folder}soma_obs`];
  say("making the stores, once …");
  const { version } = await peer.ask<{ version: string }>({
    do: "make",
    x,
    cells: CELLS,
    obs,
    rows: ROWS,
  });
  const lines = [
    ...await scanRows(peer, x, version),
    ...await filterRows(peer, obs, version),
    ...await blockRows(x),
  ];
  await peer.stop();
  return lines;
}

/** A contestant that must find as many cells as the first one. */
function counted(
  expected: { count?: number },
  read: () => Promise<{ seconds: number; count: number }>,
) {
  return async () => {
    const { seconds, count } = await read();
    expected.count ??= count;
    if (count !== expected.count) {
      throw new Error(`${count} cells were read, not ${expected.count}`);
    }
    return seconds;
  };
}

async function timed(read: () => Promise<number>): Promise<{ seconds: number; count: number }> {
  const start = performance.now();
  const count = await read();
  return { seconds: (performance.now() - start) / 1000, count };
}

/** Reads everything of X, from the opening on. */
async function scan(from: string | Store): Promise<number> {
  const array = await openSoma(from, { type: "SOMASparseNDArray" });
  let count = 0;
  for await (const batch of array.read()) count += batch.length;
  return count;
}

async function scanRows(peer: Peer, path: string, version: string): Promise<string[]> {
  const expected: { count?: number } = {};
  const python = (threads: number) => counted(expected, () => peer.ask({ do: "x", path, threads }));
  const timings = await interleave({
    "ours, 1 thread": counted(expected, () => timed(() => scan(path))),
    [`tiledbsoma ${version}, 1 thread`]: python(1),
    [`tiledbsoma ${version}, 2 threads`]: python(2),
  }, RUNS);
  return [
    `## SOMA: all of X, ${CELLS} cells, ${
      (expected.count! / 1e6).toFixed(1)
    } M non-zeros, from a closed local store`,
    "",
    ...table(timings, "M non-zeros/s", expected.count! / 1e6),
  ];
}

async function filterRows(peer: Peer, path: string, version: string): Promise<string[]> {
  const expected: { count?: number } = {};
  const ours = async () => {
    const obs = await openSoma(path, { type: "SOMADataFrame" });
    return (await obs.readAll({ valueFilter: FILTER, columns: ["soma_joinid"] })).length;
  };
  const timings = await interleave({
    "ours, 1 thread": counted(expected, () => timed(ours)),
    [`tiledbsoma ${version}, 2 threads`]: counted(
      expected,
      () => peer.ask({ do: "obs", path, threads: 2, filter: FILTER }),
    ),
  }, RUNS);
  return [
    `## SOMA: a value filter on two enumerated columns, ${
      ROWS / 1e6
    } M rows, ${expected.count} pass, from a closed local store`,
    "",
    ...table(timings, "M rows/s", ROWS / 1e6),
  ];
}

/** Requests and bytes of a block of cells over http. */
async function blockRows(path: string): Promise<string[]> {
  await using server = new S3Server(directoryStore(path.replace(/\/[^/]*$/, "")));
  const store = httpStore(`${server.url}${path.replace(/.*\//, "")}`);
  const before = () => ({ requests: server.requests, bytes: server.bytes });
  const lines: string[] = [];
  const measure = async (name: string, act: () => Promise<number | undefined>) => {
    const start = before();
    const count = await act();
    const [requests, bytes] = [server.requests - start.requests, server.bytes - start.bytes];
    lines.push(`| ${name} | ${requests} | ${(bytes / 1e6).toFixed(2)} | ${count ?? ""} |`);
  };
  let array: SomaSparseNDArray;
  await measure("opening", async () => {
    array = await openSoma(store, { type: "SOMASparseNDArray" });
    return undefined;
  });
  const block = (min: number, max: number) => async () =>
    (await array.readAll({ coords: [{ min, max }] })).length;
  await measure("2,048 consecutive cells, first read (with the index)", block(2048, 4095));
  await measure("2,048 consecutive cells, again", block(2048, 4095));
  await measure("64 consecutive cells", block(4100, 4163));
  await measure("1 cell", block(7, 7));
  return [
    "## SOMA: blocks of X over http",
    "",
    "| what | requests | MB | non-zeros |",
    "| --- | ---: | ---: | ---: |",
    ...lines,
    "",
  ];
}

function table(timings: Readonly<Record<string, Timing>>, unit: string, amount: number): string[] {
  const own = Object.values(timings)[0]!.median;
  return [
    `| | best ${unit} | median ${unit} | ours / it |`,
    "| --- | ---: | ---: | ---: |",
    ...Object.entries(timings).map(([name, { min, median }]) =>
      `| ${name} | ${(amount / min).toPrecision(3)} | ${(amount / median).toPrecision(3)} | ${
        median === own ? "" : `${(median / own).toFixed(2)}x`
      } |`
    ),
    "",
  ];
}
