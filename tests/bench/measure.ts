/** Interleaved measurements: A B C A B C …, minimum and median of each. */

/** Seconds of the runs of one contestant. */
export interface Timing {
  /** Fastest run. */
  readonly min: number;
  /** Middle run. */
  readonly median: number;
  /** Runs. */
  readonly runs: number;
}

/** A contestant: runs once and returns the seconds. */
export type Contestant = () => number | Promise<number>;

/** Runs all contestants in turn, `runs` times after a warm-up. */
export async function interleave(
  contestants: Readonly<Record<string, Contestant>>,
  runs: number,
): Promise<Record<string, Timing>> {
  const seconds: Record<string, number[]> = {};
  for (let round = 0; round <= runs; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const took = await run();
      if (round > 0) (seconds[name] ??= []).push(took); // round 0 warms up
    }
  }
  return Object.fromEntries(Object.entries(seconds).map(([name, all]) => [name, timing(all)]));
}

function timing(seconds: readonly number[]): Timing {
  const sorted = seconds.toSorted((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]!, runs: sorted.length };
}

/** Seconds that an action takes. */
export async function seconds(action: () => unknown): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

/** What a table tells. */
export interface Speeds {
  /** Name of the amount a second. */
  readonly unit: string;
  /** Amount of one run. */
  readonly amount: number;
  /** The machine's limit, in amounts a second, and its name. */
  readonly peak: number;
  readonly peakName: string;
}

/** A Markdown table; the first row is ours, ratios are ours over the other. */
export function speedTable(
  timings: Readonly<Record<string, Timing>>,
  { unit, amount, peak, peakName }: Speeds,
): string[] {
  const rows = Object.entries(timings);
  const own = rows[0]![1];
  const speed = (seconds: number) => (amount / seconds).toPrecision(3);
  return [
    `| | best ${unit} | median ${unit} | median of the ${peakName} | ours / it |`,
    "| --- | --- | --- | --- | --- |",
    ...rows.map(([name, { min, median }], i) =>
      `| ${name} | ${speed(min)} | ${speed(median)} | ${
        (100 * amount / median / peak).toFixed(0)
      } % | ${i === 0 ? "" : `${(median / own.median).toFixed(2)}x`} |`
    ),
    "",
  ];
}
