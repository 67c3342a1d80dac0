/** The README's table of files that read as Python reads them, written by the tests themselves when LEDGER=write. */

const README = new URL("../../README.md", import.meta.url);
const START = "<!-- files: written by deno task parity -->\n";
const END = "<!-- end of files -->";
const HEAD = "| file | parts equal to what Python reads |\n| --- | ---: |\n";

/** Notes how many parts of a file a test has just found equal. */
export async function recordFile(file: string, parts: number): Promise<void> {
  if (Deno.env.get("LEDGER") !== "write") return;
  const text = await Deno.readTextFile(README);
  const [from, to] = [text.indexOf(START) + START.length, text.indexOf(END)];
  if (to < from || from < START.length) {
    throw new Error(`Cannot write the table as README.md must have ${START.trim()} and ${END}`);
  }
  const lines = text.slice(from, to).split("\n").slice(2);
  const others = lines.filter((line) => line !== "" && !line.startsWith(`| ${file} |`));
  const table = [...others, `| ${file} | ${parts} of ${parts} |`].sort().join("\n");
  await Deno.writeTextFile(README, `${text.slice(0, from)}${HEAD}${table}\n${text.slice(to)}`);
}
