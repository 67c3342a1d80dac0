/** Which weights learn. */
import type { Tensor } from "../../gpu/mod.ts";
import { parameterGroups } from "../model/layout.ts";
import type { ScGPT } from "../model/scgpt.ts";

/**
 * "full": all weights; "frozen-trunk": all but gene encoder, value encoder and transformer; "heads": the decoders alone;
 * "lora": low-rank adapters of the attention and feed-forward matrices, and the heads.
 */
export type Trainable = "full" | "frozen-trunk" | "heads" | "lora";

const HEADS = ["decoder", "mvc", "cls", "dar"];

/**
 * The weights that learn, by state-dict name. Running statistics of batch norm are no weights.
 *
 * @throws {RangeError} For an unknown choice
 */
export function trainableParameters(model: ScGPT, trainable: Trainable): Map<string, Tensor> {
  const groups = parameterGroups(model.config, model.nTokens);
  const learns = (group: string) => {
    if (trainable === "full") return true;
    if (trainable === "frozen-trunk") return group !== "trunk";
    if (trainable === "heads" || trainable === "lora") return HEADS.includes(group);
    throw new RangeError(
      `Cannot choose weights as the choice must be full, frozen-trunk, heads or lora: got "${trainable}"`,
    );
  };
  const names = groups.filter(({ group }) => learns(group))
    .flatMap(({ parameters }) => parameters.map(({ name }) => name))
    .filter((name) => !/\.(running_mean|running_var|num_batches_tracked)$/.test(name));
  const chosen = names.flatMap((name) => {
    const tensor = model.parameters.get(name);
    return tensor === undefined ? [] : [[name, tensor] as const];
  });
  return new Map([...chosen, ...trainable === "lora" ? model.adapters?.weights ?? [] : []]);
}
