/** Writes trained models on a server. */
import { refuseUnknownKeys, saveModelFolder, type SaveModelOptions } from "../lib/mod.ts";
import { TASK_FILE } from "./load_trained.ts";
import type { TrainedModel } from "./trained.ts";

/** Settings of {@linkcode saveTrained}. */
export type SaveTrainedOptions = Omit<SaveModelOptions, "files">;

/**
 * Writes a trained model as a model folder with `task.json`, which `loadTrained` reads to the same bits.
 *
 * @example
 * ```ts
 * import { openDevice } from "@scgpt/sdk/gpu";
 * import { freshModel, GeneVocab, parseConfig } from "@scgpt/sdk/lib";
 * import { loadTrained, saveTrained, TrainedModel } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * await using device = await openDevice({ kind: "wasm" });
 * const genes = ["ACTB", "CD3D"], classes = ["B cell", "T cell"];
 * const config = parseConfig("mini", { nCls: 2 });
 * const model = await freshModel(device, { config, vocab: GeneVocab.fromNames(genes), seed: 1 });
 * const reading = { clsValue: 0, maxLength: 3, binning: "reference", includeZeroGenes: false } as const;
 * using trained = new TrainedModel(model, { task: "annotate", input: { genes, ...reading }, classes });
 * const parent = await Deno.makeTempDir();
 * await saveTrained(`${parent}/run`, trained);
 * using loaded = await loadTrained(`${parent}/run`, device);
 * assert.deepEqual(loaded.description, trained.description);
 * await Deno.remove(parent, { recursive: true });
 * ```
 *
 * @param folder Path of the folder
 * @param trained Model and description
 * @param options As for `saveModelFolder`
 * @throws {Deno.errors.AlreadyExists} When the folder exists and `force` is not set
 */
export async function saveTrained(
  folder: string,
  { model, description }: TrainedModel,
  options: SaveTrainedOptions = {},
): Promise<void> {
  refuseUnknownKeys(options, ["metadata", "force", "signal"], "save a trained model");
  const files = { [TASK_FILE]: `${JSON.stringify(description, null, 2)}\n` };
  await saveModelFolder(folder, model, { ...options, files });
}
