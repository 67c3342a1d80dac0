/** A small model and a batch that has everything an objective can ask for. */
import type { Device } from "../../../gpu/mod.ts";
import { type ConfigOverrides, parseConfig } from "../../../lib/config.ts";
import { GeneVocab } from "../../../lib/input/vocab.ts";
import { freshModel } from "../../../lib/model/fresh_model.ts";
import type { ScGPT } from "../../../lib/model/scgpt.ts";
import type { TrainingBatch } from "../../../lib/train/objective.ts";

/** Two layers of 16, with all heads. */
export function smallModel(device: Device, knobs: ConfigOverrides = {}): Promise<ScGPT> {
  const vocab = GeneVocab.fromNames(Array.from({ length: 12 }, (_, i) => `G${i}`));
  const config = parseConfig({
    embsize: 16,
    nheads: 2,
    dHid: 24,
    nlayers: 2,
    dropout: 0.2,
    nCls: 3,
    useBatchLabels: true,
    nBatch: 2,
    dar: true,
    explicitZeroProb: true,
    ...knobs,
  });
  return freshModel(device, { config, vocab, seed: 5 });
}

/** Three cells of 5, 4 and 6 tokens of one domain; every third value is asked. */
export function smallBatch({ vocab }: ScGPT): TrainingBatch {
  const offsets = Uint32Array.of(0, 5, 9, 15);
  const cls = vocab.require("<cls>");
  const first = new Set(offsets);
  const ids = Uint32Array.from({ length: 15 }, (_, t) => first.has(t) ? cls : (5 * t) % 12);
  const targets = Float32Array.from({ length: 15 }, (_, t) => first.has(t) ? 0 : (7 * t) % 11);
  const asked = Float32Array.from({ length: 15 }, (_, t) => t % 3 === 1 ? 1 : 0);
  return {
    ids,
    offsets,
    targets,
    asked,
    values: targets.map((value, t) => asked[t] ? -1 : value),
    classes: Uint32Array.of(0, 2, 1),
    batchLabels: Uint32Array.of(1, 1, 1),
    cellKeys: [[1, 0], [2, 0], [3, 9]],
  };
}

/** Counts of the batch. */
export const TOTALS = { cells: 3, asked: 5 };
