/** The training loop. */
import type { Tensor } from "../../gpu/mod.ts";
import { eventTurn } from "../event_turn.ts";
import type { ScGPT } from "../model/scgpt.ts";
import type { TrainingCells } from "./cells.ts";
import { TrainingError } from "./errors.ts";
import { type FitEvent, type FitOptions, type FitSettings, fitSettings } from "./fit_options.ts";
import { batchGradients } from "./gradients.ts";
import { type StepTotals, type TrainingBatch, weightAt } from "./objective.ts";
import { Adam } from "./optimizer.ts";
import { epochBatches } from "./order.ts";
import { promptBatch } from "./prompt.ts";
import { recipeDifferences, recipeOf } from "./recipe.ts";
import { learningRate } from "./schedule.ts";
import {
  type CheckpointStore,
  type FitState,
  MemoryStore,
  restore,
  snapshotOf,
} from "./snapshot.ts";
import { trainableParameters } from "./trainable.ts";
import { validate } from "./validate.ts";

/**
 * Trains a model on cells; the model's weights change in place. The loop yields what happens; leaving it early leaves the weights of
 * the last step. A run that is stopped and taken up again (`resume`) ends with the same bits as one that was not, and so do runs with
 * other numbers of threads.
 *
 * @example
 * ```ts
 * import { openWasmDevice } from "@scgpt/sdk/gpu";
 * import { fit, freshModel, gep, GeneVocab, parseConfig, type TrainingCells } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const vocab = GeneVocab.fromNames(["ACTB", "CD3D", "LYZ"]);
 * const config = parseConfig("mini", { nlayers: 1, dropout: 0 });
 * await using device = await openWasmDevice({ threads: 1 });
 * using model = await freshModel(device, { config, vocab, seed: 1 });
 * const cls = vocab.require("<cls>");
 * const cells: TrainingCells = {
 *   nCells: 20,
 *   keys: Array.from({ length: 20 }, (_, i) => [i, 0]),
 *   tokens: (rows) => ({
 *     cells: Uint32Array.from(rows),
 *     ids: Uint32Array.from({ length: 4 * rows.length }, (_, t) => [cls, 0, 1, 2][t % 4]!),
 *     values: Float32Array.from({ length: 4 * rows.length }, (_, t) => [0, 10, 20, 30][t % 4]!),
 *     offsets: Uint32Array.from({ length: rows.length + 1 }, (_, i) => 4 * i),
 *   }),
 * };
 * const losses: number[] = [];
 * const prompt = { kind: "mask", ratio: 0.4, keepFirst: 1 } as const;
 * const recipe = { objectives: [gep()], prompt, epochs: 3, batchSize: 2, lr: 0.01 };
 * for await (const event of fit(model, cells, recipe)) {
 *   if (event.kind === "epoch") losses.push(event.train.gep!);
 * }
 * assert.ok(losses[2]! < losses[0]!);
 * ```
 *
 * @param model Model to train
 * @param cells Cells as tokens
 * @param options Objectives and recipe
 * @returns Events as they happen
 * @throws {TypeError} For an unknown option
 * @throws {RangeError} For a value out of range, objectives that model or cells cannot serve, or a saved state of another run
 * @throws {TrainingError} When a loss is no number
 */
export async function* fit(
  model: ScGPT,
  cells: TrainingCells,
  options: FitOptions,
): AsyncGenerator<FitEvent, void, undefined> {
  const run = new Run(model, cells, fitSettings(model, cells, options));
  try {
    yield* run.events();
  } finally {
    run[Symbol.dispose]();
    await model.refresh();
  }
}

/** One run under way. */
class Run {
  readonly #model: ScGPT;
  readonly #cells: TrainingCells;
  readonly #settings: FitSettings;
  readonly #adam: Adam;
  readonly #store: CheckpointStore;
  readonly #trainable: ReadonlyMap<string, Tensor>;
  #lastStep = 0;
  readonly #byDomain: boolean;
  #state: FitState;
  #saved: string | undefined;

  constructor(model: ScGPT, cells: TrainingCells, settings: FitSettings) {
    this.#model = model;
    this.#cells = cells;
    this.#settings = settings;
    if (settings.trainable === "lora" && model.adapters === undefined) model.adapt(settings.lora);
    this.#trainable = trainableParameters(model, settings.trainable);
    this.#adam = new Adam(model.device, settings.optimizer);
    this.#store = settings.store ?? new MemoryStore();
    this.#byDomain = model.config.domainSpecBatchnorm === "dsbn";
    const recipe = recipeOf(settings, cells, model);
    this.#state = { step: 0, epoch: 0, batch: 0, sums: {}, best: undefined, stale: 0, recipe };
  }

