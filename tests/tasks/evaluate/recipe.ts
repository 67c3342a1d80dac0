/** A recipe of a second, and the cells it learns from. */
import { type AnnData, openWasmDevice, trainAnnotator, type TrainedModel } from "../../../mod.ts";
import { openBlood, spreadRows } from "../blood_cells.ts";

/** The recipe: labels of the bundled cells, sixty genes, one layer. */
export const RECIPE = {
  labelKey: "bulk_labels",
  layer: "raw",
  nTopGenes: 60,
  config: { embsize: 16, nheads: 2, dHid: 16, nlayers: 1 },
  fit: { epochs: 2, batchSize: 16, lr: 0.01 },
} as const;

/** One-thread device, on which everything is repeatable. */
export function openDevice(): ReturnType<typeof openWasmDevice> {
  return openWasmDevice({ threads: 1 });
}

/** Two parts of the bundled cells that share none. */
export async function twoParts(): Promise<
  { train: AnnData; query: AnnData; [Symbol.dispose](): void }
> {
  const cells = await openBlood();
  return {
    train: cells.select({ obs: spreadRows(100) }),
    query: cells.select({ obs: spreadRows(40, 3) }),
    [Symbol.dispose]: () => cells[Symbol.dispose](),
  };
}

/** An annotator of the recipe; the caller frees it. */
export async function trainedOn(
  cells: AnnData,
  device: Awaited<ReturnType<typeof openDevice>>,
): Promise<TrainedModel> {
  for await (const event of trainAnnotator(cells, device, { ...RECIPE, seed: 1 })) {
    if (event.kind === "trained") return event.annotator;
  }
  throw new Error("no annotator came");
}
