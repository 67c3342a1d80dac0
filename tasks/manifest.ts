/** The run manifest: everything that decided the numbers of a result. */
import type { UnsDict, UnsValue } from "../data/mod.ts";
import { modelFingerprint, type ScGPT, VERSION } from "../lib/mod.ts";

/** What a run was. */
export interface RunManifest extends UnsDict {
  /** Name and version of this library. */
  readonly library: string;
  /** Task, such as "embed". */
  readonly task: string;
  /** Engine: "webgpu" or "wasm". */
  readonly device: string;
  /** Adapter or processor, and the features in use. */
  readonly device_name: string;
  /** SHA-256 of the weights. */
  readonly weights_sha256: string;
  /** SHA-256 of the vocabulary. */
  readonly vocab_sha256: string;
  /** SHA-256 of the configuration. */
  readonly config_sha256: string;
  /** Settings of the run that were given, as JSON. */
  readonly options: string;
}

/**
 * Describes a run. It holds no time and no path, so that equal runs have equal manifests.
 *
 * @param task Name of the task
 * @param model The model that ran
 * @param options Settings as they were given; what is no JSON is left out
 */
export async function runManifest(
  task: string,
  model: ScGPT,
  options: Readonly<Record<string, unknown>>,
): Promise<RunManifest> {
  const { weights, vocab, config } = await modelFingerprint(model);
  const { kind, name, features } = model.device.info;
  return {
    library: `@scgpt/sdk ${VERSION}`,
    task,
    device: kind,
    device_name: `${name} (${features.join(", ")})`,
    weights_sha256: weights,
    vocab_sha256: vocab,
    config_sha256: config,
    options: JSON.stringify(options, (_key, value: unknown) => isPlain(value) ? value : undefined),
  } satisfies Record<string, UnsValue>;
}

function isPlain(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value) ||
    Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
