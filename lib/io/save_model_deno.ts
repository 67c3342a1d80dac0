/** Writes model folders on a server. */
import { writeWhole } from "../../data/mod.ts";
import { type ScgptConfig, toArgs } from "../config.ts";
import type { GeneVocab } from "../input/vocab.ts";
import { refuseUnknownKeys } from "../options.ts";
import type { StoredTensor } from "./stored_tensor.ts";
import { saveSafetensors } from "./write_deno.ts";

/** What a model folder says; a `ScGPT` has it all. */
export interface ModelContents {
  /** Architecture. */
  readonly config: ScgptConfig;
  /** Gene vocabulary. */
  readonly vocab: GeneVocab;
  /** Weights by state-dict name. */
  readonly weights: Iterable<readonly [string, ReadableWeight]>;
}

/** A weight in memory or on a device. */
export interface ReadableWeight {
  /** Axes. */
  readonly shape: readonly number[];
  /** Gives the elements, row-major. */
  data(): Promise<Float32Array<ArrayBuffer>>;
}

/** Settings of {@linkcode saveModelFolder}. */
export interface SaveModelOptions {
  /** More files of the folder: texts by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Free text in the weights' file. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether a folder that exists may be used: files of these names are replaced, others stay. */
  readonly force?: boolean;
  /** Ends the writing early with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Writes `args.json`, `vocab.json` and `model.safetensors`, which `loadModel` reads to the same bits. Low-rank adapters are added into the
 * weights. The folder appears when it is whole; in a folder that exists each file does.
 *
 * @example
 * ```ts
 * import { openDevice } from "@scgpt/sdk/gpu";
 * import { freshModel, GeneVocab, loadModel, parseConfig, saveModelFolder } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * await using device = await openDevice({ kind: "wasm" });
 * const vocab = GeneVocab.fromNames(["ACTB", "CD3D"]);
 * using model = await freshModel(device, { config: parseConfig("mini"), vocab, seed: 1 });
 * const parent = await Deno.makeTempDir();
 * await saveModelFolder(`${parent}/model`, model);
 * using same = await loadModel(`${parent}/model`, device);
 * assert.deepEqual(same.config.nlayers, model.config.nlayers);
 * await Deno.remove(parent, { recursive: true });
 * ```
 *
 * @param folder Path of the folder
 * @param model A model, or what it is made of
 * @param options More files, metadata, replacement, abort signal
 * @throws {Deno.errors.AlreadyExists} When the folder exists and `force` is not set
 */
export async function saveModelFolder(
  folder: string,
  model: ModelContents,
  options: SaveModelOptions = {},
): Promise<void> {
  refuseUnknownKeys(options, ["files", "metadata", "force", "signal"], "save a model");
  const { files = {}, force = false, ...rest } = options;
  const output = folder.replace(/(?<=.)[/\\]+$/, "");
  const isThere = await Deno.stat(output).then(() => true, () => false);
  if (isThere && !force) {
    throw new Deno.errors.AlreadyExists(
      `Cannot save a model in ${output} as it is there already: set force to replace its files`,
    );
  }
  const temporary = `${output}.${crypto.randomUUID()}.tmp`;
  await Deno.mkdir(temporary, { recursive: true });
  try {
    const args = `${JSON.stringify(toArgs(model.config), null, 2)}\n`;
    const texts = { ...files, "args.json": args, "vocab.json": `${model.vocab.toJson()}\n` };
    for (const [name, text] of Object.entries(texts)) {
      await writeWhole(`${temporary}/${name}`, (path) => Deno.writeTextFile(path, text));
    }
    await saveSafetensors(`${temporary}/model.safetensors`, storedWeights(model), rest);
    if (isThere) await moveFiles(temporary, output);
    else await Deno.rename(temporary, output);
  } catch (cause) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {}); // the first error is the one to tell
    throw cause;
  }
}

function storedWeights({ weights }: ModelContents): StoredTensor[] {
  return Array.from(weights, ([name, weight]) => ({
    name,
    dtype: "F32",
    shape: weight.shape,
    read: async () => {
      const { buffer, byteOffset, byteLength } = await weight.data();
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
  }));
}

async function moveFiles(from: string, to: string): Promise<void> {
  for await (const { name } of Deno.readDir(from)) {
    await Deno.rename(`${from}/${name}`, `${to}/${name}`);
  }
  await Deno.remove(from);
}
