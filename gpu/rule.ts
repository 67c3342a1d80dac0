/** What an op must state besides its kernels: the shapes it takes and gives, and its gradient. */
import type { Dtype, Shape } from "./dtype.ts";
import type { OpInputs, OpName, OpOutputs, OpParams, Ops, UpdateName } from "./ops.ts";
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

/** Names of the outputs of K. */
export type OutputName<K extends OpName> = Ops[K]["outputs"];

/** Enqueues an operation and returns its outputs: the type of `run` in run.ts, which the rules are given as they cannot import it. */
export type Run = <K extends Exclude<OpName, UpdateName>>(
  op: K,
  inputs: OpInputs<K, Tensor>,
  params: OpParams<K>,
) => OpOutputs<K, Tensor>;

/** What a gradient rule is given. */
export interface BackwardContext<K extends OpName> {
  /** Enqueues an operation. */
  readonly run: Run;
  /** Parameters of the forward call. */
  readonly params: OpParams<K>;
  /** Shapes of the forward call's inputs. */
  readonly specs: OpInputs<K, Spec>;
  /** Inputs and outputs of the forward call that `saves` named, where they were given. */
  readonly saved: { readonly [Name in InputName<K> | OutputName<K>]?: Tensor };
  /** Gradients of the outputs that have one. */
  readonly gradients: { readonly [Name in OutputName<K>]?: Tensor };
  /** Inputs whose gradient is of use; others may be left out. */
  readonly wanted: ReadonlySet<InputName<K>>;
}

/** The gradient's place in the contract: where gradients flow, what forward must keep for it, and the rule. */
export interface Gradient<K extends OpName> {
  /** Inputs that can receive a gradient; ids and offsets never do. */
  readonly into: readonly InputName<K>[];
  /** Values of the forward pass that `backward` reads; only these stay in memory. */
  saves(
    params: OpParams<K>,
    wanted: ReadonlySet<InputName<K>>,
  ): readonly (InputName<K> | OutputName<K>)[];
  /** Gradients of the wanted inputs; may return one tensor for several inputs, or an output's gradient itself. */
  backward(context: BackwardContext<K>): { readonly [Name in InputName<K>]?: Tensor };
}

/** Everything about op K that does not depend on a device. */
export interface OpRule<K extends OpName> {
  /** Checks the inputs and says what comes out; throws `RangeError` or `TypeError` naming op, rule and value. */
  outputs(inputs: OpInputs<K, Spec>, params: OpParams<K>): OpOutputs<K, Spec>;
  /** The gradient, or "none" where nothing flows: choices, gradients themselves, and ops in place. */
  readonly gradient: Gradient<K> | "none";
}

/** What a gradient rule saved or was given; its absence is a mistake of the engine. */
export function given(tensor: Tensor | undefined, name: string): Tensor {
  if (tensor === undefined) throw new ReferenceError(`Cannot find ${name} for a gradient`);
  return tensor;
}
