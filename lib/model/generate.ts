/** Expression generated in K steps, the surest genes first. */
import type { CellKey } from "../input/draws.ts";
import { refuseUnknownKeys } from "../options.ts";
import type { TokenBatch } from "./batch.ts";
import type { ScGPT } from "./scgpt.ts";

/** One cell to be generated. */
export interface CellPrompt {
  /** Ids of the genes whose values are known (gene prompt); may be empty. */
  readonly knownIds: Uint32Array;
  /** Their bins. */
  readonly knownValues: Float32Array;
  /** Ids of the genes to be generated. */
  readonly genes: Uint32Array;
  /** Cell embedding in place of `<cls>` (cell prompt), [D]; not normalised. */
  readonly cellEmbedding?: Float32Array;
  /** Key of the cell's draws, for confidence by dropout. */
  readonly key?: CellKey;
}

/** Settings of {@linkcode generateExpression}. */
export interface GenerateOptions {
  /** K: steps, each fixing an equal share of the genes; 3 by default, 1 predicts all at once. */
  readonly steps?: number;
  /**
   * What makes a prediction sure. "agreement" (default where the model has GEPC): minus the distance of the token's own prediction and the one
   * from the cell embedding, which were trained on the same target by different ways. "dropout": minus the standard deviation over `passes`
   * passes with dropout.
   */
  readonly confidence?: "agreement" | "dropout";
  /** Passes for confidence by dropout; 4 by default. */
  readonly passes?: number;
  /** Value of the `<cls>` token; the model's padValue by default, as in pretraining. */
  readonly clsValue?: number;
  /** Seed of the dropout; 0 by default. */
  readonly seed?: number;
  /** Stops between steps. */
  readonly signal?: AbortSignal;
}

/** What was generated for one cell. */
export interface GeneratedCell {
  /** Value of each gene asked for, in bins, not rounded. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Confidence of each when it was fixed; larger is surer, 0 the surest. */
  readonly confidence: Float32Array<ArrayBuffer>;
  /** Step (from 1) in which each was fixed. */
  readonly step: Uint8Array<ArrayBuffer>;
}

const OPTIONS = ["steps", "confidence", "passes", "clsValue", "seed", "signal"];

/**
 * Generates the values of genes from known ones, from a cell embedding, or both: in each of K steps all remaining genes are predicted, the
 * surest 1/(steps left) of them are fixed at their bins, and from then on the others see them. Paper: Methods, "Generative pretraining", and
 * Supplementary Figure 1b; the published code has no such loop and no confidence.
 *
 * @param model A generative model
 * @param cells What is known and what is asked of each cell
 * @param options Steps and confidence
 * @returns One result a cell
 * @throws {RangeError} When the model is not generative, lacks GEPC for "agreement", or a setting is out of range
 */
export async function generateExpression(
  model: ScGPT,
  cells: readonly CellPrompt[],
  options: GenerateOptions = {},
): Promise<GeneratedCell[]> {
  refuseUnknownKeys(options, OPTIONS, "generate");
  const settings = checkSettings(model, options);
  const drafts = cells.map((cell) => new Draft(cell));
  for (let left = settings.steps; left >= 1; left--) {
    options.signal?.throwIfAborted();
    const open = drafts.filter((draft) => draft.remaining > 0);
    if (open.length === 0) break;
    const batch = batchOf(model, open, settings.clsValue);
    const predictions = await predict(model, batch, open, settings);
    let at = 0;
    for (const draft of open) {
      const count = draft.remaining;
      draft.fix(
        predictions.values.subarray(at, at + count),
        predictions.confidence.subarray(at, at + count),
        { count: Math.ceil(count / left), step: settings.steps - left + 1, model },
      );
      at += count;
    }
  }
  return drafts.map(({ result }) => result);
}

type Settings = Required<Omit<GenerateOptions, "signal">>;

function checkSettings(model: ScGPT, options: GenerateOptions): Settings {
  const { config, outputs } = model;
  const settings: Settings = {
    steps: 3,
    confidence: outputs.has("mvc") ? "agreement" : "dropout",
    passes: 4,
    clsValue: config.padValue,
    seed: 0,
    ...options,
  };
  const fail = (rule: string, got: unknown) => {
    throw new RangeError(`Cannot generate as ${rule}: got ${got}`);
  };
  if (!config.generative) fail("the model must have the flag embedding of pretraining", "none");
  for (const name of ["steps", "passes"] as const) {
    const value = settings[name];
    if (!(Number.isInteger(value) && value >= 1 && value <= 255)) {
      fail(`${name} must be an integer from 1 to 255`, value);
    }
  }
  if (settings.confidence === "agreement") {
    if (!outputs.has("mvc")) fail("confidence by agreement needs the GEPC head", "a model without");
  } else if (settings.confidence !== "dropout") {
    fail('confidence must be "agreement" or "dropout"', `"${settings.confidence}"`);
  } else if (config.dropout === 0) fail("confidence by dropout needs a model with dropout", 0);
  return settings;
}

/** A cell under way. */
class Draft {
  readonly cell: CellPrompt;
  /** Places in `cell.genes` that are still to be fixed. */
  #open: number[];
  /** Places that are fixed, in the order in which they were. */
  readonly #fixed: number[] = [];
  readonly #bins: number[] = [];
  readonly result: GeneratedCell;

  constructor(cell: CellPrompt) {
    const count = cell.genes.length;
    this.cell = cell;
    this.#open = Array.from({ length: count }, (_, place) => place);
    this.result = {
      values: new Float32Array(count),
      confidence: new Float32Array(count),
      step: new Uint8Array(count),
    };
  }

