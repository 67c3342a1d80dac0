/** The one place that knows a model's knobs: their names in `args.json`, their defaults and the values they may have. */
import { nearest, refuseUnknownKeys } from "./options.ts";

/** How an expression value becomes a vector: a perceptron on the bin, a row for each bin, or a factor on the gene's vector. */
export type InputEmbStyle = "continuous" | "category" | "scaling";
/** How the tokens of a cell become the cell embedding. */
export type CellEmbStyle = "cls" | "avg-pool" | "w-pool";
/** How the expression of a gene is read from a cell embedding (the last two crash in the reference's forward; here they work). */
export type MvcDecoderStyle =
  | "inner product"
  | "inner product, detach"
  | "concat query"
  | "sum query";
/** Norm over the batch at the input of the transformer: none, one a domain without gain, or one with gain (old checkpoints). */
export type DomainSpecBatchnorm = false | "dsbn" | "batchnorm";

/** A model's architecture, checked and frozen. Names are the reference's, in camel case. */
export interface ScgptConfig {
  /** Width D of the embeddings. */
  readonly embsize: number;
  /** Attention heads H; divides `embsize`. */
  readonly nheads: number;
  /** Width of the feed-forward layers; 512 in the released models, not 4 D. */
  readonly dHid: number;
  /** Transformer layers. */
  readonly nlayers: number;
  /** Linear layers of the classification head and of the batch discriminator. */
  readonly nlayersCls: number;
  /** Rows of the gene table, specials included; undefined: as many as the vocabulary has. */
  readonly nTokens: number | undefined;
  /** Dropout probability in training. */
  readonly dropout: number;
  /** Value bins, with bin 0 for zero: values become 0 .. nBins-1. */
  readonly nBins: number;
  /** Longest cell in tokens, `<cls>` included; more genes are sampled. */
  readonly maxSeqLen: number;
  /** Token of the vocabulary that stands for nothing. */
  readonly padToken: string;
  /** Value that goes with the pad token; also the value of `<cls>` in pretraining and embedding. */
  readonly padValue: number;
  /** Value of a masked gene. */
  readonly maskValue: number;
  /** Value encoder. */
  readonly inputEmbStyle: InputEmbStyle;
  /** Pooling of a cell. */
  readonly cellEmbStyle: CellEmbStyle;
  /** Whether the model reads expression from the cell embedding (MVC in the code, GEPC in the paper). */
  readonly mvc: boolean;
  /** The form of that reading. */
  readonly mvcDecoderStyle: MvcDecoderStyle;
  /** Whether decoders also give the probability of a value other than zero. */
  readonly explicitZeroProb: boolean;
  /** Whether the model has the flag embedding of generative pretraining. */
  readonly generative: boolean;
  /** Classes of the classification head; 0: no head. */
  readonly nCls: number;
  /** Whether decoders are told the batch of a cell. */
  readonly useBatchLabels: boolean;
  /** Batches (domains) in the data; 0: none. */
  readonly nBatch: number;
  /** Modality tokens of a multi-omic model, specials included; 0: one modality. */
  readonly nMod: number;
  /** Whether this is the perturbation model: flag embedding at the input, decoder of the form a·x + b. */
  readonly perturbation: boolean;
  /** Whether there is a batch discriminator behind a gradient reversal (DAR; `do_dab` in the code). */
  readonly dar: boolean;
  /** Batch norm at the input. */
  readonly domainSpecBatchnorm: DomainSpecBatchnorm;
  /** Whether layer norms come before the blocks. */
  readonly preNorm: boolean;
  /** Everything else of `args.json` (settings of training runs), as it was. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Names of the built-in sizes. */
export type Preset = "whole-human" | "mini";
/** Knobs of a model that a caller may set. */
export type ConfigOverrides = Partial<Omit<ScgptConfig, "extra">>;

type Knob = Exclude<keyof ScgptConfig, "extra">;

/** What is known of one knob: its key in args.json, other spellings, its default, and the check that gives its value. */
interface Field<T> {
  readonly key: string;
  readonly also?: readonly string[];
  readonly default: T;
  readonly parse: (value: unknown, fail: (rule: string) => never) => T;
}

// Defaults are the released whole-human model's. Spellings in `also` are those of the reference's constructor.
const FIELDS: { readonly [K in Knob]: Field<ScgptConfig[K]> } = {
  embsize: { key: "embsize", also: ["d_model"], default: 512, parse: integer(1) },
  nheads: { key: "nheads", also: ["nhead"], default: 8, parse: integer(1) },
  dHid: { key: "d_hid", default: 512, parse: integer(1) },
  nlayers: { key: "nlayers", default: 12, parse: integer(1) },
  nlayersCls: { key: "n_layers_cls", also: ["nlayers_cls"], default: 3, parse: integer(1) },
  nTokens: { key: "ntoken", also: ["n_tokens"], default: undefined, parse: optional(integer(1)) },
  dropout: { key: "dropout", default: 0.2, parse: probability },
  nBins: { key: "n_bins", also: ["n_input_bins"], default: 51, parse: integer(2) },
  maxSeqLen: { key: "max_seq_len", default: 1200, parse: integer(2) },
  padToken: { key: "pad_token", default: "<pad>", parse: text },
  padValue: { key: "pad_value", default: -2, parse: integer(-Infinity) },
  maskValue: { key: "mask_value", default: -1, parse: integer(-Infinity) },
  inputEmbStyle: {
    key: "input_emb_style",
    default: "continuous",
    parse: oneOf("continuous", "category", "scaling"),
  },
  cellEmbStyle: {
    key: "cell_emb_style",
    default: "cls",
    parse: oneOf("cls", "avg-pool", "w-pool"),
  },
  mvc: { key: "MVC", also: ["do_mvc"], default: true, parse: boolean },
  mvcDecoderStyle: {
    key: "mvc_decoder_style",
    default: "inner product",
    parse: oneOf("inner product", "inner product, detach", "concat query", "sum query"),
  },
  explicitZeroProb: { key: "explicit_zero_prob", default: false, parse: boolean },
  generative: {
    key: "USE_GENERATIVE_TRAINING",
    also: ["use_generative_training"],
    default: true,
    parse: boolean,
  },
  nCls: { key: "n_cls", default: 0, parse: integer(0) },
  useBatchLabels: { key: "use_batch_labels", default: false, parse: boolean },
  nBatch: { key: "num_batch_labels", also: ["n_batch"], default: 0, parse: integer(0) },
  nMod: { key: "ntokens_mod", also: ["n_mod"], default: 0, parse: integer(0) },
  perturbation: { key: "perturbation", default: false, parse: boolean },
  dar: { key: "do_dab", default: false, parse: boolean },
  domainSpecBatchnorm: { key: "domain_spec_batchnorm", default: false, parse: batchnorm },
  preNorm: { key: "pre_norm", default: false, parse: boolean },
};

const KNOBS = Object.keys(FIELDS) as Knob[];

/** Sizes that make an architecture; a file that names some of them must name all. */
const SIZES = ["embsize", "nheads", "dHid", "nlayers"] as const satisfies readonly Knob[];

const PRESETS: { readonly [P in Preset]: ConfigOverrides } = {
  "whole-human": {},
  mini: { embsize: 64, nheads: 4, dHid: 64, nlayers: 3 },
};

/**
 * Makes a model configuration from a preset, from `args.json`, or from some knobs; the rest has the whole-human model's values.
 *
 * @example
 * ```ts
 * import { parseConfig } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const released = parseConfig({ embsize: 512, nheads: 8, d_hid: 512, nlayers: 12, epochs: 6 });
 * assert.equal(released.dHid, 512);
 * assert.deepEqual(released.extra, { epochs: 6 });
 * assert.equal(parseConfig("mini", { nCls: 5 }).nCls, 5);
 * ```
 *
 * @param from Name of a preset, or an object whose keys are those of `args.json`, of the reference's constructor, or of {@linkcode ScgptConfig};
 *   keys in snake or upper case that are no knobs are kept in `extra`
 * @param overrides Knobs that win over `from`
 * @returns The frozen configuration
 * @throws {TypeError} For a value of the wrong kind, or a camel-case key that is no knob, naming the key
 * @throws {RangeError} For a value out of range, or values that do not go together
 */
export function parseConfig(
  from: Preset | Readonly<Record<string, unknown>> | ConfigOverrides,
  overrides: ConfigOverrides = {},
): ScgptConfig {
  refuseUnknownKeys(overrides, KNOBS, "configure a model");
  const given = typeof from === "string" ? preset(from) : plainObject(from);
  const found = new Map<Knob, unknown>();
  const extra: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const knob = knobOf(key);
    if (knob === undefined) putExtra(extra, key, value);
    else putOnce(found, knob, key, value);
  }
  requireAllSizes(found);
  const config: Partial<Record<Knob, unknown>> = {};
  for (const knob of KNOBS) {
    const value = overrides[knob] ?? found.get(knob);
    config[knob] = value === undefined ? FIELDS[knob].default : parseKnob(knob, value);
  }
  return checkTogether({ ...config as Omit<ScgptConfig, "extra">, extra: Object.freeze(extra) });
}

