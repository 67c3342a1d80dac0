/** How the learning rate changes. */

/**
 * "constant"; "step-decay": times `gamma` after every epoch (torch's StepLR(1, gamma), the published fine-tuning); "cosine": linear warm-up over
 * `warmup` steps (or that share of all steps, when below 1), then half a cosine down to 0 (the published pretraining).
 */
export type Schedule =
  | { readonly kind: "constant" }
  | { readonly kind: "step-decay"; readonly gamma: number }
  | { readonly kind: "cosine"; readonly warmup: number };

/** Where a run is. */
export interface Place {
  /** Number of the step, from 1. */
  readonly step: number;
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  /** Steps of the whole run. */
  readonly totalSteps: number;
}

/**
 * Learning rate of a step.
 * Reference: torch's `StepLR`, transformers' `get_cosine_schedule_with_warmup`, whose first warm-up step has rate 0.
 *
 * @example
 * ```ts
 * import { learningRate } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const place = { step: 1, epoch: 2, totalSteps: 10 };
 * assert.equal(learningRate(1, { kind: "step-decay", gamma: 0.5 }, place), 0.25);
 * ```
 */
export function learningRate(lr: number, schedule: Schedule, place: Place): number {
  if (schedule.kind === "constant") return lr;
  if (schedule.kind === "step-decay") return lr * schedule.gamma ** place.epoch;
  const { totalSteps } = place;
  const warmup = schedule.warmup < 1 ? Math.round(schedule.warmup * totalSteps) : schedule.warmup;
  const done = place.step - 1;
  if (done < warmup) return lr * done / Math.max(1, warmup);
  const progress = (done - warmup) / Math.max(1, totalSteps - warmup);
  return lr * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/**
 * Checks a schedule.
 *
 * @throws {RangeError} For an unknown kind, or a number out of range
 */
export function checkSchedule(schedule: Schedule): void {
  const fail = (rule: string, got: unknown) => {
    throw new RangeError(`Cannot schedule the learning rate as ${rule}: got ${got}`);
  };
  if (schedule.kind === "constant") return;
  if (schedule.kind === "step-decay") {
    if (!(schedule.gamma > 0 && schedule.gamma <= 1)) {
      fail("gamma must be in (0, 1]", schedule.gamma);
    }
  } else if (schedule.kind === "cosine") {
    if (!(schedule.warmup >= 0)) fail("warmup must be >= 0", schedule.warmup);
  } else fail("kind must be constant, step-decay or cosine", (schedule as { kind: unknown }).kind);
}
