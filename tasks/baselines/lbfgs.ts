/** Minimisation of smooth convex functions. */
import { turns } from "../analysis/turns.ts";

/** Value and gradient of a function at a point. */
export interface Evaluation {
  /** f(x). */
  readonly value: number;
  /** ∇f(x). */
  readonly gradient: Float64Array;
}

/** Settings of {@linkcode minimize}. */
export interface MinimizeOptions {
  /** Stops when no element of the gradient is larger. */
  readonly tolerance: number;
  /** Stops after so many steps. */
  readonly maxSteps: number;
  /** Stops the search between two evaluations. */
  readonly signal?: AbortSignal | undefined;
}

/** Where the search ended. */
export interface Minimum {
  /** Point. */
  readonly x: Float64Array;
  /** f(x). */
  readonly value: number;
  /** Steps taken. */
  readonly steps: number;
  /** Whether the gradient is within the tolerance. */
  readonly converged: boolean;
}

/** Pairs of steps and gradient changes that stand for the Hessian. */
const HISTORY = 10;

/** One remembered step. */
interface Pair {
  readonly step: Float64Array; // s
  readonly change: Float64Array; // y: change of the gradient
  readonly curvature: number; // sᵀy
}

/**
 * Limited-memory BFGS in float64 with backtracking line search.
 *
 * Reference: Nocedal and Wright, Numerical Optimization, algorithms 3.1, 7.4 and 7.5.
 *
 * @param evaluate Value and gradient; convex
 * @param from Starting point; left as it is
 * @param options When to stop
 * @returns Minimum
 * @throws The signal's reason
 */
export async function minimize(
  evaluate: (x: Float64Array) => Evaluation,
  from: Float64Array,
  { tolerance, maxSteps, signal }: MinimizeOptions,
): Promise<Minimum> {
  const turn = turns(signal);
  const evaluateInTurn = async (at: Float64Array): Promise<Evaluation> => {
    await turn();
    return evaluate(at);
  };
  let x = from;
  let { value, gradient } = await evaluateInTurn(x);
  const pairs: Pair[] = [];
  for (let steps = 0;; steps++) {
    const converged = gradient.every((slope) => Math.abs(slope) <= tolerance);
    if (converged || steps === maxSteps) return { x, value, steps, converged };
    const direction = descent(gradient, pairs);
    const length = pairs.length > 0 ? 1 : 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)));
    const found = await lineSearch(evaluateInTurn, { x, value, gradient, direction, length });
    if (found === undefined) return { x, value, steps, converged: false }; // at the limit of float64
    remember(pairs, difference(found.x, x), difference(found.gradient, gradient));
    ({ x, value, gradient } = found);
  }
}

/** -H ∇f by the two-loop recursion over the pairs, oldest first. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((slope) => -slope);
  const along: number[] = [];
  for (const { step, change, curvature } of pairs.toReversed()) {
    const weight = dot(step, direction) / curvature;
    along.push(weight);
    addScaled(direction, change, -weight);
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = last.curvature / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (const { step, change, curvature } of pairs) {
    addScaled(direction, step, along.pop()! - dot(change, direction) / curvature);
  }
  return direction;
}

/** Halves the step until the value falls by 1e-4 of what the slope promises; undefined when it never does. */
async function lineSearch(
  evaluate: (x: Float64Array) => Promise<Evaluation>,
  at: Evaluation & { x: Float64Array; direction: Float64Array; length: number },
): Promise<(Evaluation & { x: Float64Array }) | undefined> {
  const slope = dot(at.gradient, at.direction);
  for (let halving = 0; halving < 40; halving++) {
    const length = at.length * 0.5 ** halving;
    const x = at.x.map((value, i) => value + length * at.direction[i]!);
    const found = await evaluate(x);
    if (found.value <= at.value + 1e-4 * length * slope) return { ...found, x };
  }
  return undefined;
}

function remember(pairs: Pair[], step: Float64Array, change: Float64Array): void {
  const curvature = dot(step, change);
  if (curvature <= 1e-12 * dot(change, change)) return; // flat: says nothing about the Hessian
  pairs.push({ step, change, curvature });
  if (pairs.length > HISTORY) pairs.shift();
}

function addScaled(target: Float64Array, source: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
