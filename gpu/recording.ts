/** What a tape has recorded, and the way back through it. */
import { GradientSums } from "./gradient_sums.ts";
import type { OpInputs, OpName, OpOutputs, OpParams } from "./ops.ts";
import type { BackwardContext, Gradient, InputName } from "./rule.ts";
import { RULES } from "./rules.ts";
import { run, update } from "./run.ts";
import { type Recorder, release, retain, scope, Tensor } from "./tensor.ts";

/** One recorded step: what it made, what it keeps, and how gradients of what it made become gradients of what it took. */
export interface Step {
  readonly outputs: readonly Tensor[];
  readonly saved: readonly Tensor[];
  /** [tensor, its gradient] for each input that the loss depends on; gradients of outputs come in the order of `outputs`. */
  backward(gradients: readonly (Tensor | undefined)[]): readonly (readonly [Tensor, Tensor])[];
}

/** Listens to the ops of a device and keeps what the gradients by `leaves` need. */
export class Recording implements Recorder {
  /** The tensors by which gradients are taken. */
  readonly leaves: ReadonlySet<Tensor>;
  /** Tensors that depend on a leaf; the leaves are among them. */
  #tracked: Set<Tensor>;
  #steps: Step[] = [];

  /** Starts with nothing recorded. */
  constructor(leaves: Iterable<Tensor>) {
    this.leaves = new Set(leaves);
    this.#tracked = new Set(this.leaves);
  }

  /** Whether the loss could depend on a leaf through this tensor. */
  tracks(tensor: Tensor): boolean {
    return this.#tracked.has(tensor);
  }

  /** Records a step that is no op: `backward` turns the gradients of `outputs` into those of the tensors it names. */
  push(step: Step): void {
    step.saved.forEach(retain);
    for (const output of step.outputs) this.#tracked.add(output);
    this.#steps.push(step);
  }

  /** Records an op, if a gradient flows through it to a leaf. */
  ran<K extends OpName>(
    op: K,
    inputs: OpInputs<K, Tensor>,
    outputs: OpOutputs<K, Tensor>,
    params: OpParams<K>,
  ): void {
    const { gradient } = RULES[op];
    if (gradient === "none") return;
    const given = inputs as { readonly [Name in InputName<K>]?: Tensor };
    const wanted = new Set(gradient.into.filter((name) => this.#follows(given[name])));
    if (wanted.size > 0) this.push(opStep({ gradient, inputs, outputs, params, wanted }));
  }

  /** Records a view of a tensor that depends on a leaf. */
  viewed(of: Tensor, view: Tensor, start: number): void {
    if (!this.#follows(of)) return;
    this.push({
      outputs: [view],
      saved: [],
      backward: ([gradient]) => gradient === undefined ? [] : [[of, unview(of, gradient, start)]],
    });
  }

  /** Takes the gradients of `loss` back through all steps, and adds those of the leaves to `into`. */
  backward(loss: Tensor, first: Tensor, into: Map<Tensor, Tensor>): void {
    using sums = new GradientSums();
    sums.add(loss, first);
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        this.#undo(step, sums);
      } finally {
        step.saved.forEach(release);
      }
    }
    for (const leaf of this.leaves) sums.moveInto(into, leaf);
  }

  /** Forgets what was recorded and gives back what was kept for it. */
  clear(): void {
    for (const step of this.#steps) step.saved.forEach(release);
    this.#steps = [];
    this.#tracked = new Set(this.leaves);
  }

  #follows(tensor: Tensor | undefined): tensor is Tensor {
    return tensor !== undefined && this.#tracked.has(tensor);
  }

  #undo(step: Step, sums: GradientSums): void {
    const gradients = step.outputs.map((output) => sums.take(output));
    if (gradients.every((gradient) => gradient === undefined)) return;
    try {
      scope(step.outputs[0]!.device, () => {
        for (const [tensor, gradient] of step.backward(gradients)) sums.add(tensor, gradient);
      });
    } finally {
      for (const gradient of gradients) if (gradient !== undefined) release(gradient);
    }
  }
}

/** An op that ran, and by which inputs its gradient is wanted. */
interface OpCall<K extends OpName> {
  readonly gradient: Gradient<K>;
  readonly inputs: OpInputs<K, Tensor>;
  readonly outputs: OpOutputs<K, Tensor>;
  readonly params: OpParams<K>;
  readonly wanted: ReadonlySet<InputName<K>>;
}

function opStep<K extends OpName>(call: OpCall<K>): Step {
  const { gradient, inputs, outputs, params, wanted } = call;
  type Named = { readonly [name: string]: Tensor | undefined };
  const values: Named = { ...inputs as Named, ...outputs as Named };
  const kept = gradient.saves(params, wanted).flatMap((name) => {
    const tensor = values[name as string];
    return tensor === undefined ? [] : [[name as string, tensor] as const];
  });
  const names = Object.keys(outputs as Named);
  const saved = Object.fromEntries(kept) as BackwardContext<K>["saved"];
  return {
    outputs: Object.values(outputs as { [name: string]: Tensor }),
    saved: kept.map(([, tensor]) => tensor),
    backward(found) {
      const entries = names.flatMap((name, i) => found[i] === undefined ? [] : [[name, found[i]]]);
      const gradients = Object.fromEntries(entries) as BackwardContext<K>["gradients"];
      const given = gradient.backward({ run, params, specs: inputs, saved, gradients, wanted });
      return [...wanted].flatMap((name) => {
        const tensor = (inputs as { [Name in InputName<K>]?: Tensor })[name];
        const result = given[name];
        return tensor === undefined || result === undefined ? [] : [[tensor, result] as const];
      });
    },
  };
}

/** The gradient of a tensor from that of a view of it. */
function unview(of: Tensor, gradient: Tensor, start: number): Tensor {
  if (gradient.size === of.size) return gradient.reshape(of.shape);
  const whole = Tensor.zeros(of.device, of.shape);
  const sum = whole.rows(start, start + (gradient.shape[0] ?? 0));
  update("accumulate", { x: gradient }, { sum }, { keep: 0, scale: 1 });
  return whole;
}
