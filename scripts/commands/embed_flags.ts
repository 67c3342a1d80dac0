/** Flags of the commands that embed cells, and the progress they show. */
import { SingleBar } from "cli-progress";
import {
  type AnnData,
  embedEvents,
  type EmbedOptions,
  type EmbedResult,
  type EmbedStart,
  type ScGPT,
} from "../../mod.ts";
import type { Context, Flag, FlagValues } from "./command.ts";

/** Flags that are options of `embed`. */
export const EMBED_FLAGS = {
  layer: { kind: "string", help: "matrix to read: X, raw or a layer", byDefault: "X" },
  geneColumn: { kind: "string", help: "column of var with gene symbols", byDefault: "the index" },
  minCoverage: {
    kind: "number",
    help: "least part of the genes in the vocabulary",
    byDefault: "0.2",
  },
  batchTokens: {
    kind: "integer",
    help: "most tokens a batch: bounds memory, changes no number",
    byDefault: "16384",
  },
  maxLength: { kind: "integer", help: "most tokens a cell", byDefault: "the model's" },
  binning: {
    kind: "string",
    help: "how tied values are binned",
    choices: ["reference", "deterministic"],
    byDefault: "reference",
  },
  seed: { kind: "integer", help: "seed of tied bins and sampled genes", byDefault: "0" },
} as const satisfies Record<string, Flag>;

/** The flags that were given, as options. */
export function embedOptions(
  flags: FlagValues<typeof EMBED_FLAGS>,
  signal: AbortSignal,
): EmbedOptions {
  const names = Object.keys(EMBED_FLAGS) as (keyof typeof EMBED_FLAGS)[];
  const given = names.filter((name) => flags[name] !== undefined).map((
    name,
  ) => [name, flags[name]]);
  return { ...Object.fromEntries(given) as EmbedOptions, signal };
}

/** Embeds with a progress bar on a terminal and a line now and then elsewhere. */
export async function embedWithProgress(
  adata: AnnData,
  model: ScGPT,
  options: EmbedOptions,
  { say, terminal }: Context,
): Promise<EmbedResult> {
  const width = model.config.embsize;
  const embeddings = new Float32Array(adata.nObs * width), lengths = new Uint32Array(adata.nObs);
  const bar = new SingleBar(
    {
      format: "embedding {bar} {value}/{total} cells | {speed} cells/s | {eta_formatted} left",
      stream: Deno.stderr.isTerminal() ? undefined : null,
    } as ConstructorParameters<typeof SingleBar>[0],
  );
  const began = performance.now();
  let start: EmbedStart | undefined;
  let told = 0;
  for await (const event of embedEvents(adata, model, options)) {
    if (event.type === "start") {
      start = event;
      sayGenes(event, say);
      if (terminal) bar.start(event.cells, 0, { speed: "-" });
      continue;
    }
    event.rows.forEach((row, i) => {
      embeddings.set(event.embeddings.subarray(i * width, (i + 1) * width), row * width);
      lengths[row] = event.lengths[i]!;
    });
    const seconds = (performance.now() - began) / 1000;
    const speed = (event.done / seconds).toPrecision(3);
    if (terminal) bar.update(event.done, { speed });
    else if (seconds - told > 10) {
      told = seconds;
      say(`embedded ${event.done} of ${adata.nObs} cells (${speed} cells/s)`);
    }
  }
  if (terminal) bar.stop();
  if (start === undefined) throw new Error("Cannot embed as the stream gave no start event");
  const seconds = (performance.now() - began) / 1000;
  say(
    `embedded ${adata.nObs} cells in ${seconds.toFixed(1)} s (${
      (adata.nObs / seconds).toPrecision(3)
    } cells/s)`,
  );
  return { embeddings, width, lengths, genes: start.genes, values: start.values };
}

function sayGenes({ genes, values }: EmbedStart, say: (line: string) => void): void {
  say(
    `genes: ${genes.matched} of ${genes.total} in the vocabulary (${
      (100 * genes.coverage).toFixed(1)
    } %), ` +
      `names from ${genes.column}; values look like ${values.kind}`,
  );
  for (const note of genes.notes) say(`note: ${note}`);
  if (genes.missing > 0) {
    say(
      `not in the vocabulary: ${genes.missingNames.slice(0, 5).join(", ")}${
        genes.missing > 5 ? " …" : ""
      }`,
    );
  }
}
