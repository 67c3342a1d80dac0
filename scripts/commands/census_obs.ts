/** `scgpt census obs`: rows of the table of cells, shown or written. */
import { toDataFrame } from "../../data/census/mod.ts";
import { toCsv } from "../../data/interchange/csv.ts";
import { toParquet } from "../../data/interchange/parquet.ts";
import type { SomaDataFrame } from "../../data/soma/mod.ts";
import { type Column, DataFrame } from "../../mod.ts";
import { writeWhole } from "../../data/atomic_deno.ts";
import { CELLS_FLAGS, CENSUS_FLAGS, openFromFlags } from "./census_flags.ts";
import { command, type Context, type FlagValues, UsageError } from "./command.ts";
import { checkOutputFile } from "./outputs.ts";
import { FORCE_FLAG } from "./read_flags.ts";

const ID = "soma_joinid";

/** Rows that are shown where nobody says how many. */
const SHOWN = 20;

const FLAGS = {
  ...CENSUS_FLAGS,
  ...CELLS_FLAGS,
  columns: { kind: "strings", help: "columns, soma_joinid always before them", byDefault: "all" },
  limit: {
    kind: "integer",
    help: "most rows, in the order of the store",
    byDefault: `all to --output, else ${SHOWN}`,
  },
  output: { kind: "string", help: "file to write: .csv, .tsv or .parquet" },
  force: FORCE_FLAG,
} as const;

/** The command. */
export const censusObs = command({
  name: "obs",
  help: "show or write rows of the table of cells",
  flags: FLAGS,
  run: async (flags, context) => {
    const { output, force = false, organism } = flags;
    if (flags.limit !== undefined && flags.limit < 0) {
      throw new UsageError(`Cannot run as --limit must be at least 0: got ${flags.limit}`);
    }
    const kind = output === undefined ? undefined : kindOf(output);
    if (output !== undefined) await checkOutputFile(output, force);
    const census = await openFromFlags(flags, context);
    const obs = await (await census.experiment(organism)).obs();
    const pieces = framesOf(obs, flags, context);
    if (output === undefined || kind === undefined) return await show(pieces, context);
    const rows = kind === "parquet"
      ? await writeParquet(pieces, output, force)
      : await writeText(pieces, output, { force, delimiter: kind });
    context.say(`wrote ${output}: ${rows} cells`);
    return { rows, output };
  },
});

/** What a name asks for: the separator of a text, or Parquet. */
function kindOf(output: string): "parquet" | "," | "\t" {
  if (/\.parquet$/i.test(output)) return "parquet";
  if (/\.csv$/i.test(output)) return ",";
  if (/\.tsv$/i.test(output)) return "\t";
  throw new UsageError(
    `Cannot write ${output} as its name must end with .csv, .tsv or .parquet`,
  );
}

/** The rows in pieces of bounded memory; at least one piece, which may be empty. */
async function* framesOf(
  obs: SomaDataFrame,
  { obsValueFilter, columns, limit, output }: FlagValues<typeof FLAGS>,
  { signal, say }: Context,
): AsyncGenerator<DataFrame> {
  let left = limit ?? (output === undefined ? SHOWN : Infinity);
  let [rows, pieces] = [0, 0];
  const query = {
    ...obsValueFilter !== undefined && { valueFilter: obsValueFilter },
    ...columns && { columns: [...new Set([ID, ...columns])] },
    signal,
  };
  const batch = Number.isFinite(left) && left > 0 ? { batch: Math.min(left, 1 << 18) } : {};
  if (left > 0) {
    for await (const table of obs.read({ ...query, ...batch })) {
      const frame = toDataFrame(table, { index: ID });
      const count = Math.min(frame.length, left);
      yield count === frame.length
        ? frame
        : frame.take(Uint32Array.from({ length: count }, (_, row) => row));
      [rows, left, pieces] = [rows + count, left - count, pieces + 1];
      if (left === 0) break;
      if (pieces % 10 === 0) say(`read ${rows} cells`);
    }
  }
  // The columns are told, and a wrong filter or column is refused, where no row comes.
  if (pieces === 0) {
    const none = await obs.readAll({ ...query, coords: { [ID]: [] } });
    yield toDataFrame(none, { index: ID });
  }
}

/** Shows the rows to the person; the summary holds them for programs. */
async function show(pieces: AsyncIterable<DataFrame>, { say }: Context) {
  const frame = DataFrame.concat(await Array.fromAsync(pieces));
  const { length } = frame;
  const records = await frame.toRecords() as Record<string, unknown>[];
  say([frame.columns(), ...records.map(Object.values)].map((row) => row.join("\t")).join("\n"));
  say(`${length} cells`);
  return { rows: length, obs: records };
}

/** Columns of a frame, all read. */
async function columnsOf(frame: DataFrame): Promise<Record<string, Column>> {
  const entries = frame.columns().map(async (name) => [name, await frame.column(name)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Writes text as it comes. */
async function writeText(
  pieces: AsyncIterable<DataFrame>,
  output: string,
  { force, delimiter }: { readonly force: boolean; readonly delimiter: string },
): Promise<number> {
  let rows = 0;
  async function* texts(): AsyncGenerator<string> {
    let heading: string | undefined;
    for await (const piece of pieces) {
      // The index is soma_joinid already.
      const { [ID]: _, ...columns } = await columnsOf(piece);
      const frame = new DataFrame({ index: piece.index, columns, indexName: ID });
      const text = await toCsv(frame, { delimiter });
      yield heading === undefined ? text : text.slice(heading.length);
      heading ??= await toCsv(frame.take([]), { delimiter });
      rows += frame.length;
    }
  }
  const write = (temporary: string) =>
    Deno.writeFile(temporary, ReadableStream.from(texts()).pipeThrough(new TextEncoderStream()));
  await writeWhole(output, write, { force });
  return rows;
}

/** Writes Parquet, for which all rows are held. */
async function writeParquet(
  pieces: AsyncIterable<DataFrame>,
  output: string,
  force: boolean,
): Promise<number> {
  const frame = DataFrame.concat(await Array.fromAsync(pieces));
  const bytes = await toParquet(frame);
  await writeWhole(output, (temporary) => Deno.writeFile(temporary, bytes), { force });
  return frame.length;
}
