/** Objectives on expression values: gene expression prediction and its relatives. */
import { run, Tensor } from "../../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../options.ts";
import { askedWeights, type Objective, type ObjectiveContext } from "../objective.ts";

/** Settings that every objective has. */
export interface WeightOptions {
  /** Factor in the sum of losses: a number, or a function of the step; 1 by default. */
  readonly weight?: number | ((step: number) => number);
}

/**
 * Gene expression prediction (GEP; MLM in the code): mean squared error of the values asked for, from each token's own output. In the
 * generative model this is the gene prompt; with every token asked for, the perturbation loss.
 * Paper: equation 12 and Methods, "Fine-tuning objectives". Reference: `masked_mse_loss` on `mlm_output`.
 *
 * @example
 * ```ts
 * import { gep } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(gep({ weight: 2 }).outputs, ["mlm"]);
 * ```
 */
export function gep(options: WeightOptions = {}): Objective {
  return squaredError("gep", "mlm", options);
}

/**
 * Gene expression prediction for cell modelling (GEPC; MVC in the code): the same error of values read from the cell embedding and the
 * gene alone. Paper: Methods, "GEPC". Reference: `masked_mse_loss` on `mvc_output`.
 */
export function gepc(options: WeightOptions = {}): Objective {
  return squaredError("gepc", "mvc", options);
}

/** Settings of {@linkcode zeroLogProb}. */
export interface ZeroLogProbOptions extends WeightOptions {
  /** Whose probabilities: those of each token ("gep", default) or those from the cell embedding ("gepc"). */
  readonly of?: "gep" | "gepc";
}

/**
 * Zero-inflated term: negative log-likelihood of "the value is not zero" under the model's Bernoulli probabilities, over the values asked
 * for. Not in the paper. Reference: `criterion_neg_log_bernoulli`.
 *
 * @throws {RangeError} For another `of`
 */
export function zeroLogProb(options: ZeroLogProbOptions = {}): Objective {
  refuseUnknownKeys(options, ["weight", "of"], "make the zero-inflated objective");
  const { of = "gep", weight = 1 } = options;
  if (of !== "gep" && of !== "gepc") {
    throw new RangeError(
      `Cannot make the zero-inflated objective as "of" must be "gep" or "gepc": got "${of}"`,
    );
  }
  const output = of === "gep" ? "mlm_zero_probs" : "mvc_zero_probs";
  return {
    name: `${of}_zero_log_prob`,
    weight,
    settings: {},
    outputs: [output],
    needs: ["targets", "asked"],
    additive: true,
    loss: (context) => pointwise(context, context.output(output), "bernoulli"),
  };
}

/** Settings of {@linkcode cellPrompt}. */
export interface CellPromptOptions extends WeightOptions {
  /** Steps before it begins; 1,000 by default, as the reference. */
  readonly afterStep?: number;
}

/**
 * Generation from a cell prompt: a second pass with the cell's own embedding (its gradient stopped) in place of `<cls>`; mean squared
 * error of the values asked for. Paper: Methods, "Generative pretraining". Reference: `loss_gen` in the pretraining branch.
 *
 * @throws {RangeError} For a negative or fractional `afterStep`
 */
export function cellPrompt(options: CellPromptOptions = {}): Objective {
  refuseUnknownKeys(options, ["weight", "afterStep"], "make the cell prompt objective");
  const { weight = 1, afterStep = 1000 } = options;
  if (!Number.isInteger(afterStep) || afterStep < 0) {
    throw new RangeError(
      `Cannot make the cell prompt objective as afterStep must be an integer >= 0: got ${afterStep}`,
    );
  }
  const factor = typeof weight === "number" ? () => weight : weight;
  return {
    name: "cell_prompt",
    weight: (step) => step > afterStep ? factor(step) : 0,
    settings: { weight: String(weight), afterStep },
    outputs: ["cell"],
    needs: ["targets", "asked"],
    additive: true,
    loss: (context) =>
      pointwise(
        context,
        context.again(["mlm"], { cellPrompt: context.output("cell") }).mlm,
        "squared_error",
      ),
  };
}

function squaredError(name: string, output: "mlm" | "mvc", options: WeightOptions): Objective {
  refuseUnknownKeys(options, ["weight"], `make the objective ${name}`);
  return {
    name,
    weight: options.weight ?? 1,
    settings: {},
    outputs: [output],
    needs: ["targets", "asked"],
    additive: true,
    loss: (context) => pointwise(context, context.output(output), "squared_error"),
  };
}

/** Mean of a loss of single values over the tokens asked for. pred [T] or [T,1] -> [1] */
function pointwise(
  context: ObjectiveContext,
  pred: Tensor,
  fn: "squared_error" | "bernoulli",
): Tensor {
  const targets = context.batch.targets!;
  const target = Tensor.from(context.device, "f32", [targets.length], targets);
  const inputs = { pred: pred.reshape([pred.size]), target, weight: askedWeights(context) };
  return run("pointwise_loss", inputs, { fn }).loss;
}
