/** Adam and AdamW over the weights that learn. */
import { type Device, Tensor, update } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../options.ts";

/** Settings of {@linkcode Adam}; names are torch.optim's. */
export interface AdamOptions {
  /** "adam" (default; weight decay as an L2 penalty) or "adamw" (decoupled). */
  readonly kind?: "adam" | "adamw";
  /** Decay of the running means of gradient and squared gradient; [0.9, 0.999] by default. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the squares; 1e-8 by default (the published recipes have 1e-4 with mixed precision). */
  readonly eps?: number;
  /** 0 by default. */
  readonly weightDecay?: number;
  /** Norm that all gradients together may have; longer ones are shortened. 1 by default; Infinity: never. */
  readonly maxNorm?: number;
}

/** What the optimiser remembers of one weight. */
export interface AdamSlot {
  /** Running mean of the gradient (`exp_avg`), shaped as the weight. */
  readonly m: Tensor;
  /** Running mean of its square (`exp_avg_sq`). */
  readonly v: Tensor;
  /** Steps made. */
  step: number;
}

/**
 * Adam as in torch.optim, fused on the device; weights without a gradient stay, and so do their slots. Own it with `using`.
 *
 * @example
 * ```ts
 * import { openWasmDevice, Tensor } from "@scgpt/sdk/gpu";
 * import { Adam } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * using weight = Tensor.from(device, "f32", [1], Float32Array.of(1));
 * using gradient = Tensor.from(device, "f32", [1], Float32Array.of(0.5));
 * using adam = new Adam(device);
 * using squares = adam.step(new Map([["w", weight]]), new Map([[weight, gradient]]), 0.1);
 * assert.equal((await squares.data())[0], 0.25); // |gradient|²
 * assert.ok(Math.abs((await weight.data())[0]! - 0.9) < 1e-6);
 * ```
 */
export class Adam {
  readonly #device: Device;
  readonly #options: Required<AdamOptions>;
  readonly #slots = new Map<string, AdamSlot>();

  /**
   * Makes an optimiser that has seen nothing.
   *
   * @throws {TypeError} For an unknown option
   * @throws {RangeError} For another kind
   */
  constructor(device: Device, options: AdamOptions = {}) {
    const known = ["kind", "betas", "eps", "weightDecay", "maxNorm"];
    refuseUnknownKeys(options, known, "make an optimiser");
    const { kind = "adam" } = options;
    if (kind !== "adam" && kind !== "adamw") {
      throw new RangeError(
        `Cannot make an optimiser as kind must be "adam" or "adamw": got "${kind}"`,
      );
    }
    this.#device = device;
    this.#options = {
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      maxNorm: 1,
      ...options,
      kind,
    };
  }

  /** What is remembered, by the weight's name. */
  get slots(): ReadonlyMap<string, AdamSlot> {
    return this.#slots;
  }

  /**
   * Changes the weights in place.
   *
   * @param trainable Weights by name
   * @param gradients Their gradients; a weight without one stays as it is
   * @param lr Learning rate
   * @returns Squared norm of all gradients before clipping, [1]; the caller's
   */
  step(
    trainable: ReadonlyMap<string, Tensor>,
    gradients: ReadonlyMap<Tensor, Tensor>,
    lr: number,
  ): Tensor {
    const { kind, betas: [beta1, beta2], eps, weightDecay, maxNorm } = this.#options;
    const squares = Tensor.zeros(this.#device, [1]);
    const found = [...trainable].flatMap(([name, weight]) => {
      const gradient = gradients.get(weight);
      return gradient === undefined ? [] : [{ name, weight, gradient }];
    });
    for (const { gradient: x } of found) update("accumulate_squares", { x }, { sum: squares }, {});
    for (const { name, weight, gradient } of found) {
      const slot = this.#slotOf(name, weight);
      const step = ++slot.step;
      const decoupled = kind === "adamw";
      const params = { lr, beta1, beta2, eps, weightDecay, decoupled, step, maxNorm };
      update("adam", { gradient, squares }, { weight, m: slot.m, v: slot.v }, params);
    }
    return squares;
  }

  /** Puts back what a checkpoint remembered; the tensors become the optimiser's. */
  restore(name: string, slot: AdamSlot): void {
    const before = this.#slots.get(name);
    before?.m[Symbol.dispose]();
    before?.v[Symbol.dispose]();
    this.#slots.set(name, slot);
  }

  /** Frees all slots. */
  [Symbol.dispose](): void {
    for (const { m, v } of this.#slots.values()) {
      m[Symbol.dispose]();
      v[Symbol.dispose]();
    }
    this.#slots.clear();
  }

  #slotOf(name: string, { shape }: Tensor): AdamSlot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const zeros = () => Tensor.zeros(this.#device, shape);
    const slot = { m: zeros(), v: zeros(), step: 0 };
    this.#slots.set(name, slot);
    return slot;
  }
}
