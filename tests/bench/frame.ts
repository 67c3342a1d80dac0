/** Verbs of a data frame of a million rows, beside pandas where there is one. */
import {
  CategoricalColumn,
  DataFrame,
  NumericColumn,
  RandomStream,
  StringColumn,
} from "../../mod.ts";
import { type Contestant, interleave, seconds } from "./measure.ts";

const ROWS = 1_000_000;
const RUNS = 5;

/** obs of an atlas: two labels, a count, a score with gaps and a text. */
function atlas(): DataFrame {
  const random = new RandomStream(1, 0);
  const codes = (count: number, least: number) =>
    Int32Array.from({ length: ROWS }, () => least + Math.floor(random.next() * count));
  const names = (word: string, count: number) =>
    Array.from({ length: count }, (_, k) => `${word} ${k}`);
  const counts = Float64Array.from(codes(8000, 0));
  const scores = Float64Array.from(
    { length: ROWS },
    () => random.next() < 0.01 ? NaN : random.next() * 100 - 50,
  );
  return new DataFrame({
    index: Array.from({ length: ROWS }, (_, row) => `cell_${row}`),
    columns: {
      cell_type: new CategoricalColumn(codes(61, -1), names("type", 60)),
      tissue: new CategoricalColumn(codes(40, 0), names("tissue", 40)),
      n_genes: new NumericColumn(counts, { dtype: "int32" }),
      score: new NumericColumn(scores),
      donor: new StringColumn(Array.from(codes(500, 0), (code) => `donor${code}`)),
    },
  });
}

/** The verbs, under the names that frame_peer.py has for them. */
function contestants(frame: DataFrame): Record<string, Contestant> {
  const right = frame.select(["score"])
    .take(Uint32Array.from({ length: ROWS }, (_, row) => (row * 7919) % ROWS));
  const verbs: Record<string, () => PromiseLike<unknown>> = {
    "filter on two labels": () =>
      frame.filter('tissue == "tissue 3" and cell_type in ["type 1", "type 2"]'),
    "filter half, describe": async () => await (await frame.filter("n_genes > 4000")).describe(),
    "sort by float64": () => frame.sort("score"),
    "sort by int32, descending": () => frame.sort("n_genes", { ascending: false }),
    "sort by label and float64": () => frame.sort(["cell_type", "score"]),
    "sort by text": () => frame.sort("donor"),
    "group by label: mean": () => frame.groupBy("cell_type").agg({ mean: ["n_genes", "mean"] }),
    "group by label and text: mean, nunique": () =>
      frame.groupBy(["cell_type", "donor"]).agg({
        mean: ["n_genes", "mean"],
        tissues: ["tissue", "nunique"],
      }),
    "cross table of two labels": () => frame.crosstab("cell_type", "tissue"),
    "join by name": () => frame.select(["n_genes"]).join(right).column("score"),
    "to records": () => frame.toRecords(),
  };
  return Object.fromEntries(
    Object.entries(verbs).map(([name, run]) => [name, () => seconds(async () => await run())]),
  );
}

/** Seconds of pandas' runs by verb; undefined without pandas. */
async function pandas(
  say: (line: string) => void,
): Promise<Record<string, number[]> | undefined> {
  const python = Deno.env.get("PYTHON") ?? "python3";
  const script = new URL("frame_peer.py", import.meta.url).pathname;
  const args = [script, String(ROWS), String(RUNS)];
  const { success, stdout } = await new Deno.Command(python, { args, stderr: "null" }).output()
    .catch(() => ({ success: false, stdout: new Uint8Array(0) }));
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  say(`pandas' column is empty: ${python} has no pandas (set PYTHON)`);
  return undefined;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const ms = (time: number) => (time * 1000).toFixed(0);

/** Rows of the report. Columns are in memory; a view's columns are gathered only where the verb reads them. */
export async function frameRows(say: (line: string) => void): Promise<string[]> {
  const peer = await pandas(say);
  const timings = await interleave(contestants(atlas()), RUNS);
  return [
    "## A data frame of 1,000,000 rows",
    "",
    "| verb | best ms | median ms | pandas, median ms | pandas / ours |",
    "| --- | --- | --- | --- | --- |",
    ...Object.entries(timings).map(([name, { min, median: middle }]) => {
      const theirs = peer?.[name] && median(peer[name]);
      const ratio = theirs ? (theirs / middle).toFixed(2) : "";
      return `| ${name} | ${ms(min)} | ${ms(middle)} | ${theirs ? ms(theirs) : ""} | ${ratio} |`;
    }),
    "",
  ];
}
