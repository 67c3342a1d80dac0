/** Which weights a configuration has: names and shapes of the PyTorch state dict, group by group. */
import type { ScgptConfig } from "../config.ts";

/** Shapes by state-dict name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** How a tensor is drawn when a model starts fresh; the reference's, that is PyTorch's, initialisation. */
export type InitKind =
  /** Linear weight or bias: uniform ±1/√fanIn. */
  | { readonly kind: "linear"; readonly fanIn: number }
  /** Joined attention projection: uniform ±√(6/(fanIn + fanOut)). */
  | { readonly kind: "xavier"; readonly fanIn: number; readonly fanOut: number }
  /** Gene table: uniform ±0.1. */
  | { readonly kind: "gene-table" }
  /** Other tables: standard normal, the row `zeroRow` 0. */
  | { readonly kind: "table"; readonly zeroRow?: number }
  /** Gains of norms, running variances. */
  | { readonly kind: "ones" }
  /** Slope of a PReLU: 1/4. */
  | { readonly kind: "prelu" }
  /** Biases of norms and of attention, running means, counters. */
  | { readonly kind: "zeros" };

/** One weight of a model. */
export interface ParameterLayout {
  /** State-dict name. */
  readonly name: string;
  /** Axes. */
  readonly shape: readonly number[];
  /** Fresh values. */
  readonly init: InitKind;
}

/** Weights that stand or fall together; a head may be absent from a checkpoint, the trunk may not. */
export interface ParameterGroup {
  /** The config knob that turns the group on, or "trunk". */
  readonly group: "trunk" | HeadName;
  /** State-dict prefixes that belong to the group alone. */
  readonly prefixes: readonly string[];
  /** The weights. */
  readonly parameters: readonly ParameterLayout[];
}

/** Parts of a model besides the trunk. */
export type HeadName =
  | "decoder"
  | "mvc"
  | "cls"
  | "dar"
  | "batch"
  | "modality"
  | "perturbation"
  | "dsbn"
  | "flag";

/** All weights of a model with `nTokens` rows in its gene table, in state-dict order. */
export function parameterGroups(config: ScgptConfig, nTokens: number): ParameterGroup[] {
  const { embsize: d } = config;
  const groups: ParameterGroup[] = [trunk(config, nTokens)];
  const decoderWidth = config.useBatchLabels || config.nMod > 0 ? 2 * d : d;
  const add = (group: HeadName, prefixes: string[], parameters: ParameterLayout[]) =>
    groups.push({ group, prefixes, parameters });
  if (config.generative) add("flag", ["flag_encoder."], [table("flag_encoder.weight", 2, d)]);
  if (config.perturbation) {
    add("perturbation", ["pert_encoder."], [table("pert_encoder.weight", 3, d, 0)]);
  }
  if (config.useBatchLabels) {
    add("batch", ["batch_encoder."], normedTable("batch_encoder", config.nBatch, d));
  }
  if (config.nMod > 0) {
    add("modality", ["mod_encoder."], normedTable("mod_encoder", config.nMod, d));
  }
  if (config.domainSpecBatchnorm !== false) add("dsbn", ["dsbn.", "bn."], batchNorms(config));
  add("decoder", ["decoder."], decoder(config, decoderWidth));
  if (config.nCls > 0) add("cls", ["cls_decoder."], classifier("cls_decoder", config, config.nCls));
  if (config.mvc) add("mvc", ["mvc_decoder."], mvcDecoder(config, decoderWidth));
  if (config.dar) {
    const prefix = "grad_reverse_discriminator";
    add("dar", [`${prefix}.`], classifier(prefix, config, config.nBatch));
  }
  return groups;
}

/** Shapes of all weights by name. */
export function parameterShapes(config: ScgptConfig, nTokens: number): Shapes {
  const all = parameterGroups(config, nTokens).flatMap((group) => group.parameters);
  return new Map(all.map(({ name, shape }) => [name, shape]));
}

/** Number of weights. */
export function parameterCount(shapes: Shapes): number {
  let total = 0;
  for (const shape of shapes.values()) total += shape.reduce((size, length) => size * length, 1);
  return total;
}

function trunk(config: ScgptConfig, nTokens: number): ParameterGroup {
  const d = config.embsize;
  const layers = Array.from({ length: config.nlayers }, (_, i) => layer(config, i)).flat();
  const genes: ParameterLayout[] = [
    { name: "encoder.embedding.weight", shape: [nTokens, d], init: { kind: "gene-table" } },
    ...norm("encoder.enc_norm", d),
  ];
  return {
    group: "trunk",
    prefixes: ["encoder.", "value_encoder.", "transformer_encoder."],
    parameters: [...genes, ...valueEncoder(config), ...layers],
  };
}

function valueEncoder({ inputEmbStyle, embsize: d, nBins }: ScgptConfig): ParameterLayout[] {
  if (inputEmbStyle === "scaling") return [];
  if (inputEmbStyle === "category") {
    // Bins 0 .. nBins-1, then the pad bin and the mask bin.
    return normedTable("value_encoder", nBins + 2, d, nBins);
  }
  return [
    ...linear("value_encoder.linear1", d, 1),
    ...linear("value_encoder.linear2", d, d),
    ...norm("value_encoder.norm", d),
  ];
}

