/** LEDGER.md: function -> file -> device -> largest error, written by the tests themselves when LEDGER=write. */
import type { ParityRow } from "./forward.ts";

const LEDGER = new URL("LEDGER.md", import.meta.url);

const HEAD = `# Parity with the published code
Largest difference from the reference's float64 numbers, over the tensor's largest magnitude. Written by \`deno task parity\`; cases without
a float64 record (small_var_wpool, small_generate_main, small_embed) are compared with the reference's float32. "reference" is the
error of the reference's own float32 pass against the same numbers, where there is one.

| case | output | file | device | largest error | bar | reference |
| --- | --- | --- | --- | --- | --- | --- |
`;

/** Replaces the device's lines of the ledger. */
export async function writeLedger(device: string, rows: readonly ParityRow[]): Promise<void> {
  if (Deno.env.get("LEDGER") !== "write") return;
  const text = await Deno.readTextFile(LEDGER).catch(() => "");
  const others = text.split("\n").filter((line) =>
    line.startsWith("| small") && !line.includes(`| ${device} |`)
  );
  const exponent = (value: number | undefined) => value === undefined ? "" : value.toExponential(1);
  const own = rows.map((row) =>
    `| ${row.case} | ${row.output} | ${row.file} | ${device} | ${exponent(row.error)} | ${
      exponent(row.bar)
    } | ${exponent(row.reference)} |`
  );
  await Deno.writeTextFile(LEDGER, `${HEAD}${[...others, ...own].sort().join("\n")}\n`);
}
