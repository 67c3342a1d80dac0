/** scGPT assembled: one readable file from tokens to outputs. */
import { type Device, scaleGradient, scope, type Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import type { GeneVocab } from "../input/vocab.ts";
import {
  type BatchLimits,
  type DeviceBatch,
  type TokenBatch,
  type TrainingPass,
  uploadBatch,
} from "./batch.ts";
import {
  affineExpression,
  cellEmbedding,
  cellExpression,
  classify,
  decoderConditions,
  expression,
} from "./decoders.ts";
import { type Condition, geneEmbedding, inputEmbedding, withCellPrompt } from "./encoders.ts";
import { buildDomainNorm, type DomainNorm } from "./domain_norm.ts";
import { buildValueTable, type ValueTable } from "./value_encoder.ts";
import { type AdapterOptions, Adapters, mergedParameters } from "./adapters.ts";
import { activate, concat, type Parameters } from "./nn.ts";
import { encode, encodeFirstTokens } from "./transformer.ts";

/** What a forward pass can give, by name. B cells, T tokens, D model width. */
export interface ModelOutputs {
  /** Cell embedding before normalisation, [B,D]. */
  cell: Tensor;
  /** Last hidden state of every token, [T,D]. */
  hidden: Tensor;
  /** Expression of every token (GEP), [T,1]. */
  mlm: Tensor;
  /** Probability that a token's value is not zero, [T,1]; with explicitZeroProb. */
  mlm_zero_probs: Tensor;
  /** Expression of every token from the cell embedding alone (GEPC, MVC), [T]. */
  mvc: Tensor;
  /** As mlm_zero_probs, from the cell embedding, [T,1]. */
  mvc_zero_probs: Tensor;
  /** Class logits, [B,nCls]. */
  cls: Tensor;
  /** Batch logits behind the gradient reversal (DAR), [B,nBatch]. */
  dab: Tensor;
}

/** Name of an output. */
export type OutputName = keyof ModelOutputs;

/** Names of all outputs. */
export const OUTPUT_NAMES: readonly OutputName[] = [
  "cell",
  "hidden",
  "mlm",
  "mlm_zero_probs",
  "mvc",
  "mvc_zero_probs",
  "cls",
  "dab",
];

/** What a model is made of. */
export interface ModelParts {
  /** Architecture. */
  readonly config: ScgptConfig;
  /** Gene vocabulary. */
  readonly vocab: GeneVocab;
  /** Weights by state-dict name, all on one device. */
  readonly parameters: Parameters;
}

const PERTURBATION: Condition = {
  table: "pert_encoder.weight",
  paddingIdx: 0,
  index: ({ host: { pertFlags, ids } }) => pertFlags ?? new Uint32Array(ids.length),
};

/**
 * The scGPT model: weights on a device and the functions that run them. Own it with `using`: it frees the weights.
 * Reference: `TransformerModel`, `MultiOmicTransformerModel`, `TransformerGenerator`, and the generative model of pretraining.
 */
export class ScGPT {
  /** Architecture. */
  readonly config: ScgptConfig;
  /** Gene vocabulary. */
  readonly vocab: GeneVocab;
  /** Device that holds the weights. */
  readonly device: Device;
  /** Weights by state-dict name. */
  readonly parameters: Parameters;
  /** Outputs this model can give. */
  readonly outputs: ReadonlySet<OutputName>;
  #values: ValueTable | undefined;
  #norm: DomainNorm | undefined;
  #adapters: Adapters | undefined;
  #merged: ReturnType<typeof mergedParameters> | undefined;

  private constructor({ config, vocab, parameters }: ModelParts) {
    this.config = config;
    this.vocab = vocab;
    this.parameters = parameters;
    this.device = [...parameters.values()][0]!.device;
    this.outputs = new Set(OUTPUT_NAMES.filter((name) => hasOutput(parameters, name)));
  }

  /**
   * Assembles a model that takes over the parameters; where it fails they are freed.
   *
   * @throws {RangeError} When the configuration asks for what is not supported
   */
  static async create(parts: ModelParts): Promise<ScGPT> {
    const { config, parameters } = parts;
    try {
      if (config.preNorm) {
        throw new RangeError(
          "Cannot assemble the model as pre_norm is not supported (the reference's plain path ignores it): set it to false",
        );
      }
      const model = new ScGPT(parts);
      await model.refresh();
      return model;
    } catch (cause) {
      for (const tensor of parameters.values()) tensor[Symbol.dispose]();
      throw cause;
    }
  }

  /** Computes again what evaluation keeps of the weights (the value table, the norms of domains); after every change of weights. */
  async refresh(): Promise<void> {
    const { parameters, config, device } = this;
    this.#dropTables();
    const adapters = this.#adapters;
    if (adapters !== undefined) {
      this.#merged = scope(device, () => mergedParameters(parameters, adapters));
    }
    this.#values = await buildValueTable(parameters, config, device);
    this.#norm = await buildDomainNorm(parameters, config, device);
  }

  /** Rows of the gene table. */
  get nTokens(): number {
    return this.parameters.get("encoder.embedding.weight")?.shape[0] ?? 0;
  }

  /**
   * Cell embeddings alone, [B,D], not normalised.
   *
   * @throws {RangeError} When the batch does not fit together or the model
   */
  embedCells(batch: TokenBatch): Tensor {
    return this.forward(batch, ["cell"]).cell;
  }

  /**
   * The outputs asked for. Where none is of tokens and pooling is by `<cls>`, the last layer is computed for that token only, which equals
   * the whole layer up to rounding; a cell's numbers are the same bits in every batch. With `training`: dropout, batch norm by the batch's own statistics (which
   * also move the running ones), and weights as they are now; call {@linkcode ScGPT.refresh} before evaluating again.
   *
   * @throws {RangeError} When the batch does not fit, or the model has no head for an output
   */
  forward<Name extends OutputName>(
    batch: TokenBatch,
    outputs: readonly Name[],
    training?: TrainingPass,
  ): Pick<ModelOutputs, Name> {
    for (const name of outputs) {
      if (!this.outputs.has(name)) {
        throw new RangeError(
          `Cannot compute "${name}" as this model has no such head: it has ${
            [...this.outputs].join(", ")
          }`,
        );
      }
    }
    return scope(this.device, () => {
      const on = uploadBatch(this.device, batch, this.#limits(), training);
      const weights = training === undefined ? this.weights : this.#learning();
      const genes = geneEmbedding(weights, on);
      const x = this.#input(weights, on, genes);
      const wanted = new Set<OutputName>(outputs);
      const encoded = this.#firstTokensDo(batch, wanted)
        ? { cell: encodeFirstTokens(weights, this.config, x, on) }
        : this.#allTokens(weights, on, x);
      const results = this.#heads(weights, on, { genes, ...encoded }, wanted);
      return Object.fromEntries(outputs.map((name) => [name, results[name]])) as Pick<
        ModelOutputs,
        Name
      >;
    });
  }

  /** Gives all weights back. */
  [Symbol.dispose](): void {
    for (const tensor of this.parameters.values()) tensor[Symbol.dispose]();
    this.#adapters?.[Symbol.dispose]();
    this.#dropTables();
  }

  /** Low-rank adapters, if the model has them. */
  get adapters(): Adapters | undefined {
    return this.#adapters;
  }

  /**
   * Gives the model low-rank adapters of its attention and feed-forward matrices; the model owns them. Evaluation sees them after
   * {@linkcode ScGPT.refresh}, and {@linkcode ScGPT.weights} has them added in.
   */
  adapt(options: AdapterOptions = {}): Adapters {
    this.#adapters?.[Symbol.dispose]();
    return this.#adapters = new Adapters(this.device, this.parameters, options);
  }

  /** Weights by state-dict name as evaluation uses them: adapters are added in. They belong to the model. */
  get weights(): Parameters {
    return this.#merged?.merged ?? this.parameters;
  }

  #dropTables(): void {
    for (const tensor of this.#merged?.made ?? []) tensor[Symbol.dispose]();
    this.#merged = undefined;
    this.#values?.table[Symbol.dispose]();
    this.#norm?.scale[Symbol.dispose]();
    this.#norm?.shift[Symbol.dispose]();
    this.#values = this.#norm = undefined;
  }

  #limits(): BatchLimits {
    const padId = this.vocab.id(this.config.padToken) ?? -1;
    return { nTokens: this.nTokens, embsize: this.config.embsize, padId };
  }

  /** Weights through which gradients flow to the adapters, if there are any. */
  #learning(): Parameters {
    return this.#adapters?.applyTo(this.parameters) ?? this.parameters;
  }

  #input(weights: Parameters, on: DeviceBatch, genes: Tensor): Tensor {
    const conditions = this.config.perturbation ? [PERTURBATION] : [];
    const parts = { genes, values: this.#values, conditions, norm: this.#norm };
    return withCellPrompt(on, inputEmbedding(weights, this.config, on, parts));
  }

  /** Whether the last layer is needed for the first token of each cell alone. */
  #firstTokensDo(batch: TokenBatch, wanted: ReadonlySet<OutputName>): boolean {
    return this.config.cellEmbStyle === "cls" && batch.known === undefined &&
      TOKEN_OUTPUTS.every((name) => !wanted.has(name));
  }

  #allTokens(weights: Parameters, on: DeviceBatch, x: Tensor): { cell: Tensor; hidden: Tensor } {
    const hidden = encode(weights, this.config, x, on);
    return { hidden, cell: cellEmbedding(this.config, on, hidden) };
  }

  #heads(
    parameters: Parameters,
    on: DeviceBatch,
    { genes, cell, hidden }: {
      readonly genes: Tensor;
      readonly cell: Tensor;
      readonly hidden?: Tensor;
    },
    wanted: ReadonlySet<OutputName>,
  ): Partial<ModelOutputs> {
    const { config } = this;
    const results: Partial<ModelOutputs> = hidden === undefined ? { cell } : { cell, hidden };
    if (CONDITIONED_OUTPUTS.every((name) => !wanted.has(name))) {
      return this.#cellHeads(parameters, cell, results, wanted);
    }
    const conditions = decoderConditions(parameters, config, on);
    if (hidden !== undefined && (wanted.has("mlm") || wanted.has("mlm_zero_probs"))) {
      const x = conditions.perToken === undefined ? hidden : concat(hidden, conditions.perToken);
      results.mlm = config.perturbation
        ? affineExpression(parameters, on, x)
        : expression(parameters, "decoder.fc", x);
      if (wanted.has("mlm_zero_probs")) {
        results.mlm_zero_probs = activate(
          expression(parameters, "decoder.zero_logit", x),
          "sigmoid",
        );
      }
    }
    if (wanted.has("mvc") || wanted.has("mvc_zero_probs")) {
      const { pred, zeroProbs } = cellExpression(parameters, config, on, {
        genes,
        cell,
        conditions,
      });
      results.mvc = pred;
      if (zeroProbs !== undefined) results.mvc_zero_probs = zeroProbs;
    }
    return this.#cellHeads(parameters, cell, results, wanted);
  }

  #cellHeads(
    parameters: Parameters,
    cell: Tensor,
    results: Partial<ModelOutputs>,
    wanted: ReadonlySet<OutputName>,
  ): Partial<ModelOutputs> {
    if (wanted.has("cls")) results.cls = classify(parameters, "cls_decoder", cell, "relu");
    if (wanted.has("dab")) {
      const reversed = scaleGradient(cell, -1);
      results.dab = classify(parameters, "grad_reverse_discriminator", reversed, "leaky_relu");
    }
    return results;
  }
}

/** Outputs that need the last layer of every token. */
const TOKEN_OUTPUTS: readonly OutputName[] = ["hidden", "mlm", "mlm_zero_probs"];
/** Outputs of decoders that are told batch and modality. */
const CONDITIONED_OUTPUTS: readonly OutputName[] = [
  "mlm",
  "mlm_zero_probs",
  "mvc",
  "mvc_zero_probs",
];

/** A weight whose presence says that an output can be computed. */
const HEAD_WEIGHTS: { readonly [Name in OutputName]: string } = {
  cell: "encoder.embedding.weight",
  hidden: "encoder.embedding.weight",
  mlm: "decoder.",
  mlm_zero_probs: "decoder.zero_logit.0.weight",
  mvc: "mvc_decoder.gene2query.weight",
  mvc_zero_probs: "mvc_decoder.W_zero_logit.weight",
  cls: "cls_decoder.out_layer.weight",
  dab: "grad_reverse_discriminator.out_layer.weight",
};

function hasOutput(parameters: Parameters, name: OutputName): boolean {
  const weight = HEAD_WEIGHTS[name];
  return weight.endsWith(".")
    ? [...parameters.keys()].some((key) => key.startsWith(weight))
    : parameters.has(weight);
}