  async *events(): AsyncGenerator<FitEvent, void, undefined> {
    const { epochs, split, resume } = this.#settings;
    if (resume) await this.#takeUp();
    const perEpoch = this.#batches(0).length;
    this.#lastStep = perEpoch * epochs;
    let trainableNumbers = 0;
    for (const { size } of this.#trainable.values()) trainableNumbers += size;
    yield {
      kind: "start",
      trainCells: split.train.length,
      validationCells: split.validation.length,
      trainableNumbers,
      totalSteps: this.#lastStep,
      doneSteps: this.#state.step,
    };
    while (this.#state.epoch < epochs && !this.#exhausted()) {
      yield* this.#epoch(this.#lastStep);
    }
    yield await this.#end();
  }

  [Symbol.dispose](): void {
    this.#adam[Symbol.dispose]();
  }

  #batches(epoch: number): Uint32Array<ArrayBuffer>[] {
    const { split, batchSize, seed } = this.#settings;
    const domains = this.#byDomain ? this.#cells.batchLabels : undefined;
    return epochBatches(split.train, { batchSize, seed, epoch, domains });
  }

  async *#epoch(totalSteps: number): AsyncGenerator<FitEvent, void, undefined> {
    const { epoch } = this.#state;
    const { saveEvery, signal } = this.#settings;
    const batches = this.#batches(epoch);
    while (this.#state.batch < batches.length) {
      await eventTurn();
      if (signal?.aborted) {
        yield* this.#save(batches[this.#state.batch - 1]);
        signal.throwIfAborted();
      }
      const rows = batches[this.#state.batch]!;
      yield await this.#step(rows, totalSteps);
      if (saveEvery !== undefined && this.#state.step % saveEvery === 0) {
        yield* this.#save(rows);
      }
    }
    yield await this.#closeEpoch(batches.at(-1));
    yield* this.#save();
  }

