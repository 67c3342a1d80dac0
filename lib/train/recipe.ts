/** What decides the numbers of a run, as text, so that a run is not taken up with another recipe. */
import { toArgs } from "../config.ts";
import { fnv1a } from "../fnv.ts";
import type { ScGPT } from "../model/scgpt.ts";
import type { TrainingCells } from "./cells.ts";
import type { FitSettings } from "./fit_options.ts";

/** Settings, model, cells and their genes and values of a run as JSON. The number of epochs is left out, so that a run can be made longer. */
export function recipeOf(
  settings: FitSettings,
  { keys, classes, batchLabels, digest }: TrainingCells,
  { config, vocab }: Pick<ScGPT, "config" | "vocab">,
): string {
  const { prompt, batchSize, microBatch, lr, optimizer, schedule, dropout, trainable, lora, seed } =
    settings;
  const { batchNorm, split: { train, validation }, objectives } = settings;
  const cellsOf = (rows: Uint32Array) => [rows.length, fnv1a([...rows].flatMap((i) => keys[i]!))];
  return JSON.stringify({
    objectives: objectives.map(({ name, weight, settings }) => [
      name,
      typeof weight === "number" ? weight : "by step",
      settings,
    ]),
    prompt,
    batchSize,
    microBatch,
    lr,
    optimizer,
    schedule,
    dropout,
    trainable,
    lora,
    seed,
    batchNorm,
    cells: [
      ...cellsOf(train),
      ...cellsOf(validation),
      fnv1a(classes ?? []),
      fnv1a(batchLabels ?? []),
    ],
    genes: [vocab.size, fnv1a(charCodes(vocab.names().join("\n")))],
    tokens: digest, // which genes each cell shows, with which values
    model: toArgs(config),
  });
}

/** Where two recipes differ, one text for each key; none where they are the same. */
export function recipeDifferences(saved: string, given: string): string[] {
  if (saved === given) return [];
  const before = JSON.parse(saved) as Record<string, unknown>;
  const now = JSON.parse(given) as Record<string, unknown>;
  const show = (value: unknown) => JSON.stringify(value) ?? "nothing";
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .map((key) => ({ key, was: show(before[key]), is: show(now[key]) }))
    .filter(({ was, is }) => was !== is)
    .map(({ key, was, is }) => `${key}: got ${is}, saved ${was}`);
}

function* charCodes(text: string): Generator<number> {
  for (let i = 0; i < text.length; i++) yield text.charCodeAt(i);
}
