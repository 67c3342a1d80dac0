/** A model with fresh weights. */
import { type Device, Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import type { GeneVocab } from "../input/vocab.ts";
import { initialWeights } from "./init.ts";
import { ScGPT } from "./scgpt.ts";

/** What a fresh model is made from. */
export interface FreshModelOptions {
  /** Architecture. */
  readonly config: ScgptConfig;
  /** Gene vocabulary; its size is the number of rows of the gene table, unless the configuration says more. */
  readonly vocab: GeneVocab;
  /** Seed of the weights, an integer from 0 to 2⁵³-1. */
  readonly seed: number;
  /** Weights that are taken from another model instead of drawn, by state-dict name; where shapes differ the fresh ones stay. */
  readonly from?: ReadonlyMap<string, Tensor>;
}

/**
 * Makes a model whose weights are drawn as the reference draws them.
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { freshModel, GeneVocab, parseConfig } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * const vocab = GeneVocab.fromNames(["ACTB", "CD3D"]);
 * using model = await freshModel(device, { config: parseConfig("mini"), vocab, seed: 1 });
 * assert.equal(model.nTokens, 5);
 * ```
 *
 * @param device Device for the weights; it must outlive the model
 * @param options Architecture, vocabulary, seed
 * @returns The model; own it with `using`
 */
export async function freshModel(device: Device, options: FreshModelOptions): Promise<ScGPT> {
  const { config, vocab, seed, from } = options;
  const parameters = new Map<string, Tensor>();
  try {
    const nTokens = config.nTokens ?? vocab.size;
    for (const { name, shape, values } of initialWeights(config, { nTokens, seed })) {
      if (name.endsWith("num_batches_tracked")) continue;
      const known = from?.get(name);
      const same = known !== undefined && known.shape.join() === shape.join();
      parameters.set(name, Tensor.from(device, "f32", shape, same ? await known.data() : values));
    }
  } catch (cause) {
    for (const tensor of parameters.values()) tensor[Symbol.dispose]();
    throw cause;
  }
  return await ScGPT.create({ config, vocab, parameters });
}
