/** Low-rank adapters (LoRA, Hu et al. 2021): W + (alpha / rank) · B·A in place of a frozen W. */
import { type Device, RandomStream, run, STREAM, Tensor } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../options.ts";
import { nameWords } from "./init.ts";
import { parameter, type Parameters } from "./nn.ts";

/** Settings of {@linkcode Adapters}. */
export interface AdapterOptions {
  /** Rank of the correction; 8 by default. */
  readonly rank?: number;
  /** Its factor, times 1 / rank; 16 by default. */
  readonly alpha?: number;
  /** Seed of A (B starts at zero, so an adapted model starts as it was); 0 by default. */
  readonly seed?: number;
}

/** Matrices of a transformer layer that are adapted. */
const TARGETS =
  /^transformer_encoder\.layers\.\d+\.(self_attn\.in_proj_weight|self_attn\.out_proj\.weight|linear[12]\.weight)$/;

/** The adapters of a model. Weights are named `<name>.lora_A` [rank, K] and `<name>.lora_B` [N, rank] after the matrix [N, K]. */
export class Adapters {
  /** rank. */
  readonly rank: number;
  /** Factor of B·A. */
  readonly scale: number;
  /** A and B of every adapted matrix by name. */
  readonly weights: ReadonlyMap<string, Tensor>;

  /**
   * Makes adapters for the attention and feed-forward matrices.
   *
   * @throws {RangeError} When the rank is no integer >= 1, or alpha is not positive
   */
  constructor(device: Device, parameters: Parameters, options: AdapterOptions = {}) {
    refuseUnknownKeys(options, ["rank", "alpha", "seed"], "adapt a model");
    const { rank = 8, alpha = 16, seed = 0 } = options;
    if (!Number.isInteger(rank) || rank < 1 || !(alpha > 0)) {
      throw new RangeError(
        `Cannot adapt a model as rank must be an integer >= 1 and alpha > 0: got ${rank} and ${alpha}`,
      );
    }
    this.rank = rank;
    this.scale = alpha / rank;
    const weights = new Map<string, Tensor>();
    for (const [name, { shape: [outer = 0, inner = 0] }] of parameters) {
      if (!TARGETS.test(name)) continue;
      weights.set(`${name}.lora_A`, drawA(device, `${name}.lora_A`, { rank, inner, seed }));
      weights.set(`${name}.lora_B`, Tensor.zeros(device, [outer, rank]));
    }
    this.weights = weights;
  }

  /** Weights as the model uses them: those of adapted matrices are made at every `get`, so that a tape sees how. */
  applyTo(parameters: Parameters): Parameters {
    return new AdaptedParameters(parameters, this);
  }

  /** W + scale · B·A, or undefined where the matrix has no adapter. */
  adapted(name: string, weight: Tensor): Tensor | undefined {
    const a = this.weights.get(`${name}.lora_B`), b = this.weights.get(`${name}.lora_A`);
    if (a === undefined || b === undefined) return undefined;
    const pair = { a: a.reshape([1, ...a.shape]), b: b.reshape([1, ...b.shape]) };
    const { y } = run("matmul", pair, { transposeA: false, transposeB: false });
    const z = y.reshape(weight.shape);
    return run("scale_add", { x: weight, z }, { alpha: 1, beta: this.scale }).y;
  }

  /** Frees the adapters. */
  [Symbol.dispose](): void {
    for (const tensor of this.weights.values()) tensor[Symbol.dispose]();
  }
}

class AdaptedParameters extends Map<string, Tensor> {
  readonly #adapters: Adapters;

  constructor(parameters: Parameters, adapters: Adapters) {
    super(parameters);
    this.#adapters = adapters;
  }

  override get(name: string): Tensor | undefined {
    const weight = super.get(name);
    return weight && (this.#adapters.adapted(name, weight) ?? weight);
  }
}

/** Weights with all adapters added in, as separate tensors: those of adapted matrices are new and the caller's. */
export function mergedParameters(
  parameters: Parameters,
  adapters: Adapters,
): { readonly merged: Parameters; readonly made: readonly Tensor[] } {
  const made: Tensor[] = [];
  const merged = new Map<string, Tensor>();
  for (const name of parameters.keys()) {
    const weight = parameter(parameters, name);
    const adapted = adapters.adapted(name, weight);
    if (adapted !== undefined) made.push(adapted);
    merged.set(name, adapted ?? weight);
  }
  return { merged, made };
}

/** Kaiming-uniform with a = √5, as the published LoRA: uniform ±1/√K. */
function drawA(
  device: Device,
  name: string,
  { rank, inner, seed }: { readonly rank: number; readonly inner: number; readonly seed: number },
): Tensor {
  const random = new RandomStream(seed, STREAM.init, nameWords(name));
  const bound = 1 / Math.sqrt(inner);
  const values = Float32Array.from({ length: rank * inner }, () => (2 * random.next() - 1) * bound);
  return Tensor.from(device, "f32", [rank, inner], values);
}
