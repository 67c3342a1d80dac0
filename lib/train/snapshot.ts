/** The whole state of a run, to be saved and taken up again: weights, optimiser, and where the data stand. */
import { Tensor } from "../../gpu/mod.ts";
import { readFloat32, type StoredTensor } from "../io/stored_tensor.ts";
import type { ScGPT } from "../model/scgpt.ts";
import type { Adam } from "./optimizer.ts";

/** Where a run stands. Draws need no state: they are functions of seed, step and cell. */
export interface FitState {
  /** Steps done. */
  readonly step: number;
  /** Epoch under way, from 0. */
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  /** Sums of that epoch's losses by objective, each step counted by its cells. */
  readonly sums: Readonly<Record<string, number>>;
  /** Epoch with the lowest validation loss so far. */
  readonly best: { readonly epoch: number; readonly loss: number } | undefined;
  /** Epochs since then. */
  readonly stale: number;
  /** What decides the numbers of the run: a run with another one cannot be taken up. */
  readonly recipe: string;
}

/** A state with its tensors. */
export interface Snapshot {
  /** Where the run stands. */
  readonly state: FitState;
  /** Weights by state-dict name; optimiser slots as `exp_avg.<name>`, `exp_avg_sq.<name>` and `step.<name>`. */
  readonly tensors: readonly StoredTensor[];
}

/** What is kept of a run: the last state, and the best weights. */
export type CheckpointSlot = "last" | "best";

/** Places for snapshots. */
export interface CheckpointStore {
  /** Where a slot lies, for people. */
  place(slot: CheckpointSlot): string;
  /** Keeps a snapshot in place of the one before, whole or not at all. */
  save(slot: CheckpointSlot, snapshot: Snapshot): Promise<void>;
  /** The snapshot of a slot, or undefined where there is none; its tensors must be read before the next save. */
  load(slot: CheckpointSlot): Promise<Snapshot | undefined>;
}

/** Keeps snapshots in memory, for pages and short runs. */
export class MemoryStore implements CheckpointStore {
  readonly #slots = new Map<CheckpointSlot, Snapshot>();

  /** {@inheritDoc CheckpointStore.place} */
  place(slot: CheckpointSlot): string {
    return `memory (${slot})`;
  }

  /** {@inheritDoc CheckpointStore.save} */
  async save(slot: CheckpointSlot, { state, tensors }: Snapshot): Promise<void> {
    const copies = await Promise.all(tensors.map(async (tensor) => {
      const bytes = await tensor.read();
      return { ...tensor, read: () => Promise.resolve(bytes) };
    }));
    this.#slots.set(slot, { state, tensors: copies });
  }

  /** {@inheritDoc CheckpointStore.load} */
  load(slot: CheckpointSlot): Promise<Snapshot | undefined> {
    return Promise.resolve(this.#slots.get(slot));
  }
}

/** The tensors of a run, read from the device one by one as they are saved. */
export function snapshotOf(model: ScGPT, adam: Adam | undefined, state: FitState): Snapshot {
  const tensors = learned(model).map(([name, tensor]) => stored(name, tensor));
  for (const [name, { m, v, step }] of adam?.slots ?? []) {
    tensors.push(stored(`exp_avg.${name}`, m), stored(`exp_avg_sq.${name}`, v));
    const bytes = new Uint8Array(Float32Array.of(step).buffer);
    tensors.push({
      name: `step.${name}`,
      dtype: "F32",
      shape: [1],
      read: () => Promise.resolve(bytes),
    });
  }
  return { state, tensors };
}

/**
 * Writes a snapshot's weights into the model, and the slots into the optimiser.
 *
 * @throws {RangeError} When a weight is missing or of another shape; nothing was changed then
 */
export async function restore(
  model: ScGPT,
  adam: Adam | undefined,
  snapshot: Snapshot,
): Promise<void> {
  const saved = new Map(snapshot.tensors.map((tensor) => [tensor.name, tensor]));
  const weights = learned(model);
  for (const [name, { shape }] of weights) {
    const got = saved.get(name)?.shape;
    if (got?.join() !== shape.join()) {
      throw new RangeError(
        `Cannot take up the run as ${name} must have shape [${shape}]: got ${
          got ? `[${got}]` : "none"
        }`,
      );
    }
  }
  for (const [name, { device, buffer, byteOffset }] of weights) {
    device.write(buffer, byteOffset, await saved.get(name)!.read());
  }
  if (adam !== undefined) await restoreSlots(model, adam, saved);
  await model.refresh();
}

async function restoreSlots(
  { device }: ScGPT,
  adam: Adam,
  saved: ReadonlyMap<string, StoredTensor>,
): Promise<void> {
  const tensor = async (name: string) => {
    const found = saved.get(name)!;
    return Tensor.from(device, "f32", found.shape, await readFloat32(found));
  };
  for (const key of saved.keys()) {
    if (!key.startsWith("step.")) continue;
    const name = key.slice("step.".length);
    const [step = 0] = await readFloat32(saved.get(key)!);
    const m = await tensor(`exp_avg.${name}`), v = await tensor(`exp_avg_sq.${name}`);
    adam.restore(name, { m, v, step });
  }
}

/** All weights, running statistics and adapters. */
function learned(model: ScGPT): [string, Tensor][] {
  return [...model.parameters, ...model.adapters?.weights ?? []];
}

function stored(name: string, tensor: Tensor): StoredTensor {
  return {
    name,
    dtype: "F32",
    shape: tensor.shape,
    read: async () => new Uint8Array((await tensor.data()).buffer),
  };
}
