/** From a model folder to a model on a device. */
import { type Device, Tensor } from "../../gpu/mod.ts";
import type { ScgptConfig } from "../config.ts";
import { parameterShapes } from "../model/layout.ts";
import { ScGPT } from "../model/scgpt.ts";
import { refuseUnknownKeys } from "../options.ts";
import {
  matchStateDict,
  type NamePatterns,
  type StateDict,
  type StateDictReport,
} from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";
import { type ModelFiles, openModelFolder } from "./model_folder.ts";
import { readFloat32 } from "./stored_tensor.ts";

/** How a model is loaded. */
export interface LoadModelOptions {
  /** Tensors of the file that are left aside, by prefix or pattern. */
  readonly allowExtra?: NamePatterns;
  /** Stops loading by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What became of every tensor of a checkpoint. */
export interface LoadReport extends StateDictReport {
  /** Name of the weights' file. */
  readonly weightFile: string;
  /** What a person should know: heads that are absent, an unwrapped state dict. */
  readonly notes: readonly string[];
}

/** A model and how it was loaded. */
export interface LoadedModel {
  /** The model; dispose it. */
  readonly model: ScGPT;
  /** Every tensor of file and model. */
  readonly report: LoadReport;
}

/**
 * Loads a model folder (`args.json`, `vocab.json`, and `model.safetensors` or the reference's `best_model.pt`) onto a device.
 * Heads follow the file: one whose weights are absent as a whole is off and noted; anything else that is missing, extra or of another
 * shape is an error that lists all of it (the reference drops such weights silently).
 *
 * @example
 * ```ts
 * import { openDevice } from "@scgpt/sdk/gpu";
 * import { loadModel } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * await using device = await openDevice({ kind: "wasm" });
 * using model = await loadModel("tests/fixtures/scgpt/small_checkpoint", device);
 * assert.equal(model.vocab.size, 200);
 * assert.ok(model.outputs.has("cell"));
 * ```
 *
 * @param folder Path of the folder (on a server), its http(s) address, or files in memory
 * @param device Device for the weights; it must outlive the model
 * @param options Tolerated extras, abort signal
 * @returns The model; own it with `using`
 * @throws {CheckpointError} For a missing file, a damaged or hostile checkpoint, or tensors that are not the model's
 * @throws {SyntaxError | TypeError | RangeError} For a bad args.json or vocab.json
 */
export async function loadModel(
  folder: string | URL | ModelFiles,
  device: Device,
  options: LoadModelOptions = {},
): Promise<ScGPT> {
  return (await loadModelWithReport(folder, device, options)).model;
}

/**
 * As {@linkcode loadModel}, with the report of every tensor.
 *
 * @param folder Path of the folder (on a server), its http(s) address, or files in memory
 * @param device Device for the weights; it must outlive the model
 * @param options Tolerated extras, abort signal
 * @returns The model and the report
 */
export async function loadModelWithReport(
  folder: string | URL | ModelFiles,
  device: Device,
  options: LoadModelOptions = {},
): Promise<LoadedModel> {
  refuseUnknownKeys(options, ["allowExtra", "signal"], "load a model");
  using opened = await openModelFolder(folder);
  const { vocab, checkpoint, weightFile } = opened;
  const { config, notes } = followWeights(opened.config, checkpoint.tensors);
  const nTokens = config.nTokens ?? vocab.size;
  if (vocab.size > nTokens) {
    throw new CheckpointError(
      "mismatch",
      `Cannot load the model as its gene table must have a row for each of the ${vocab.size} words of vocab.json: got ${nTokens}`,
    );
  }
  const shapes = parameterShapes(config, nTokens);
  const report = matchStateDict(shapes, checkpoint, {
    allowMisshapen: [/num_batches_tracked$/], // a scalar, which some writers store as [1]
    allowMissing: [/num_batches_tracked$/],
    allowExtra: options.allowExtra ?? [],
  });
  const parameters = await upload(device, shapes, checkpoint.tensors, options.signal);
  return {
    model: await ScGPT.create({ config, vocab, parameters }),
    report: { ...report, weightFile, notes: [...checkpoint.notes, ...notes] },
  };
}

/**
 * The configuration of a model whose weights are these: their presence and shape decide which heads there are.
 *
 * @param config What args.json says
 * @param tensors What the checkpoint holds
 * @returns The configuration that {@linkcode loadModel} takes, and a note for each head that args.json asks for in vain
 */
export function followWeights(
  config: ScgptConfig,
  tensors: StateDict,
): { config: ScgptConfig; notes: string[] } {
  const rows = (name: string) => tensors.get(name)?.shape[0] ?? 0;
  const has = (prefix: string) => [...tensors.keys()].some((name) => name.startsWith(prefix));
  const found = {
    nTokens: rows("encoder.embedding.weight") || config.nTokens,
    generative: has("flag_encoder."),
    mvc: has("mvc_decoder."),
    explicitZeroProb: has("decoder.zero_logit.") || has("mvc_decoder.W_zero_logit."),
    nCls: rows("cls_decoder.out_layer.weight"),
    dar: has("grad_reverse_discriminator."),
    useBatchLabels: has("batch_encoder."),
    nBatch: rows("batch_encoder.embedding.weight") ||
      rows("grad_reverse_discriminator.out_layer.weight") || config.nBatch,
    nMod: rows("mod_encoder.embedding.weight"),
    perturbation: has("pert_encoder."),
  };
  const heads = [
    "generative",
    "mvc",
    "explicitZeroProb",
    "nCls",
    "dar",
    "useBatchLabels",
    "nMod",
    "perturbation",
  ] as const;
  const notes = heads
    .filter((knob) => config[knob] && !found[knob])
    .map((knob) => `args.json asks for ${knob}, the checkpoint has no weights for it: it is off`);
  return { config: Object.freeze({ ...config, ...found }), notes };
}

async function upload(
  device: Device,
  shapes: ReadonlyMap<string, readonly number[]>,
  tensors: StateDict,
  signal: AbortSignal | undefined,
): Promise<Map<string, Tensor>> {
  const parameters = new Map<string, Tensor>();
  try {
    for (const [name, shape] of shapes) {
      signal?.throwIfAborted();
      const stored = tensors.get(name);
      if (stored === undefined || name.endsWith("num_batches_tracked")) continue;
      parameters.set(name, Tensor.from(device, "f32", shape, await readFloat32(stored)));
    }
    return parameters;
  } catch (cause) {
    for (const tensor of parameters.values()) tensor[Symbol.dispose]();
    throw cause;
  }
}
