/** Small runs that use all that a training can: masks, dropout, norms for batches, adapters, schedules. */
import { cellKey } from "../../../lib/input/draws.ts";
import { GeneVocab } from "../../../lib/input/vocab.ts";
import { parseConfig } from "../../../lib/config.ts";
import { freshModel } from "../../../lib/model/fresh_model.ts";
import type { ScGPT } from "../../../lib/model/scgpt.ts";
import type { TrainingCells } from "../../../lib/train/cells.ts";
import { fit } from "../../../lib/train/fit.ts";
import type { FitEvent, FitOptions } from "../../../lib/train/fit_options.ts";
import { cls, dar, ecs } from "../../../lib/train/objectives/cells.ts";
import { cellPrompt, gep, gepc } from "../../../lib/train/objectives/expression.ts";
import { type Device, openWasmDevice, philox } from "../../../gpu/mod.ts";

const GENES = 12;
const VOCAB = GeneVocab.fromNames(Array.from({ length: GENES }, (_, i) => `G${i}`));

/** Cells of two classes and two batches with 6 to 12 genes; class 1 has the higher values. */
export function smallCells(nCells = 26): TrainingCells {
  const genesOf = (cell: number) => 6 + philox([cell, 0, 0, 0], [1, 2])[0] % (GENES - 5);
  return {
    nCells,
    keys: Array.from({ length: nCells }, (_, i) => cellKey(`cell${i}`)),
    classes: Uint32Array.from({ length: nCells }, (_, i) => i % 2),
    batchLabels: Uint32Array.from({ length: nCells }, (_, i) => i % 3 === 0 ? 1 : 0),
    tokens: (rows) => {
      const offsets = new Uint32Array(rows.length + 1);
      rows.forEach((cell, i) => offsets[i + 1] = offsets[i]! + 1 + genesOf(cell));
      const ids: number[] = [], values: number[] = [];
      for (const cell of rows) {
        ids.push(VOCAB.require("<cls>"), ...Array.from({ length: genesOf(cell) }, (_, g) => g));
        values.push(0, ...Array.from({ length: genesOf(cell) }, (_, g) => valueOf(cell, g)));
      }
      return {
        cells: Uint32Array.from(rows),
        ids: Uint32Array.from(ids),
        values: Float32Array.from(values),
        offsets,
      };
    },
  };
}

function valueOf(cell: number, gene: number): number {
  const noise = philox([cell, gene, 1, 0], [3, 4])[0] % 6;
  return 1 + noise + (cell % 2) * 20;
}

const FULL = {
  objectives: [gep(), gepc(), cls(), ecs({ beta: 0.6, weight: 10 }), dar()],
  prompt: { kind: "mask", ratio: 0.4 },
  schedule: { kind: "step-decay", gamma: 0.8 },
} as const satisfies FitOptions;

/** Recipes by name. All have 3 epochs. */
export const RECIPES = {
  full: FULL,
  lora: { ...FULL, trainable: "lora", lora: { rank: 2, alpha: 4 } },
  generative: {
    objectives: [gep(), gepc(), cellPrompt({ afterStep: 4 })],
    prompt: { kind: "generative", ratios: [0.3, 0.6] },
    schedule: { kind: "cosine", warmup: 0.2 },
    optimizer: { kind: "adamw", weightDecay: 0.01 },
    microBatch: 3,
  },
} as const satisfies Record<string, FitOptions>;

/** Name of a recipe. */
export type RecipeName = keyof typeof RECIPES;

/** What all runs have in common. */
export const RUN = { epochs: 3, batchSize: 6, lr: 3e-3, seed: 5 } as const;

/** A fresh model for a recipe. */
export function smallModel(device: Device, recipe: RecipeName | "annotate"): Promise<ScGPT> {
  const size = { embsize: 16, nheads: 2, dHid: 16, nlayers: 2, dropout: 0.2 };
  const full = { nCls: 2, dar: true, nBatch: 2, domainSpecBatchnorm: "dsbn" } as const;
  const knobs = recipe === "annotate"
    ? { nCls: 2, mvc: false }
    : recipe === "generative"
    ? { mvc: true }
    : { ...full, mvc: true, useBatchLabels: true };
  const generative = recipe === "generative";
  const config = parseConfig({ ...size, generative }, knobs);
  return freshModel(device, { config, vocab: VOCAB, seed: 3 });
}

/** What a run left. */
export interface Outcome {
  readonly events: readonly FitEvent[];
  /** Bits of all weights and adapters by name. */
  readonly weights: ReadonlyMap<string, Uint32Array>;
  /** What was thrown, if something was. */
  readonly error: unknown;
}

/** Runs a recipe on a device and a model of its own; `stopAt` aborts after that step. */
export async function runSmall(
  recipe: RecipeName,
  change: Partial<FitOptions> & { readonly stopAt?: number; readonly threads?: number } = {},
): Promise<Outcome> {
  const { stopAt, threads = 1, ...options } = change;
  await using device = await openWasmDevice({ threads });
  using model = await smallModel(device, recipe);
  const controller = new AbortController();
  const events: FitEvent[] = [];
  let error: unknown;
  try {
    const { signal } = controller;
    const all = { ...RUN, ...RECIPES[recipe], signal, ...options };
    for await (const event of fit(model, smallCells(), all)) {
      events.push(event);
      if (event.kind === "step" && event.step === stopAt) controller.abort(new Error("stopped"));
    }
  } catch (cause) {
    error = cause;
  }
  return { events, weights: await bitsOfModel(model), error };
}

/** Bits of all weights and adapters by name. */
export async function bitsOfModel(model: ScGPT): Promise<ReadonlyMap<string, Uint32Array>> {
  const bits = new Map<string, Uint32Array>();
  for (const [name, tensor] of [...model.parameters, ...model.adapters?.weights ?? []]) {
    bits.set(name, new Uint32Array((await tensor.data()).buffer));
  }
  return bits;
}

/** Events without what differs from run to run: times and places, and the states that were saved. */
export function timeless(events: readonly FitEvent[]): unknown[] {
  return events.filter(({ kind }) => kind !== "checkpoint").map((event) => {
    if (event.kind === "start") return { ...event, doneSteps: 0 };
    return event.kind === "step" ? { ...event, seconds: 0 } : event;
  });
}
