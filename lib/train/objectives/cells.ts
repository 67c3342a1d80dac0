/** Objectives on cell embeddings: classes, batches, similarities. */
import { type Device, run, Tensor } from "../../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../options.ts";
import { cellWeights, type Objective, type ObjectiveContext } from "../objective.ts";
import type { WeightOptions } from "./expression.ts";

/** PyTorch's smallest divisor of a cosine. */
const COSINE_EPS = 1e-8;

/**
 * Cell type classification (CLS): cross entropy of the class head. Paper: Methods, "Fine-tuning objectives".
 * Reference: `criterion_cls` on `cls_output`.
 */
export function cls(options: WeightOptions = {}): Objective {
  return classification("cls", "cls", "classes", options);
}

/**
 * Domain adaptation by reverse back-propagation (DAR): cross entropy of the batch discriminator, whose gradient reaches the cell
 * embedding reversed. Paper: Methods. Reference: `criterion_dab` on `dab_output`.
 */
export function dar(options: WeightOptions = {}): Objective {
  return classification("dar", "dab", "batchLabels", options);
}

/** Settings of {@linkcode ecs}. */
export interface EcsOptions extends WeightOptions {
  /** Similarity that pairs are pulled to when above it and pushed from when below; 0.3 by default (paper 0.6, tutorials 0.8). */
  readonly beta?: number;
  /**
   * "reference" (default): mean over all B² entries of 1 - (relu(s) - beta)², the diagonal counting as 0; "paper": mean over pairs of
   * different cells of -(s - beta)².
   */
  readonly form?: "reference" | "paper";
}

/**
 * Elastic cell similarity (ECS) of the cosines of all pairs of a batch. Paper: equation 17. Reference: `ecs_threshold` in `TransformerModel`.
 *
 * @throws {RangeError} For a beta outside [0, 1] or another form
 */
export function ecs(options: EcsOptions = {}): Objective {
  refuseUnknownKeys(options, ["weight", "beta", "form"], "make the objective ecs");
  const { weight = 1, beta = 0.3, form = "reference" } = options;
  if (!(beta >= 0 && beta <= 1)) {
    throw new RangeError(`Cannot make the objective ecs as beta must be in [0, 1]: got ${beta}`);
  }
  if (form !== "reference" && form !== "paper") {
    throw new RangeError(
      `Cannot make the objective ecs as form must be "reference" or "paper": got "${form}"`,
    );
  }
  return {
    name: "ecs",
    weight,
    settings: { beta, form },
    outputs: ["cell"],
    needs: [],
    additive: false,
    loss: ({ device, output }) => similarityLoss(device, cosines(output("cell")), { beta, form }),
  };
}

/** Settings of {@linkcode cce}. */
export interface CceOptions extends WeightOptions {
  /** What cosines are divided by; 0.5 by default. */
  readonly temperature?: number;
}

/**
 * Contrastive cell embedding (CCE): each cell's two embeddings, under two draws of dropout, shall be nearer to each other than to those of
 * other cells (SimCSE). Not in the paper; off in the published recipes. Reference: `Similarity` and `creterion_cce`.
 *
 * @throws {RangeError} For a temperature that is not positive
 */
export function cce(options: CceOptions = {}): Objective {
  refuseUnknownKeys(options, ["weight", "temperature"], "make the objective cce");
  const { weight = 1, temperature = 0.5 } = options;
  if (!(temperature > 0)) {
    throw new RangeError(
      `Cannot make the objective cce as temperature must be > 0: got ${temperature}`,
    );
  }
  return {
    name: "cce",
    weight,
    settings: { temperature },
    outputs: ["cell"],
    needs: [],
    additive: false,
    loss: (context) => {
      const cell = context.output("cell");
      const other = context.again(["cell"], { repeat: 1 }).cell;
      const cells = cell.shape[0] ?? 0;
      const scaled = { alpha: 1 / temperature, beta: 0 };
      const logits = run("scale_add", { x: cosines(cell, other) }, scaled).y;
      return entropy(context, logits, Uint32Array.from({ length: cells }, (_, i) => i));
    },
  };
}

function classification(
  name: string,
  output: "cls" | "dab",
  labels: "classes" | "batchLabels",
  options: WeightOptions,
): Objective {
  refuseUnknownKeys(options, ["weight"], `make the objective ${name}`);
  return {
    name,
    weight: options.weight ?? 1,
    settings: {},
    outputs: [output],
    needs: [labels],
    additive: true,
    loss: (context) => entropy(context, context.output(output), context.batch[labels]!),
  };
}

/** Mean cross entropy. logits [B,C], labels [B] -> [1] */
function entropy(
  context: ObjectiveContext,
  logits: Tensor,
  labels: Uint32Array<ArrayBuffer>,
): Tensor {
  const classes = logits.shape[1] ?? 0;
  const bad = labels.findIndex((label) => label >= classes);
  if (bad >= 0) {
    throw new RangeError(
      `Cannot train as labels must be below the ${classes} classes of the head: got ${
        labels[bad]
      } in cell ${bad} of the batch`,
    );
  }
  const target = Tensor.from(context.device, "u32", [labels.length], labels);
  return run("cross_entropy", { logits, target, weight: cellWeights(context) }, {}).loss;
}

/** Cosines of all pairs of rows. [B,D], [B,D] -> [B,B] */
function cosines(cells: Tensor, others = cells): Tensor {
  const unit = (x: Tensor) => run("l2_normalize", { x }, { eps: COSINE_EPS }).y;
  const [rows = 0, d = 0] = cells.shape;
  const left = unit(cells);
  const right = others === cells ? left : unit(others);
  const a = left.reshape([1, rows, d]), b = right.reshape([1, rows, d]);
  return run("matmul", { a, b }, { transposeA: false, transposeB: true }).y.reshape([rows, rows]);
}

/** See {@linkcode ecs}. similarities [B,B] -> [1] */
function similarityLoss(
  device: Device,
  similarities: Tensor,
  { beta, form }: { readonly beta: number; readonly form: "reference" | "paper" },
): Tensor {
  const cells = similarities.shape[0] ?? 0;
  const offDiagonal = new Float32Array(cells * cells).fill(1);
  for (let i = 0; i < cells; i++) offDiagonal[i * cells + i] = 0;
  const entries = cells * cells;
  const vector = (values: Float32Array<ArrayBuffer>) =>
    Tensor.from(device, "f32", [entries], values);
  const target = vector(new Float32Array(entries).fill(beta));
  const square = (pred: Tensor, weight: Tensor) =>
    run("pointwise_loss", { pred, target, weight }, { fn: "squared_error" }).loss;
  if (form === "paper") {
    const pairs = Math.max(entries - cells, 1);
    const mean = square(similarities.reshape([entries]), vector(offDiagonal.map((x) => x / pairs)));
    return run("scale_add", { x: mean }, { alpha: -1, beta: 0 }).y;
  }
  const mask = Tensor.from(device, "f32", [cells, cells], offDiagonal);
  const masked = run("binary", { a: similarities, b: mask }, { fn: "mul" }).y;
  const rectified = run("unary", { x: masked }, { fn: "relu" }).y.reshape([entries]);
  const mean = square(rectified, vector(new Float32Array(entries).fill(1 / entries)));
  const one = Tensor.from(device, "f32", [1], Float32Array.of(1));
  return run("scale_add", { x: one, z: mean }, { alpha: 1, beta: -1 }).y;
}
