/** Losses of the cells that do not learn. */
import { eventTurn } from "../event_turn.ts";
import type { ScGPT } from "../model/scgpt.ts";
import type { TrainingCells } from "./cells.ts";
import type { FitSettings } from "./fit_options.ts";
import { batchLosses } from "./gradients.ts";
import { weightAt } from "./objective.ts";
import { promptBatch } from "./prompt.ts";

/** Step of the prompts' draws in validation: one that no epoch reaches, so that all epochs validate on the same prompts. */
const VALIDATION_STEP = 0xffff;

/**
 * Mean losses in evaluation: of each objective over all its cells or tokens; one over pairs of cells sees those of a batch. (The reference draws new masks for every validation.)
 *
 * @param step Step whose weights the sum has
 * @returns Losses by objective and their weighted sum as "loss"; undefined without cells
 */
export async function validate(
  model: ScGPT,
  cells: TrainingCells,
  settings: FitSettings,
  step: number,
): Promise<Record<string, number> | undefined> {
  const { split: { validation }, microBatch, prompt, seed } = settings;
  if (validation.length === 0) return undefined;
  const objectives = settings.objectives.filter((one) => weightAt(one, step) !== 0);
  const sums = new Map(objectives.map(({ name }) => [name, { loss: 0, count: 0 }]));
  for (let at = 0; at < validation.length; at += microBatch) {
    await eventTurn();
    const rows = validation.subarray(at, at + microBatch);
    const draw = { ...model.config, seed, step: VALIDATION_STEP };
    const batch = promptBatch(cells, rows, prompt, draw);
    const totals = { cells: rows.length, asked: sumOf(batch.asked ?? []) };
    const { losses, total } = batchLosses(model, batch, { objectives, totals, step });
    total[Symbol.dispose]();
    for (const { name, needs } of objectives) {
      using loss = losses.get(name)!;
      const count = needs.includes("asked") ? totals.asked : totals.cells;
      const sum = sums.get(name)!;
      sum.loss += (await loss.data())[0]! * count;
      sum.count += count;
    }
  }
  const means = Object.fromEntries(
    [...sums].map(([name, { loss, count }]) => [name, count === 0 ? 0 : loss / count]),
  );
  const loss = objectives.reduce((sum, one) => sum + weightAt(one, step) * means[one.name]!, 0);
  return { ...means, loss };
}

function sumOf(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
