/** Fresh weights, drawn as the reference draws them. */
import { RandomStream, STREAM } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { fnv1a } from "../fnv.ts";
import { type InitKind, parameterGroups, type ParameterLayout } from "./layout.ts";

/**
 * Draws every weight of a configuration, one after the other. A weight's numbers depend on the seed and its name alone; as in the
 * reference, whose layers are deep copies of one, all transformer layers start equal.
 * Reference: `TransformerModel.init_weights` and PyTorch's defaults.
 *
 * @param config Architecture
 * @param options `nTokens`: rows of the gene table; `seed`: an integer from 0 to 2⁵³-1
 */
export function* initialWeights(
  config: ScgptConfig,
  { nTokens, seed }: { readonly nTokens: number; readonly seed: number },
): Generator<ParameterLayout & { readonly values: Float32Array<ArrayBuffer> }> {
  for (const { parameters } of parameterGroups(config, nTokens)) {
    for (const layout of parameters) {
      yield { ...layout, values: draw(layout, seed) };
    }
  }
}

function draw({ name, shape, init }: ParameterLayout, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(shape.reduce((size, length) => size * length, 1));
  if (init.kind === "ones") return values.fill(1);
  if (init.kind === "zeros") return values;
  if (init.kind === "prelu") return values.fill(0.25);
  const random = new RandomStream(seed, STREAM.init, nameWords(name));
  if (init.kind === "table") {
    const width = shape.at(-1) ?? 1;
    for (let i = 0; i < values.length; i++) values[i] = random.normal();
    if (init.zeroRow !== undefined) {
      values.fill(0, init.zeroRow * width, (init.zeroRow + 1) * width);
    }
    return values;
  }
  const bound = boundOf(init);
  for (let i = 0; i < values.length; i++) values[i] = (2 * random.next() - 1) * bound;
  return values;
}

function boundOf(init: Exclude<InitKind, { kind: "ones" | "zeros" | "prelu" | "table" }>): number {
  if (init.kind === "gene-table") return 0.1;
  if (init.kind === "xavier") return Math.sqrt(6 / (init.fanIn + init.fanOut));
  return 1 / Math.sqrt(init.fanIn);
}

/**
 * Two words from a name with its layer number left out: its hash, forwards and backwards. Not `cellKey`, which would give every fresh model
 * other weights.
 */
export function nameWords(name: string): readonly [number, number] {
  const letters = [...name.replace(/\.layers\.\d+\./, ".layers.")].map((one) => one.charCodeAt(0));
  return [fnv1a(letters), fnv1a(letters.toReversed())];
}