  get remaining(): number {
    return this.#open.length;
  }

  /** Tokens with values: `<cls>`, what was given, and what is fixed. */
  get known(): number {
    return 1 + this.cell.knownIds.length + this.#fixed.length;
  }

  /** All tokens, those with values first; the others have none. */
  get tokens(): number {
    return this.known + this.remaining;
  }

  /** Writes ids and values after `<cls>`. */
  write(ids: Uint32Array, values: Float32Array): void {
    const { knownIds, knownValues, genes } = this.cell;
    ids.set(knownIds);
    values.set(knownValues);
    ids.set(this.#fixed.map((place) => genes[place]!), knownIds.length);
    values.set(this.#bins, knownIds.length);
    ids.set(this.#open.map((place) => genes[place]!), this.known - 1);
  }

  /** Fixes the `count` surest of the open genes. */
  fix(
    values: Float32Array,
    confidence: Float32Array,
    { count, step, model }: { count: number; step: number; model: ScGPT },
  ): void {
    const order = [...this.#open.keys()].sort((a, b) => confidence[b]! - confidence[a]! || a - b);
    const chosen = new Set(order.slice(0, count));
    for (const at of chosen) {
      const place = this.#open[at]!;
      this.result.values[place] = values[at]!;
      this.result.confidence[place] = confidence[at]!;
      this.result.step[place] = step;
      this.#fixed.push(place);
      this.#bins.push(Math.min(Math.max(Math.round(values[at]!), 0), model.config.nBins - 1));
    }
    this.#open = this.#open.filter((_, at) => !chosen.has(at));
  }
}

function batchOf(model: ScGPT, drafts: readonly Draft[], clsValue: number): TokenBatch {
  const clsId = model.vocab.require("<cls>");
  const offsets = new Uint32Array(drafts.length + 1);
  drafts.forEach(({ tokens }, cell) => offsets[cell + 1] = offsets[cell]! + tokens);
  const ids = new Uint32Array(offsets.at(-1)!), values = new Float32Array(ids.length);
  for (const [cell, draft] of drafts.entries()) {
    const start = offsets[cell]!;
    [ids[start], values[start]] = [clsId, clsValue];
    draft.write(ids.subarray(start + 1), values.subarray(start + 1));
  }
  return {
    ids,
    values,
    offsets,
    known: Uint32Array.from(drafts, ({ known }) => known),
    ...promptOf(model, drafts),
  };
}

/** The cell prompts of a batch, in which all cells have one or none has. */
function promptOf(
  { config }: ScGPT,
  drafts: readonly Draft[],
): { cellPrompt?: Float32Array<ArrayBuffer> } {
  const given = drafts.filter(({ cell }) => cell.cellEmbedding !== undefined).length;
  if (given === 0) return {};
  if (given < drafts.length) {
    throw new RangeError(
      `Cannot generate as all cells of a call must have a cell embedding or none: got ${given} of ${drafts.length}`,
    );
  }
  const cellPrompt = new Float32Array(drafts.length * config.embsize);
  drafts.forEach(({ cell }, i) => cellPrompt.set(cell.cellEmbedding!, i * config.embsize));
  return { cellPrompt };
}

interface Predictions {
  readonly values: Float32Array;
  readonly confidence: Float32Array;
}

/** Predictions of the tokens to be generated, cell by cell. */
async function predict(
  model: ScGPT,
  batch: TokenBatch,
  drafts: readonly Draft[],
  settings: Settings,
): Promise<Predictions> {
  const asked = askedTokens(batch);
  const pick = (all: Float32Array) => Float32Array.from(asked, (t) => all[t]!);
  if (settings.confidence === "agreement") {
    const { mlm, mvc } = model.forward(batch, ["mlm", "mvc"]);
    using own = mlm, cells = mvc;
    const values = pick(await own.data()), others = pick(await cells.data());
    return { values, confidence: values.map((value, i) => -Math.abs(value - others[i]!)) };
  }
  using mlm = model.forward(batch, ["mlm"]).mlm;
  const values = pick(await mlm.data());
  return { values, confidence: await spread(model, batch, { drafts, settings, pick }) };
}

/** Minus the standard deviation of predictions under dropout. */
async function spread(
  model: ScGPT,
  batch: TokenBatch,
  { drafts, settings: { passes, seed }, pick }: {
    readonly drafts: readonly Draft[];
    readonly settings: Settings;
    readonly pick: (all: Float32Array) => Float32Array;
  },
): Promise<Float32Array> {
  const cellKeys = drafts.map(({ cell }, i): CellKey => cell.key ?? [i, 0]);
  const all: Float32Array[] = [];
  for (let repeat = 0; repeat < passes; repeat++) {
    const pass = { dropout: model.config.dropout, seed, step: 0, repeat, cellKeys };
    using mlm = model.forward(batch, ["mlm"], pass).mlm;
    all.push(pick(await mlm.data()));
  }
  return all[0]!.map((_, i) => {
    const mean = all.reduce((sum, one) => sum + one[i]!, 0) / passes;
    return -Math.sqrt(all.reduce((sum, one) => sum + (one[i]! - mean) ** 2, 0) / passes);
  });
}

function askedTokens({ offsets, known }: TokenBatch): number[] {
  const asked: number[] = [];
  known!.forEach((count, cell) => {
    for (let t = offsets[cell]! + count; t < offsets[cell + 1]!; t++) asked.push(t);
  });
  return asked;
}
