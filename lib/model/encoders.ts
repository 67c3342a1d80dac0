/** What goes into the transformer: gene, value and condition embeddings of every token, summed. */
import { Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { checkRows, type DeviceBatch, indices } from "./batch.ts";
import { type DomainNorm, domainNorm, trainingNorm } from "./domain_norm.ts";
import { add, gather, layerNorm, multiply, parameter, type Parameters } from "./nn.ts";
import { valueEmbedding, type ValueTable, withValues } from "./value_encoder.ts";

/**
 * An embedding that is added to the sum because of what is known about a token or a cell: conditions are a list of these, not
 * copies of the model.
 */
export interface Condition {
  /** Table of the state dict, [rows, D]. */
  readonly table: string;
  /** Layer norm behind the table, if any. */
  readonly norm?: string;
  /** Row that does not learn. */
  readonly paddingIdx?: number;
  /** Row of the table for each token, u32 [T]. */
  readonly index: (batch: DeviceBatch) => Uint32Array<ArrayBuffer>;
}

/** LN(E[id]): the gene embedding of every token. [T] -> [T,D] (`GeneEncoder`) */
export function geneEmbedding(parameters: Parameters, batch: DeviceBatch): Tensor {
  const table = parameter(parameters, "encoder.embedding.weight");
  using rows = gather(table, batch.ids, undefined, batch.padId);
  return layerNorm(parameters, "encoder.enc_norm", rows);
}

/**
 * Everything the transformer sees: gene + value + conditions, then the norm of the cell's domain, if the model has one.
 * genes [T,D] -> [T,D]
 */
export function inputEmbedding(
  parameters: Parameters,
  config: ScgptConfig,
  batch: DeviceBatch,
  { genes, values, conditions, norm }: {
    readonly genes: Tensor;
    readonly values: ValueTable | undefined;
    readonly conditions: readonly Condition[];
    readonly norm: DomainNorm | undefined;
  },
): Tensor {
  let sum = withValues(parameters, config, batch, { genes, values });
  for (const condition of conditions) {
    sum = addCondition(parameters, batch, condition, sum);
  }
  if (batch.training !== undefined) {
    return trainingNorm(parameters, config, batch, {
      x: sum,
      pad: () => padInput(parameters, config, batch),
    });
  }
  return norm === undefined ? sum : domainNorm(norm, batch, sum);
}

/** What a pad token would be at the input. -> [1,D] */
function padInput(parameters: Parameters, config: ScgptConfig, batch: DeviceBatch): Tensor {
  const table = parameter(parameters, "encoder.embedding.weight");
  const index = indices(batch.device, Uint32Array.of(batch.padId));
  const row = gather(table, index, undefined, batch.padId);
  const value = Float32Array.of(config.padValue);
  return add(
    layerNorm(parameters, "encoder.enc_norm", row),
    valueEmbedding(parameters, config, batch, value),
  );
}

/** The embedding of one condition for each row of `index`. [N] -> [N,D] */
export function conditionEmbedding(
  parameters: Parameters,
  batch: Pick<DeviceBatch, "device">,
  condition: Pick<Condition, "table" | "norm">,
  index: Uint32Array<ArrayBuffer>,
): Tensor {
  const table = parameter(parameters, condition.table);
  checkRows(condition.table, table, index);
  const picked = gather(table, indices(batch.device, index));
  return condition.norm === undefined ? picked : layerNorm(parameters, condition.norm, picked);
}

function addCondition(
  parameters: Parameters,
  batch: DeviceBatch,
  condition: Condition,
  base: Tensor,
): Tensor {
  const index = condition.index(batch);
  if (condition.norm === undefined) {
    const table = parameter(parameters, condition.table);
    checkRows(condition.table, table, index);
    return gather(table, indices(batch.device, index), base, condition.paddingIdx);
  }
  return add(base, conditionEmbedding(parameters, batch, condition, index));
}

/** Replaces the input of each cell's first token by a given cell embedding (cell prompt). x [T,D] -> [T,D] */
export function withCellPrompt(batch: DeviceBatch, x: Tensor): Tensor {
  const { host: { cellPrompt, offsets }, device, cellOf } = batch;
  if (cellPrompt === undefined) return x;
  const cells = offsets.length - 1, tokens = offsets.at(-1) ?? 0;
  const first = new Float32Array(tokens);
  for (let cell = 0; cell < cells; cell++) first[offsets[cell]!] = 1;
  const column = (values: Float32Array<ArrayBuffer>) =>
    Tensor.from(device, "f32", [tokens, 1], values);
  const prompt = cellPrompt instanceof Tensor
    ? cellPrompt
    : Tensor.from(device, "f32", [cells, cellPrompt.length / cells], cellPrompt);
  const kept = multiply(x, column(first.map((one) => 1 - one)));
  return add(kept, multiply(gather(prompt, cellOf), column(first)));
}