/**
 * Reads the text of a model folder's `args.json`, which must name embsize, nheads, d_hid and nlayers.
 *
 * @param json The text
 * @returns The frozen configuration
 * @throws {SyntaxError} When the text is not JSON
 * @throws {TypeError} When one of the four sizes is not there or a value is of the wrong kind
 * @throws {RangeError} When a value is out of range
 */
export function parseArgs(json: string): ScgptConfig {
  let args: unknown;
  try {
    args = JSON.parse(json);
  } catch (cause) {
    throw new SyntaxError("Cannot read args.json as it is not JSON", { cause });
  }
  const object = plainObject(args);
  for (const knob of SIZES) {
    const { key, also = [] } = FIELDS[knob];
    if (![knob, key, ...also].some((name) => name in object)) {
      throw new TypeError(`Cannot read args.json as it must say "${key}": the key is missing`);
    }
  }
  return parseConfig(object);
}

/**
 * Writes a configuration with the key names of the reference's `args.json`; `parseConfig` reads it back equal.
 *
 * @param config The configuration
 * @returns A plain object ready for `JSON.stringify`
 */
export function toArgs(config: ScgptConfig): Record<string, unknown> {
  const args: Record<string, unknown> = { ...config.extra };
  for (const knob of KNOBS) {
    if (config[knob] !== undefined) args[FIELDS[knob].key] = config[knob];
  }
  return args;
}

