/** Hashes that say which model made a result. */
import { toArgs } from "../config.ts";
import type { ScGPT } from "../model/scgpt.ts";

/** SHA-256 hashes, hexadecimal. */
export interface ModelFingerprint {
  /** Of all weights: names, shapes and float32 bytes, sorted by name, whatever file they came from. */
  readonly weights: string;
  /** Of the vocabulary: its words in the order of their ids. */
  readonly vocab: string;
  /** Of the configuration as `args.json` would say it, with sorted keys. */
  readonly config: string;
}

/**
 * Hashes a model's weights, vocabulary and configuration.
 *
 * @param model The model; its weights are read back from the device one by one
 */
export async function modelFingerprint(model: ScGPT): Promise<ModelFingerprint> {
  const lines: string[] = [];
  for (const [name, tensor] of [...model.parameters].sort(([a], [b]) => a < b ? -1 : 1)) {
    lines.push(
      `${name} [${tensor.shape}] ${await sha256(new Uint8Array((await tensor.data()).buffer))}`,
    );
  }
  const args = Object.entries(toArgs(model.config)).sort(([a], [b]) => a < b ? -1 : 1);
  return {
    weights: await sha256(encode(lines.join("\n"))),
    vocab: await sha256(encode(model.vocab.toJson())),
    config: await sha256(encode(JSON.stringify(args))),
  };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
