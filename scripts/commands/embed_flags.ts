/** Flags of the commands that embed cells, and the progress they show. */
import { SingleBar } from "cli-progress";
import type { EmbedEvent, EmbedOptions, EmbedStart } from "../../mod.ts";
import type { Context, Flag, FlagValues } from "./command.ts";
import { BATCH_TOKENS_FLAG, BINNING_FLAG, GENE_COLUMN_FLAG } from "./read_flags.ts";

/** Flags that are options of `embed`. */
export const EMBED_FLAGS = {
  layer: { kind: "string", help: "matrix to read: X, raw or a layer", byDefault: "X" },
  geneColumn: GENE_COLUMN_FLAG,
  minCoverage: {
    kind: "number",
    help: "least part of the genes in the vocabulary",
    byDefault: "0.2",
  },
  batchTokens: BATCH_TOKENS_FLAG,
  maxLength: { kind: "integer", help: "most tokens a cell", byDefault: "the model's" },
  binning: { ...BINNING_FLAG, byDefault: "reference" },
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

/** Shows how far an embedding is: a bar on a terminal, a line now and then elsewhere. */
export class EmbedProgress {
  readonly #context: Context;
  readonly #what: string;
  readonly #bar: SingleBar;
  #began = 0; // milliseconds
  #cells = 0;
  #told = 0;

  /** For the cells called `what`, such as "query". */
  constructor(context: Context, what = "") {
    this.#context = context;
    this.#what = what === "" ? "" : ` of the ${what}`;
    const format =
      `embedding${this.#what} {bar} {value}/{total} cells | {speed} cells/s | {eta_formatted} left`;
    this.#bar = new SingleBar({ format });
  }

  /** Shows an event. */
  show(event: EmbedEvent): void {
    const { say, terminal } = this.#context;
    if (event.type === "start") {
      this.#began = performance.now();
      this.#cells = event.cells;
      sayGenes(event, say);
      if (terminal && event.cells > 0) this.#bar.start(event.cells, 0, { speed: "-" });
      return;
    }
    const seconds = (performance.now() - this.#began) / 1000;
    const speed = (event.done / seconds).toPrecision(3);
    if (terminal) this.#bar.update(event.done, { speed });
    else if (seconds - this.#told > 10) {
      this.#told = seconds;
      say(`embedded ${event.done} of ${this.#cells} cells${this.#what} (${speed} cells/s)`);
    }
    if (event.done === this.#cells) {
      if (terminal) this.#bar.stop();
      say(
        `embedded ${event.done} cells${this.#what} in ${seconds.toFixed(1)} s (${speed} cells/s)`,
      );
    }
  }
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