  async #step(rows: Uint32Array, totalSteps: number): Promise<FitEvent> {
    const started = performance.now();
    const { epoch } = this.#state;
    const step = this.#state.step + 1;
    const { lr: base, schedule } = this.#settings;
    const lr = learningRate(base, schedule, { step, epoch, totalSteps });
    const parts = this.#parts(rows, epoch);
    const { losses, gradients } = await this.#gradients(parts, step);
    let gradientNorm: number;
    try {
      if (!Object.values(losses).every(Number.isFinite)) {
        throw new TrainingError(step, losses, this.#saved);
      }
      using squares = this.#adam.step(this.#trainable, gradients, lr);
      gradientNorm = Math.sqrt((await squares.data())[0]!);
      if (!Number.isFinite(gradientNorm)) {
        throw new TrainingError(step, { ...losses, gradient_norm: gradientNorm }, this.#saved);
      }
    } finally {
      disposeAll(gradients.values());
    }
    this.#advance(step, losses, rows.length);
    return {
      kind: "step",
      step,
      epoch,
      cells: rows.length,
      tokens: parts.reduce((sum, { ids }) => sum + ids.length, 0),
      loss: this.#weighted(losses, step),
      losses,
      lr,
      gradientNorm,
      seconds: (performance.now() - started) / 1000,
    };
  }

  #parts(rows: Uint32Array, epoch: number): TrainingBatch[] {
    const { microBatch, prompt, seed } = this.#settings;
    const draw = { ...this.#model.config, seed, step: epoch };
    const parts: TrainingBatch[] = [];
    for (let at = 0; at < rows.length; at += microBatch) {
      parts.push(promptBatch(this.#cells, rows.subarray(at, at + microBatch), prompt, draw));
    }
    return parts;
  }

  /** Losses of all parts added up, and their gradients. */
  async #gradients(
    parts: readonly TrainingBatch[],
    step: number,
  ): Promise<{ losses: Record<string, number>; gradients: Map<Tensor, Tensor> }> {
    const { objectives, dropout, seed, batchNorm, checkpointLayers: checkpoint } = this.#settings;
    const totals = totalsOf(parts);
    const gradients = new Map<Tensor, Tensor>();
    const found: (readonly [string, Tensor])[] = [];
    const pass = { dropout, seed, batchNorm, checkpoint };
    const common = { objectives, trainable: this.#trainable, totals, step, pass, into: gradients };
    for (const part of parts) {
      const { losses, total } = batchGradients(this.#model, part, common);
      total[Symbol.dispose]();
      found.push(...losses);
    }
    const values = await Promise.all(found.map(([, loss]) => loss.data()));
    disposeAll(found.map(([, loss]) => loss));
    const losses: Record<string, number> = {};
    found.forEach(([name], i) => losses[name] = (losses[name] ?? 0) + values[i]![0]!);
    return { losses, gradients };
  }

  #weighted(losses: Readonly<Record<string, number>>, step: number): number {
    return this.#settings.objectives.reduce(
      (sum, one) => sum + weightAt(one, step) * (losses[one.name] ?? 0),
      0,
    );
  }

  #advance(step: number, losses: Readonly<Record<string, number>>, cells: number): void {
    const sums: Record<string, number> = { ...this.#state.sums };
    const all = { ...losses, loss: this.#weighted(losses, step), cells: 1 };
    for (const [name, value] of Object.entries(all)) sums[name] = (sums[name] ?? 0) + value * cells;
    this.#state = { ...this.#state, step, batch: this.#state.batch + 1, sums };
  }

  /**
   * Losses in evaluation by the weights as they are now, summed as at the end of the run: an objective that begins late counts from the
   * first epoch, else the best epoch would be one before it. Weights that a step has blown up show here, before they take the place of
   * good ones.
   */
  async #evaluate(rows: Uint32Array<ArrayBuffer>): Promise<Record<string, number> | undefined> {
    const settings = { ...this.#settings, split: { ...this.#settings.split, validation: rows } };
    const { step } = this.#state;
    await this.#model.refresh();
    const weighed = Math.max(step, this.#lastStep);
    const losses = await validate(this.#model, this.#cells, settings, weighed);
    if (Object.values(losses ?? {}).every(Number.isFinite)) return losses;
    throw new TrainingError(step, losses!, this.#saved);
  }

  /** Evaluates cells of the last step; without one the weights are those of a state that was saved. */
  async #prove(rows: Uint32Array<ArrayBuffer> = new Uint32Array()): Promise<void> {
    await this.#evaluate(rows.subarray(0, this.#settings.microBatch));
  }

  async #closeEpoch(lastRows: Uint32Array<ArrayBuffer> | undefined): Promise<FitEvent> {
    const { epoch, step, sums: { cells = 1, ...sums }, best } = this.#state;
    const train = Object.fromEntries(
      Object.entries(sums).map(([name, sum]) => [name, sum / cells]),
    );
    const validation = await this.#evaluate(this.#settings.split.validation);
    if (validation === undefined) await this.#prove(lastRows);
    const measured = await this.#settings.measure?.(this.#model, epoch) ?? {};
    const better = validation !== undefined && (best === undefined || validation.loss! < best.loss);
    this.#state = {
      ...this.#state,
      epoch: epoch + 1,
      batch: 0,
      sums: {},
      best: better ? { epoch, loss: validation.loss! } : best,
      stale: better ? 0 : this.#state.stale + 1,
    };
    if (better && this.#settings.keepBest) {
      await this.#store.save("best", snapshotOf(this.#model, undefined, this.#state));
    }
    return { kind: "epoch", epoch, step, train, validation, measured, best: better };
  }

  #exhausted(): boolean {
    const { patience } = this.#settings;
    return patience !== undefined && this.#state.best !== undefined &&
      this.#state.stale >= patience;
  }

  /** Saves the state where there is a place for it, after a look at cells of the last step, if any. */
  async *#save(lastRows?: Uint32Array<ArrayBuffer>): AsyncGenerator<FitEvent, void, undefined> {
    if (this.#settings.store === undefined) return;
    if (lastRows !== undefined) await this.#prove(lastRows);
    await this.#store.save("last", snapshotOf(this.#model, this.#adam, this.#state));
    const place = this.#saved = this.#store.place("last");
    yield { kind: "checkpoint", step: this.#state.step, place };
  }

  async #takeUp(): Promise<void> {
    const snapshot = await this.#store.load("last");
    if (snapshot === undefined) return;
    const differences = recipeDifferences(snapshot.state.recipe, this.#state.recipe);
    if (differences.length > 0) {
      throw new RangeError(
        `Cannot take up the run in ${
          this.#store.place("last")
        } as its recipe must be the saved one: ${differences.join("; ")}`,
      );
    }
    await restore(this.#model, this.#adam, snapshot);
    this.#state = snapshot.state;
    this.#saved = this.#store.place("last");
  }

  async #end(): Promise<FitEvent> {
    const { step, epoch, best } = this.#state;
    const saved = this.#settings.keepBest && best !== undefined
      ? await this.#store.load("best")
      : undefined;
    if (saved !== undefined) await restore(this.#model, undefined, saved);
    const kept = saved === undefined ? epoch - 1 : best!.epoch;
    return { kind: "end", step, epoch: kept, loss: best?.loss, early: this.#exhausted() };
  }
}

function totalsOf(parts: readonly TrainingBatch[]): StepTotals {
  let cells = 0, asked = 0;
  for (const part of parts) {
    cells += part.offsets.length - 1;
    for (const one of part.asked ?? []) asked += one;
  }
  return { cells, asked };
}

function disposeAll(tensors: Iterable<Tensor>): void {
  for (const tensor of tensors) tensor[Symbol.dispose]();
}
