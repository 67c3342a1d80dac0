/** scGPT assembled: one readable file from tokens to outputs. */
import { type Device, scope, type Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import type { GeneVocab } from "../input/vocab.ts";
import { type DeviceBatch, type TokenBatch, uploadBatch } from "./batch.ts";
import {
  affineExpression,
  cellEmbedding,
  cellExpression,
  classify,
  decoderConditions,
  expression,
} from "./decoders.ts";
import {
  buildDomainNorm,
  buildValueTable,
  type Condition,
  type DomainNorm,
  geneEmbedding,
  inputEmbedding,
  type ValueTable,
  withCellPrompt,
} from "./encoders.ts";
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
  index: ({ host: { pertFlags, ids } }) => pertFlags ?? new Uint32Array(ids.length),
};

/**
 * The scGPT model in evaluation mode: weights on a device and the functions that run them. Own it with `using`: it frees the weights.
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
  readonly #values: ValueTable | undefined;
  readonly #norm: DomainNorm | undefined;

  private constructor(
    { config, vocab, parameters }: ModelParts,
    values: ValueTable | undefined,
    norm: DomainNorm | undefined,
  ) {
    this.config = config;
    this.vocab = vocab;
    this.parameters = parameters;
    this.device = [...parameters.values()][0]!.device;
    this.outputs = new Set(OUTPUT_NAMES.filter((name) => hasOutput(parameters, name)));
    this.#values = values;
    this.#norm = norm;
  }

  /**
   * Assembles a model that takes over the parameters; where it fails they are freed.
   *
   * @throws {RangeError} When the configuration asks for what is not supported
   */
  static async create(device: Device, parts: ModelParts): Promise<ScGPT> {
    const { config, parameters } = parts;
    let values: ValueTable | undefined;
    try {
      if (config.preNorm) {
        throw new RangeError(
          "Cannot assemble the model as pre_norm is not supported (the reference's plain path ignores it): set it to false",
        );
      }
      values = await buildValueTable(parameters, config, device);
      return new ScGPT(parts, values, await buildDomainNorm(parameters, config, device));
    } catch (cause) {
      for (const tensor of parameters.values()) tensor[Symbol.dispose]();
      values?.table[Symbol.dispose]();
      throw cause;
    }
  }

  /** Rows of the gene table. */
  get nTokens(): number {
    return this.parameters.get("encoder.embedding.weight")?.shape[0] ?? 0;
  }

  /**
   * Cell embeddings alone, [B,D], not normalised. With `<cls>` pooling the last layer is computed for that token only.
   * A cell's numbers are bitwise the same in every batch.
   *
   * @throws {RangeError} When the batch does not fit together or the model
   */
  embedCells(batch: TokenBatch): Tensor {
    if (this.config.cellEmbStyle !== "cls" || batch.known !== undefined) {
      return this.forward(batch, ["cell"]).cell;
    }
    return scope(this.device, () => {
      const on = uploadBatch(this.device, batch, this.#limits());
      const x = this.#input(on, geneEmbedding(this.parameters, on));
      return encodeFirstTokens(this.parameters, this.config, x, on);
    });
  }

  /**
   * The outputs asked for, all tokens through all layers.
   *
   * @throws {RangeError} When the batch does not fit, or the model has no head for an output
   */
  forward<Name extends OutputName>(
    batch: TokenBatch,
    outputs: readonly Name[],
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
      const on = uploadBatch(this.device, batch, this.#limits());
      const genes = geneEmbedding(this.parameters, on);
      const hidden = encode(this.parameters, this.config, this.#input(on, genes), on);
      const results = this.#heads(on, genes, hidden, new Set<OutputName>(outputs));
      return Object.fromEntries(outputs.map((name) => [name, results[name]])) as Pick<
        ModelOutputs,
        Name
      >;
    });
  }

  /** Gives all weights back. */
  [Symbol.dispose](): void {
    for (const tensor of this.parameters.values()) tensor[Symbol.dispose]();
    this.#values?.table[Symbol.dispose]();
    this.#norm?.scale[Symbol.dispose]();
    this.#norm?.shift[Symbol.dispose]();
  }

  #limits(): { nTokens: number; embsize: number } {
    return { nTokens: this.nTokens, embsize: this.config.embsize };
  }

  #input(on: DeviceBatch, genes: Tensor): Tensor {
    const conditions = this.config.perturbation ? [PERTURBATION] : [];
    const parts = { genes, values: this.#values, conditions, norm: this.#norm };
    return withCellPrompt(on, inputEmbedding(this.parameters, this.config, on, parts));
  }

  #heads(
    on: DeviceBatch,
    genes: Tensor,
    hidden: Tensor,
    wanted: ReadonlySet<OutputName>,
  ): Partial<ModelOutputs> {
    const { parameters, config } = this;
    const results: Partial<ModelOutputs> = { hidden };
    const cell = cellEmbedding(config, on, hidden);
    results.cell = cell;
    const conditions = decoderConditions(parameters, config, on);
    if (wanted.has("mlm") || wanted.has("mlm_zero_probs")) {
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
    if (wanted.has("cls")) results.cls = classify(parameters, "cls_decoder", cell, "relu");
    if (wanted.has("dab")) {
      results.dab = classify(parameters, "grad_reverse_discriminator", cell, "leaky_relu");
    }
    return results;
  }
}

/** A weight whose presence says that an output can be computed. */
const HEAD_WEIGHTS: { readonly [Name in OutputName]: string } = {
  cell: "encoder.embedding.weight",
  hidden: "encoder.embedding.weight",
  mlm: "decoder.",
  mlm_zero_probs: "decoder.zero_logit.0.weight",
  mvc: "mvc_decoder.W.weight",
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