function preset(name: string): ConfigOverrides {
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name as Preset];
  throw new RangeError(
    `Cannot configure a model as the preset must be ${
      Object.keys(PRESETS).join(" or ")
    }: got "${name}"`,
  );
}

function plainObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TypeError(
    `Cannot configure a model as its arguments must be an object: got ${show(value)}`,
  );
}

const KNOB_BY_KEY = new Map<string, Knob>(
  KNOBS.flatMap((knob) =>
    [knob, FIELDS[knob].key, ...FIELDS[knob].also ?? []].map((key) => [key, knob] as const)
  ),
);

function knobOf(key: string): Knob | undefined {
  return KNOB_BY_KEY.get(key);
}

/** Keeps a foreign key, unless it looks like a misspelt knob of ours (camel case never occurs in args.json). */
function putExtra(extra: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "extra") {
    Object.assign(extra, plainObject(value));
    return;
  }
  if (/^[a-z]+[A-Z]/.test(key)) {
    const near = nearest(key, KNOBS);
    const advice = near === undefined ? "" : `; did you mean "${near}"?`;
    throw new TypeError(`Cannot configure a model as "${key}" is no knob of it${advice}`);
  }
  extra[key] = value;
}

/** Two spellings of a knob may stand side by side only with one value. */
function putOnce(found: Map<Knob, unknown>, knob: Knob, key: string, value: unknown): void {
  if (found.has(knob) && found.get(knob) !== value) {
    throw new RangeError(
      `Cannot configure a model as "${key}" and another spelling of ${knob} must agree: ` +
        `got ${show(value)} and ${show(found.get(knob))}`,
    );
  }
  found.set(knob, value);
}

function requireAllSizes(found: ReadonlyMap<Knob, unknown>): void {
  const missing = SIZES.filter((knob) => !found.has(knob)).map((knob) => FIELDS[knob].key);
  if (missing.length === 0 || missing.length === SIZES.length) return;
  throw new TypeError(
    `Cannot configure a model as embsize, nheads, d_hid and nlayers belong together: ${
      missing.join(", ")
    } missing`,
  );
}

function parseKnob(knob: Knob, value: unknown): unknown {
  return FIELDS[knob].parse(value, (rule) => {
    const Kind = rule.startsWith("a ") ? TypeError : RangeError;
    throw new Kind(
      `Cannot configure a model as ${FIELDS[knob].key} must be ${rule}: got ${show(value)}`,
    );
  });
}

function checkTogether(config: ScgptConfig): ScgptConfig {
  if (config.embsize % config.nheads !== 0) {
    throw new RangeError(
      `Cannot configure a model as nheads must divide embsize: got ${config.nheads} and ${config.embsize}`,
    );
  }
  const needsBatches = config.useBatchLabels || config.dar || config.domainSpecBatchnorm === "dsbn";
  if (needsBatches && config.nBatch < 1) {
    throw new RangeError(
      "Cannot configure a model as num_batch_labels must be at least 1 with use_batch_labels, do_dab or dsbn: got 0",
    );
  }
  return Object.freeze(config);
}

function integer(least: number): (value: unknown, fail: (rule: string) => never) => number {
  return (value, fail) => {
    if (typeof value !== "number") return fail("a number");
    if (!Number.isSafeInteger(value)) return fail("an integer");
    if (value < least) return fail(`at least ${least}`);
    return value;
  };
}

function optional<T>(parse: Field<T>["parse"]): Field<T | undefined>["parse"] {
  return (value, fail) => value === null ? undefined : parse(value, fail);
}

function probability(value: unknown, fail: (rule: string) => never): number {
  if (typeof value !== "number") return fail("a number");
  return value >= 0 && value < 1 ? value : fail("in [0, 1)");
}

function text(value: unknown, fail: (rule: string) => never): string {
  return typeof value === "string" && value !== ""
    ? value
    : fail("a string with at least one letter");
}

function boolean(value: unknown, fail: (rule: string) => never): boolean {
  return typeof value === "boolean" ? value : fail("a boolean");
}

function oneOf<T extends string>(...words: T[]): Field<T>["parse"] {
  return (value, fail) => {
    const word = words.find((one) => one === value);
    return word ?? fail(`one of "${words.join('", "')}"`);
  };
}

/** The reference takes true, "dsbn" and "do_affine" for the same norm without gain. */
function batchnorm(value: unknown, fail: (rule: string) => never): DomainSpecBatchnorm {
  if (value === true || value === "dsbn" || value === "do_affine") return "dsbn";
  if (value === false || value === "batchnorm") return value;
  return fail('false, true, "dsbn" or "batchnorm"');
}

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(JSON.stringify(value));
}
