/** Reads trained models back: from a folder of a server, from an address, or from files that a page was given. */
import type { Device } from "../gpu/mod.ts";
import {
  BINNING_MODES,
  loadModel,
  type ModelFiles,
  nearest,
  readModelFile,
  refuseUnknownKeys,
  type ScGPT,
} from "../lib/mod.ts";
import { type CellInput, type TaskDescription, TrainedModel } from "./trained.ts";

/** File of a model folder that says what the model was trained for. */
export const TASK_FILE = "task.json";

/** Settings of {@linkcode loadTrained}. */
export interface LoadTrainedOptions {
  /** Stops loading by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Loads a model that `saveTrained` wrote: a model folder with `task.json`.
 *
 * @param folder Path of the folder (on a server), its http(s) address, or files in memory
 * @param device Device for the weights; it must outlive the model
 * @param options Abort signal
 * @returns Model and description; own it with `using`
 * @throws {CheckpointError} For a missing file or weights that are not the model's
 * @throws {SyntaxError | TypeError | RangeError} For a bad task.json, or one of another model
 */
export async function loadTrained(
  folder: string | URL | ModelFiles,
  device: Device,
  options: LoadTrainedOptions = {},
): Promise<TrainedModel> {
  refuseUnknownKeys(options, ["signal"], "load a trained model");
  const description = parseTask(await readModelFile(folder, TASK_FILE));
  const model = await loadModel(folder, device, options);
  try {
    checkTogether(model, description);
    return new TrainedModel(model, description);
  } catch (cause) {
    model[Symbol.dispose]();
    throw cause;
  }
}

const KEYS = ["task", "input", "classes", "batches"];
const INPUT_KEYS = ["genes", "clsValue", "maxLength", "binning", "includeZeroGenes"];

/**
 * Checks the text of a `task.json`.
 *
 * @throws {SyntaxError} When it is not JSON
 * @throws {TypeError} For a key that is unknown or missing, or a value of the wrong kind
 * @throws {RangeError} For a value out of range
 */
export function parseTask(json: string): TaskDescription {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${TASK_FILE} as it is not JSON`, { cause });
  }
  const { task, input, classes, batches } = objectOf("the file", parsed, KEYS);
  if (typeof task !== "string") refuse("task", "a string", task);
  return {
    task,
    input: parseInput(input),
    ...classes !== undefined && { classes: namesOf("classes", classes) },
    ...batches !== undefined && { batches: namesOf("batches", batches) },
  };
}

function parseInput(input: unknown): CellInput {
  const { genes, clsValue, maxLength, binning, includeZeroGenes } = objectOf(
    "input",
    input,
    INPUT_KEYS,
  );
  if (typeof clsValue !== "number") refuse("input.clsValue", "a number", clsValue);
  if (typeof includeZeroGenes !== "boolean") {
    refuse("input.includeZeroGenes", "a boolean", includeZeroGenes);
  }
  if (typeof maxLength !== "number") refuse("input.maxLength", "a number", maxLength);
  if (!Number.isSafeInteger(maxLength) || maxLength < 2) {
    outside("input.maxLength", "an integer >= 2", maxLength);
  }
  const mode = BINNING_MODES.find((mode) => mode === binning);
  if (mode === undefined) outside("input.binning", BINNING_MODES.join(", "), binning);
  const names = namesOf("input.genes", genes);
  return { genes: names, clsValue, maxLength, binning: mode, includeZeroGenes };
}

function objectOf(
  place: string,
  value: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    refuse(place, "an object", value);
  }
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const near = nearest(unknown, known) ?? known.join(", ");
    throw new TypeError(
      `Cannot read ${TASK_FILE} as ${place} must have known keys (${near}): got "${unknown}"`,
    );
  }
  return value as Record<string, unknown>;
}

function namesOf(place: string, value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    refuse(place, "a list of strings", value);
  }
  const places = new Map(value.map((name, i) => [name, i]));
  const twice = value.find((name, i) => places.get(name) !== i);
  if (twice !== undefined) outside(place, "a list of different names", twice);
  return value;
}

function refuse(place: string, kind: string, got: unknown): never {
  const text = (JSON.stringify(got) ?? "nothing").slice(0, 80);
  throw new TypeError(`Cannot read ${TASK_FILE} as ${place} must be ${kind}: got ${text}`);
}

function outside(place: string, rule: string, got: unknown): never {
  throw new RangeError(
    `Cannot read ${TASK_FILE} as ${place} must be ${rule}: got ${JSON.stringify(got) ?? "nothing"}`,
  );
}

/** Genes, classes and batches are those of the model. */
function checkTogether(
  { config, vocab }: ScGPT,
  { input: { genes }, classes, batches }: TaskDescription,
): void {
  const foreign = genes.find((gene) => vocab.id(gene) === undefined);
  if (foreign !== undefined) outside("input.genes", "words of vocab.json", foreign);
  if (classes !== undefined && classes.length !== config.nCls) {
    outside("classes", `names of the model's ${config.nCls} classes`, classes.length);
  }
  if (batches !== undefined && batches.length !== config.nBatch) {
    outside("batches", `names of the model's ${config.nBatch} batches`, batches.length);
  }
}
