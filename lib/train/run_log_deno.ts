/** What a run tells, kept in its folder: `metrics.jsonl`, and an event file for TensorBoard. */
import { writeWhole } from "../../data/mod.ts";
import type { FitEpoch, FitEvent, FitStart, FitStep } from "./fit_options.ts";
import { type TensorboardEvent, tensorboardRecord } from "./tensorboard.ts";

/**
 * Writes the events of a run as they happen. `metrics.jsonl` has a JSON object with its time for the start, each step, each epoch and the
 * end; the event file has the numbers of steps and epochs. A run that was stopped and taken up again leaves the lines of one that was not,
 * but for times; so states that were saved are no lines.
 *
 * @example
 * ```ts
 * import { RunLog } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * const log = new RunLog(folder);
 * const start = { trainCells: 9, validationCells: 1, trainableNumbers: 5, totalSteps: 3, doneSteps: 0 };
 * await log.add({ kind: "start", ...start }); // in a loop over fit(): log.add(event)
 * const [line] = (await Deno.readTextFile(`${folder}/metrics.jsonl`)).split("\n");
 * assert.equal(JSON.parse(line!).totalSteps, 3);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class RunLog {
  readonly #folder: string;
  /** The event file; undefined before the start. */
  #events: string | undefined;
  /** Last epoch in the log. */
  #epoch = -1;

  /** Takes the path of a run's folder, which is made at the start of the run. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Logs an event of `fit`.
   *
   * @throws {RangeError} When the first event is not the start
   */
  async add(event: FitEvent): Promise<void> {
    if (event.kind === "start") return await this.#begin(event);
    if (this.#events === undefined) {
      throw new RangeError(
        `Cannot log a run as its first event must be the start: got ${event.kind}`,
      );
    }
    if (event.kind === "checkpoint" || this.#isThere(event)) return;
    if (event.kind === "epoch") this.#epoch = event.epoch;
    const now = Date.now();
    await Deno.writeTextFile(this.#metrics, line(event, now), { append: true });
    if (event.kind !== "end") {
      const scalars = event.kind === "step" ? stepScalars(event) : epochScalars(event);
      await this.#record({ wallTime: now / 1000, step: event.step, scalars });
    }
  }

  get #metrics(): string {
    return `${this.#folder}/metrics.jsonl`;
  }

  /** An epoch may be passed again: where the state was saved at its last step, and the run was killed after it. */
  #isThere(event: FitEvent): boolean {
    return event.kind === "epoch" && event.epoch <= this.#epoch;
  }

  async #begin({ doneSteps, ...start }: FitStart): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true });
    const now = Date.now();
    const kept = doneSteps === 0 ? [] : keptLines(await readIfThere(this.#metrics), doneSteps);
    this.#epoch = kept.reduce((last, { epoch }) => Math.max(last, epoch), -1);
    const text = line(start, now) + kept.map(({ text }) => `${text}\n`).join("");
    await writeWhole(this.#metrics, (path) => Deno.writeTextFile(path, text), { force: true });
    this.#events = `${this.#folder}/events.out.tfevents.${now}.scgpt`;
    await this.#record({ wallTime: now / 1000, first: true });
    await this.#record({ wallTime: now / 1000, step: doneSteps + 1, restart: true });
  }

  async #record(event: TensorboardEvent): Promise<void> {
    await Deno.writeFile(this.#events!, tensorboardRecord(event), { append: true });
  }
}

function line(event: object, time: number): string {
  return `${JSON.stringify({ time: new Date(time).toISOString(), ...event })}\n`;
}

interface KeptLine {
  readonly text: string;
  /** The epoch, where it is the line of one; else -1. */
  readonly epoch: number;
}

/** Lines of steps and epochs that a state has behind it; what comes later is done again. */
function keptLines(text: string, doneSteps: number): KeptLine[] {
  return text.split("\n").flatMap((text) => {
    const { kind, step, epoch } = parse(text);
    const isOurs = kind === "step" || kind === "epoch";
    if (!isOurs || !(Number(step) <= doneSteps)) return [];
    return [{ text, epoch: kind === "epoch" ? Number(epoch) : -1 }];
  });
}

/** A killed process may leave half a line. */
function parse(text: string): { kind?: unknown; step?: unknown; epoch?: unknown } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "";
    throw cause;
  }
}

function stepScalars(event: FitStep): Record<string, number> {
  const { loss, losses, lr, gradientNorm, cells, seconds } = event;
  const figures = { loss, ...losses, lr, gradient_norm: gradientNorm };
  return under("step", { ...figures, cells_per_second: cells / seconds });
}

function epochScalars({ train, validation, measured }: FitEpoch): Record<string, number> {
  return {
    ...under("train", train),
    ...under("validation", validation ?? {}),
    ...under("measured", measured),
  };
}

function under(group: string, figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${group}/${name}`, value]),
  );
}
