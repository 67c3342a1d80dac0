/** Peak memory of embedding 10,000 cells from a file, in a process of its own. */
import {
  AnnData,
  DataFrame,
  embedEvents,
  loadModel,
  openH5ad,
  openWasmDevice,
  writeH5ad,
} from "../../mod.ts";
import { randomCounts } from "./cells.ts";

const CELLS = 10_000, GENES = 2_000, EXPRESSED = 60;

/** Rows of the report. */
export async function memoryRows(model: string, say: (line: string) => void): Promise<string[]> {
  const input = `${model}_cells.h5ad`;
  await writeCells(input);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("memory.ts", import.meta.url).pathname, model, input],
    stderr: "inherit",
  });
  say(`embedding ${CELLS} cells of ${EXPRESSED} genes (some minutes) …`);
  const { stdout } = await child.output();
  const { weights, after, peak, seconds } = JSON.parse(new TextDecoder().decode(stdout));
  const mebi = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  return [
    `## Memory of embedding ${CELLS} cells (whole-human size, ${
      EXPRESSED + 1
    } tokens each, from a file, ${(CELLS / seconds).toFixed(1)} cells/s)`,
    "",
    "| | |",
    "| --- | --- |",
    `| resident with the weights loaded and room for the result | ${mebi(weights)} |`,
    `| peak in the first 1,000 cells | ${mebi(after)} |`,
    `| peak of all cells | ${mebi(peak)} |`,
    `| growth after the first 1,000 cells | ${(100 * (peak / after - 1)).toFixed(1)} % |`,
    `| peak over the weights and the result | ${mebi(peak - weights)} |`,
    "",
  ];
}

async function writeCells(path: string): Promise<void> {
  const { X, obs } = randomCounts(CELLS, GENES, EXPRESSED);
  const frame = new DataFrame({ index: Array.from({ length: GENES }, (_, i) => `GENE${i * 30}`) });
  await writeH5ad(AnnData.fromParts({ X, obs, var: frame }), path, { force: true });
}

/** The measured process: resident memory before, in the first 1,000 cells, and over all. */
async function measure(folder: string, input: string): Promise<void> {
  await using device = await openWasmDevice();
  using model = await loadModel(folder, device);
  using adata = await openH5ad(input);
  let after = 0, peak = 0;
  const width = model.config.embsize;
  // Written to once, so that the result's own memory is there from the start and does not count as growth.
  const embeddings = new Float32Array(adata.nObs * width).fill(1);
  const weights = resident();
  const began = performance.now();
  for await (const event of embedEvents(adata, model, { batchTokens: 8192 })) {
    if (event.type === "start") continue;
    event.rows.forEach((row, i) =>
      embeddings.set(event.embeddings.subarray(i * width, (i + 1) * width), row * width)
    );
    peak = Math.max(peak, resident());
    if (event.done <= 1000) after = peak;
  }
  console.log(
    JSON.stringify({ weights, after, peak, seconds: (performance.now() - began) / 1000 }),
  );
}

function resident(): number {
  return Deno.memoryUsage().rss;
}

if (import.meta.main) {
  await measure(Deno.args[0]!, Deno.args[1]!);
  Deno.exit(0);
}
