/** What an op must state besides its kernels: the shapes it takes and gives, and its gradient. */
import type { Dtype, Shape } from "./dtype.ts";
import type { OpInputs, OpName, OpOutputs, OpParams, Ops } from "./ops.ts";
import type { Tensor } from "./tensor.ts";

/** Shape and element type of a tensor. */
export interface Spec {
  /** Axes. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: Dtype;
}

/** Names of the inputs of K, given or optional. */
export type InputName<K extends OpName> = Ops[K]["inputs"] | Ops[K]["optional"];

/** Gradients of the inputs from the gradients of the outputs. */
export type Backward<K extends OpName> = (
  saved: OpInputs<K, Tensor> & Partial<OpOutputs<K, Tensor>>,
  outputGradients: Partial<OpOutputs<K, Tensor>>,
  params: OpParams<K>,
) => { [Name in InputName<K>]?: Tensor };

/** The gradient's place in the contract: what forward must keep, where gradients flow, and the rule. */
export interface Gradient<K extends OpName> {
  /** Inputs that receive a gradient; ids and offsets never do. Empty: the op has no gradient. */
  readonly into: readonly InputName<K>[];
  /** Values of the forward pass that `backward` reads. */
  readonly saves: readonly (InputName<K> | Ops[K]["outputs"])[];
  /** The rule, or "none" where `into` is empty, or "pending" while only inference is implemented: the tape refuses it by name. */
  readonly backward: Backward<K> | "none" | "pending";
}

/** Everything about op K that does not depend on a device. */
export interface OpRule<K extends OpName> {
  /** Checks the inputs and says what comes out; throws `RangeError` or `TypeError` naming op, rule and value. */
  outputs(inputs: OpInputs<K, Spec>, params: OpParams<K>): OpOutputs<K, Spec>;
  /** The gradient. */
  readonly gradient: Gradient<K>;
}
