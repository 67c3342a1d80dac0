/** Small models with fresh weights, made in memory as a model folder's files. */
import { type Device, loadModel, type ModelFiles, type ScGPT } from "../../../mod.ts";
import { GeneVocab } from "../../../lib/input/vocab.ts";
import { type ConfigOverrides, parseConfig, toArgs } from "../../../lib/config.ts";
import { writeSafetensors } from "../../../lib/io/safetensors.ts";
import { storedFloat32, type StoredTensor } from "../../../lib/io/stored_tensor.ts";
import { initialWeights } from "../../../lib/model/init.ts";

/** The sizes of the recorded models: two layers of 64, four heads. */
export const SMALL: ConfigOverrides = { embsize: 64, nheads: 4, dHid: 96, nlayers: 2 };

/** A vocabulary of `genes` genes G0000, G0001, … and the specials. */
export function geneVocab(genes = 40): GeneVocab {
  return GeneVocab.fromNames(
    Array.from({ length: genes }, (_, i) => `G${String(i).padStart(4, "0")}`),
  );
}

/** How a model folder differs from the plain one. */
export interface FreshOptions {
  readonly config?: ConfigOverrides;
  readonly vocab?: GeneVocab;
  readonly seed?: number;
  /** Keys put into args.json last. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** Changes the weights before they are stored. */
  readonly change?: (tensors: StoredTensor[]) => StoredTensor[];
}

/** The files of a model folder. */
export async function freshFiles(options: FreshOptions = {}): Promise<ModelFiles> {
  const { vocab = geneVocab(), seed = 1, args = {}, change = (tensors) => tensors } = options;
  const config = parseConfig({ ...SMALL, ...options.config });
  const drawn = initialWeights(config, { nTokens: vocab.size, seed });
  const stored = Array.from(
    drawn,
    ({ name, shape, values }) => storedFloat32(name, shape, values),
  );
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const sink = {
    write: (bytes: Uint8Array<ArrayBuffer>) => Promise.resolve(void parts.push(bytes)),
  };
  await writeSafetensors(sink, change(stored));
  return {
    files: {
      "args.json": new Blob([JSON.stringify({ ...toArgs(config), ...args })]),
      "vocab.json": new Blob([vocab.toJson()]),
      "model.safetensors": new Blob(parts),
    },
  };
}

/** The model itself. */
export async function freshModel(device: Device, options: FreshOptions = {}): Promise<ScGPT> {
  return await loadModel(await freshFiles(options), device);
}

/** The bits of numbers, for comparisons that tell -0 from 0 and one NaN from another. */
export function bitsOf(values: Float32Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
