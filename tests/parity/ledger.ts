/** LEDGER.md: case -> output -> file -> device -> largest error, written by the tests themselves when LEDGER=write. */
import type { ParityRow } from "./case.ts";

const LEDGER = new URL("LEDGER.md", import.meta.url);

const HEAD = `# Parity with the published code
Largest difference from the reference's float64 numbers, over the tensor's largest magnitude. Written by \`deno task parity\`; cases without
a float64 record (small_var_wpool, small_generate_main, small_embed) are compared with the reference's float32. "reference" is the
error of the reference's own float32 pass against the same numbers, where there is one (of small_var_wpool: of its path that pools over
pads). Gradients and steps of training have the bar 1e-4; losses of training are float32 records. "bits" marks what is equal bit by bit, given the reference's random draws; it runs on the host, the same for every device.

| case | output | file | device | largest error | bar | reference |
| --- | --- | --- | --- | --- | --- | --- |
`;

/** Replaces a device's lines of the ledger. */
export async function writeLedger(device: string, rows: readonly ParityRow[]): Promise<void> {
  const exponent = (value: number | undefined) => value === undefined ? "" : value.toExponential(1);
  await replaceLines(rows.map((row) => ({
    key: `| ${row.case} | ${row.output} | ${row.file} | ${device} |`,
    value: ` ${exponent(row.error)} | ${exponent(row.bar)} | ${exponent(row.reference)} |`,
  })));
}

/** Notes what a test has just found equal bit by bit. */
export async function recordBits(name: string, output: string, file: string): Promise<void> {
  await replaceLines([{
    key: `| ${name} | ${output} | ${file} | host |`,
    value: " 0 | bits |  |",
  }]);
}

async function replaceLines(rows: readonly { key: string; value: string }[]): Promise<void> {
  if (Deno.env.get("LEDGER") !== "write") return;
  const text = await Deno.readTextFile(LEDGER).catch(() => "");
  const table = text.slice(text.lastIndexOf("| --- |")).split("\n").slice(1);
  const others = table.filter((line) =>
    line !== "" && !rows.some(({ key }) => line.startsWith(key))
  );
  const lines = [...others, ...rows.map(({ key, value }) => key + value)].sort();
  await Deno.writeTextFile(LEDGER, `${HEAD}${lines.join("\n")}\n`);
}
