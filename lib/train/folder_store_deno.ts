/** States of a run as files, for runs that outlive a process. */
import { type ByteSource, openSource, removeUnfinished } from "../../data/mod.ts";
import { CheckpointError } from "../io/errors.ts";
import { readSafetensors } from "../io/safetensors.ts";
import type { StoredTensor } from "../io/stored_tensor.ts";
import { saveSafetensors } from "../io/write_deno.ts";
import type { CheckpointSlot, CheckpointStore, FitState, Snapshot } from "./snapshot.ts";

/** Key of the safetensors metadata. */
const STATE = "fit_state";

/**
 * Keeps snapshots in a folder, as `last.safetensors` and `best.safetensors`. A file takes the place of the earlier one when it is whole and
 * on the disk, so that a run that is killed, or a disk that is full, leaves the earlier one. One run at a time may use a folder.
 *
 * @example
 * ```ts
 * import { FolderStore } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const folder = await Deno.makeTempDir();
 * const store = new FolderStore(folder);
 * assert.equal(await store.load("last"), undefined);
 * const state = { step: 3, epoch: 0, batch: 3, sums: {}, best: undefined, stale: 0, recipe: "{}" };
 * await store.save("last", { state, tensors: [] });
 * assert.equal((await store.load("last"))?.state.step, 3);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class FolderStore implements CheckpointStore {
  readonly #folder: string;

  /** Takes a path; the folder is made at the first save. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** {@inheritDoc CheckpointStore.place} */
  place(slot: CheckpointSlot): string {
    return `${this.#folder}/${slot}.safetensors`;
  }

  /** {@inheritDoc CheckpointStore.save} */
  async save(slot: CheckpointSlot, { state, tensors }: Snapshot): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true });
    await removeUnfinished(this.place("last"));
    await removeUnfinished(this.place("best"));
    const metadata = { [STATE]: JSON.stringify(state) };
    await saveSafetensors(this.place(slot), tensors, { metadata, force: true });
  }

  /**
   * {@inheritDoc CheckpointStore.load}
   *
   * @throws {CheckpointError} When the file is damaged, or no state of a run
   */
  async load(slot: CheckpointSlot): Promise<Snapshot | undefined> {
    const source = await reopening(this.place(slot));
    if (source === undefined) return undefined;
    const { tensors, metadata } = await readSafetensors(source);
    const state = parseState(source.name, metadata[STATE]);
    checkSlots(source.name, tensors);
    return { state, tensors: [...tensors.values()] };
  }
}

/** A file that is open only while it is read, as nobody closes a snapshot; undefined where there is none. */
async function reopening(path: string): Promise<ByteSource | undefined> {
  try {
    using source = await openSource(path);
    const { size } = source;
    const read = async (offset: number, length: number) => {
      using source = await openSource(path);
      return await source.read(offset, length);
    };
    return { size, name: path, read, [Symbol.dispose]: () => {} };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

function parseState(file: string, text: string | undefined): FitState {
  if (text === undefined) fail(file, `must have "${STATE}" in its metadata`, "none");
  let state: FitState;
  try {
    state = JSON.parse(text) ?? {};
  } catch (cause) {
    return fail(file, `must have JSON in "${STATE}"`, text.slice(0, 40), cause);
  }
  const check = (key: string, good: boolean, rule: string, value: unknown) => {
    if (!good) fail(file, `must have ${rule} as ${key} in "${STATE}"`, JSON.stringify(value));
  };
  const { step, epoch, batch, sums, best, stale, recipe } = state;
  for (const [key, value] of Object.entries({ step, epoch, batch, stale })) {
    check(key, isCount(value), "an integer >= 0", value);
  }
  check("sums", isNumbers(sums), "numbers by name", sums);
  check("best", best === undefined || isBest(best), "an epoch and its loss", best);
  check("recipe", isObjectText(recipe), "the JSON of a recipe", recipe);
  return { step, epoch, batch, sums, best, stale, recipe };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNumbers(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Object.values(value).every(Number.isFinite);
}

function isBest(value: unknown): boolean {
  return isNumbers(value) && isCount((value as { epoch?: unknown }).epoch) &&
    "loss" in (value as object);
}

function isObjectText(value: unknown): boolean {
  try {
    const parsed: unknown = JSON.parse(String(value));
    return typeof parsed === "object" && parsed !== null;
  } catch {
    return false;
  }
}

/** Weights are float32, and an optimiser's slot is three tensors of one weight. */
function checkSlots(file: string, tensors: ReadonlyMap<string, StoredTensor>): void {
  for (const { name, dtype } of tensors.values()) {
    if (dtype !== "F32") fail(file, `must have ${name} in F32`, dtype);
    const weight = /^(?:exp_avg|exp_avg_sq|step)\.(.*)$/.exec(name)?.[1];
    if (weight === undefined) continue;
    const shape = tensors.get(weight)?.shape;
    for (const part of ["exp_avg", "exp_avg_sq", "step"]) {
      const wanted = part === "step" ? [1] : shape;
      const got = tensors.get(`${part}.${weight}`)?.shape;
      if (wanted !== undefined && got?.join() === wanted.join()) continue;
      fail(file, `must have ${part}.${weight} of shape [${wanted}]`, got && `[${got}]`);
    }
  }
}

function fail(file: string, rule: string, got: unknown, cause?: unknown): never {
  throw new CheckpointError(
    "format",
    `Cannot take up the run as ${file} ${rule}: got ${got ?? "none"}`,
    { cause },
  );
}
