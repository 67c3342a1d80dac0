/** Sums of gradients during a backward pass. */
import { run, update } from "./run.ts";
import { release, retain, takeOver, type Tensor } from "./tensor.ts";

/** Gradients under way: the sum of the contributions to each tensor. */
export class GradientSums {
  readonly #sums = new Map<Tensor, Tensor>();
  /** Sums that nothing else uses, so that more can be added in place. */
  readonly #own = new Set<Tensor>();

  /** Adds a gradient, which stays whoever's it is. */
  add(tensor: Tensor, gradient: Tensor): void {
    const before = this.#sums.get(tensor);
    if (before === undefined) {
      retain(gradient);
      this.#sums.set(tensor, gradient);
    } else if (this.#own.has(before)) {
      update("accumulate", { x: gradient }, { sum: before }, { keep: 1, scale: 1 });
    } else {
      const sum = run("scale_add", { x: before, z: gradient }, { alpha: 1, beta: 1 }).y;
      retain(sum);
      release(before);
      this.#own.add(sum);
      this.#sums.set(tensor, sum);
    }
  }

  /** Hands a sum out; the caller releases it. */
  take(tensor: Tensor): Tensor | undefined {
    const sum = this.#sums.get(tensor);
    if (sum === undefined) return undefined;
    this.#sums.delete(tensor);
    this.#own.delete(sum); // from now on others may use it
    return sum;
  }

  /** Adds the sum of a leaf to its entry, or makes it the entry. */
  moveInto(into: Map<Tensor, Tensor>, leaf: Tensor): void {
    const sum = this.take(leaf);
    if (sum === undefined) return;
    const entry = into.get(leaf);
    const owned = entry === undefined ? takeOver(sum) : undefined;
    if (owned !== undefined) {
      into.set(leaf, owned);
      return;
    }
    if (entry === undefined) {
      into.set(leaf, run("scale_add", { x: sum }, { alpha: 1, beta: 0 }).y);
    } else {
      update("accumulate", { x: sum }, { sum: entry }, { keep: 1, scale: 1 });
    }
    release(sum);
  }

  /** Drops all sums. */
  [Symbol.dispose](): void {
    for (const sum of this.#sums.values()) release(sum);
    this.#sums.clear();
  }
}