function layer({ embsize: d, dHid }: ScgptConfig, index: number): ParameterLayout[] {
  const at = `transformer_encoder.layers.${index}`;
  return [
    {
      name: `${at}.self_attn.in_proj_weight`,
      shape: [3 * d, d],
      init: { kind: "xavier", fanIn: d, fanOut: 3 * d },
    },
    { name: `${at}.self_attn.in_proj_bias`, shape: [3 * d], init: { kind: "zeros" } },
    {
      name: `${at}.self_attn.out_proj.weight`,
      shape: [d, d],
      init: { kind: "linear", fanIn: d },
    },
    { name: `${at}.self_attn.out_proj.bias`, shape: [d], init: { kind: "zeros" } },
    ...linear(`${at}.linear1`, dHid, d),
    ...linear(`${at}.linear2`, d, dHid),
    ...norm(`${at}.norm1`, d),
    ...norm(`${at}.norm2`, d),
  ];
}

function decoder(config: ScgptConfig, width: number): ParameterLayout[] {
  if (config.perturbation) {
    return [
      ...expression("decoder.coeff_decoder.fc", config, width),
      ...expression("decoder.bias_decoder.fc", config, width),
    ];
  }
  const fc = expression("decoder.fc", config, width);
  return config.explicitZeroProb ? [...fc, ...expression("decoder.zero_logit", config, width)] : fc;
}

function expression(at: string, { embsize: d }: ScgptConfig, width: number): ParameterLayout[] {
  return [
    ...linear(`${at}.0`, d, width),
    ...linear(`${at}.2`, d, d),
    ...linear(`${at}.4`, 1, d),
  ];
}

function mvcDecoder(config: ScgptConfig, width: number): ParameterLayout[] {
  // With modalities the query sees them as well and the whole decoder is twice as wide.
  const query = config.nMod > 0 ? width : config.embsize;
  if (config.mvcDecoderStyle === "concat query" || config.mvcDecoderStyle === "sum query") {
    return queryDecoder(config.mvcDecoderStyle, query, width);
  }
  const weight = (name: string): ParameterLayout => ({
    name,
    shape: [width, query],
    init: { kind: "linear", fanIn: query },
  });
  const core = [...linear("mvc_decoder.gene2query", query, query), weight("mvc_decoder.W.weight")];
  if (!config.explicitZeroProb) return core;
  return [...core, ...linear("mvc_decoder.W_zero_logit", width, query)];
}

/** The styles that put query and cell through a perceptron of 64 units with a PReLU. */
function queryDecoder(
  style: "concat query" | "sum query",
  query: number,
  width: number,
): ParameterLayout[] {
  const hidden = 64;
  const [asked, joined] = style === "concat query" ? [hidden, width + hidden] : [width, width];
  return [
    ...linear("mvc_decoder.gene2query", asked, query),
    ...linear("mvc_decoder.fc1", hidden, joined),
    { name: "mvc_decoder.hidden_activation.weight", shape: [1], init: { kind: "prelu" } },
    ...linear("mvc_decoder.fc2", 1, hidden),
  ];
}

/** `nlayersCls - 1` blocks of linear, activation, norm, then a linear layer; the activation is number 1, 4, … of the list. */
function classifier(
  at: string,
  { embsize: d, nlayersCls }: ScgptConfig,
  classes: number,
): ParameterLayout[] {
  const blocks = Array.from({ length: nlayersCls - 1 }, (_, i) => [
    ...linear(`${at}._decoder.${3 * i}`, d, d),
    ...norm(`${at}._decoder.${3 * i + 2}`, d),
  ]);
  return [...blocks.flat(), ...linear(`${at}.out_layer`, classes, d)];
}

function batchNorms({ domainSpecBatchnorm, nBatch, embsize: d }: ScgptConfig): ParameterLayout[] {
  const running = (at: string): ParameterLayout[] => [
    { name: `${at}.running_mean`, shape: [d], init: { kind: "zeros" } },
    { name: `${at}.running_var`, shape: [d], init: { kind: "ones" } },
    { name: `${at}.num_batches_tracked`, shape: [], init: { kind: "zeros" } },
  ];
  if (domainSpecBatchnorm === "batchnorm") return [...norm("bn", d), ...running("bn")];
  return Array.from({ length: nBatch }, (_, k) => running(`dsbn.bns.${k}`)).flat();
}

function linear(at: string, outputs: number, inputs: number): ParameterLayout[] {
  const init: InitKind = { kind: "linear", fanIn: inputs };
  return [
    { name: `${at}.weight`, shape: [outputs, inputs], init },
    { name: `${at}.bias`, shape: [outputs], init },
  ];
}

function norm(at: string, width: number): ParameterLayout[] {
  return [
    { name: `${at}.weight`, shape: [width], init: { kind: "ones" } },
    { name: `${at}.bias`, shape: [width], init: { kind: "zeros" } },
  ];
}

function table(name: string, rows: number, width: number, zeroRow?: number): ParameterLayout {
  const init: InitKind = zeroRow === undefined ? { kind: "table" } : { kind: "table", zeroRow };
  return { name, shape: [rows, width], init };
}

function normedTable(at: string, rows: number, width: number, zeroRow?: number): ParameterLayout[] {
  return [table(`${at}.embedding.weight`, rows, width, zeroRow), ...norm(`${at}.enc_norm`, width)];
}
