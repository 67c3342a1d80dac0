/** Reverse-mode differentiation: a tape over the ops of a device. */
import type { Device } from "./device.ts";
import { sameShape } from "./dtype.ts";
import { Recording } from "./recording.ts";
import { run } from "./run.ts";
import { type Recorder, recorderOf, scope, Tensor, withRecorder } from "./tensor.ts";

/**
 * Records the ops that run inside {@linkcode Tape.record} and gives the gradients of a loss by the leaves. Only what gradient rules
 * need stays in memory, until `backward` has passed it or the tape is disposed.
 *
 * @example
 * ```ts
 * import { openWasmDevice, run, Tape, Tensor } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * using w = Tensor.from(device, "f32", [1, 2], Float32Array.of(3, 4));
 * using tape = new Tape(device, [w]);
 * using loss = tape.record(() => run("row_dot", { a: w, b: w }, {}).y); // |w|²
 * const gradients = tape.backward(loss);
 * assert.deepEqual(await gradients.get(w)!.data(), Float32Array.of(6, 8));
 * for (const gradient of gradients.values()) gradient[Symbol.dispose]();
 * ```
 */
export class Tape {
  /** Device whose ops are recorded. */
  readonly device: Device;
  readonly #recording: Recording;

  /** Makes a tape whose gradients are taken by `leaves`: weights, or inputs. */
  constructor(device: Device, leaves: Iterable<Tensor>) {
    this.device = device;
    this.#recording = new Recording(leaves);
  }

  /** Whether a loss could depend on a leaf through this tensor. */
  tracks(tensor: Tensor): boolean {
    return this.#recording.tracks(tensor);
  }

  /** Runs `body` with this tape listening, inside a {@linkcode scope}: all tensors but those returned and those kept are freed. */
  record<R>(body: () => R): R {
    return withRecorder(this.device, this.#recording, () => scope(this.device, body));
  }

  /**
   * Gradients of a loss by the leaves that it depends on. The tape is empty afterwards and can record again.
   *
   * @param loss A tensor that `record` gave; where it has more than one element, the gradient of their sum
   * @param options `into`: gradients that the new ones are added to in place, and which take up those of new leaves;
   *   `scale`: factor of the loss (1 by default); `seed`: in place of it, the gradient of the loss itself, of its shape
   * @returns `into`, or new gradients, by leaf; they belong to the caller
   * @throws {RangeError} When this tape did not record the loss, or it depends on no leaf, or the seed has another shape
   */
  backward(
    loss: Tensor,
    options: { into?: Map<Tensor, Tensor>; scale?: number; seed?: Tensor } = {},
  ): Map<Tensor, Tensor> {
    const { into = new Map<Tensor, Tensor>(), scale = 1, seed } = options;
    if (!this.tracks(loss)) {
      throw new RangeError(
        `Cannot take gradients of a tensor [${loss.shape}] as this tape did not see it depend on a leaf`,
      );
    }
    if (seed !== undefined && !sameShape(seed.shape, loss.shape)) {
      throw new RangeError(
        `Cannot take gradients as the seed must have the loss's shape [${loss.shape}]: got [${seed.shape}]`,
      );
    }
    withRecorder(this.device, undefined, () => {
      const ones = () => new Float32Array(loss.size).fill(scale);
      const first = seed ?? Tensor.from(this.device, "f32", loss.shape, ones());
      try {
        this.#recording.backward(loss, first, into);
      } finally {
        if (seed === undefined) first[Symbol.dispose]();
      }
    });
    this[Symbol.dispose]();
    return into;
  }

  /** Forgets what was recorded and gives back what was kept for it. */
  [Symbol.dispose](): void {
    this.#recording.clear();
  }
}

/**
 * Runs `body` without keeping what its gradient needs and runs it again during `backward`: memory for time. `body` must give the
 * same numbers again, and read tensors that change in between neither directly nor through a closure.
 *
 * @example
 * ```ts
 * import { checkpoint, openWasmDevice, run, Tape, Tensor } from "@scgpt/sdk/gpu";
 * import assert from "node:assert/strict";
 *
 * await using device = await openWasmDevice({ threads: 1 });
 * using x = Tensor.from(device, "f32", [1, 2], Float32Array.of(3, 4));
 * using tape = new Tape(device, [x]);
 * using loss = tape.record(() => checkpoint([x], () => run("binary", { a: x, b: x }, { fn: "mul" }).y));
 * using gradient = tape.backward(loss).get(x)!;
 * assert.deepEqual(await gradient.data(), Float32Array.of(6, 8));
 * ```
 *
 * @param inputs Tensors that depend on leaves and that `body` reads; leaves themselves need not be named
 * @param body Gives one tensor
 * @returns What `body` gives
 * @throws {RangeError} When `body` reads a tensor that depends on a leaf and is not among `inputs`: its gradient would be lost
 */
export function checkpoint(inputs: readonly [Tensor, ...Tensor[]], body: () => Tensor): Tensor {
  const [{ device }] = inputs;
  const recording = recorderOf(device);
  if (!(recording instanceof Recording)) return body();
  const leaves = new Set([...recording.leaves, ...inputs.filter((x) => recording.tracks(x))]);
  const output = withRecorder(device, watcher(recording, leaves), () => scope(device, body));
  recording.push({
    outputs: [output],
    saved: inputs,
    backward([seed]) {
      if (seed === undefined) return [];
      using again = new Tape(device, leaves);
      const made = again.record(body);
      return again.tracks(made) ? [...again.backward(made, { seed })] : [];
    },
  });
  return output;
}

/** Refuses tensors through which a gradient would flow past `leaves`. */
function watcher(recording: Recording, leaves: ReadonlySet<Tensor>): Recorder {
  const check = (tensor: Tensor | undefined) => {
    if (tensor === undefined || !recording.tracks(tensor) || leaves.has(tensor)) return;
    throw new RangeError(
      `Cannot checkpoint as the body reads a tensor [${tensor.shape}] that is not among the inputs`,
    );
  };
  return {
    ran: (_, inputs) => Object.values<Tensor | undefined>(inputs).forEach(check),
    viewed: check,
  };
}

/** The same numbers, with gradients stopped here. */
export function detach(x: Tensor): Tensor {
  return withRecorder(x.device, undefined, () => x.reshape(x.shape));
}

/** The same numbers, with the gradient multiplied by `factor`; -1 is the gradient reversal of domain-adversarial training. */
export function scaleGradient(x: Tensor, factor: number): Tensor {
  const view = detach(x);
  const recording = recorderOf(x.device);
  if (recording instanceof Recording && recording.tracks(x)) {
    recording.push({
      outputs: [view],
      saved: [],
      backward: ([gradient]) =>
        gradient === undefined
          ? []
          : [[x, run("scale_add", { x: gradient }, { alpha: factor, beta: 0 }).y]],
    });
  }
  return view;
}
