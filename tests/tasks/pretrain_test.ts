import assert from "node:assert/strict";
import { openWasmDevice } from "../../gpu/mod.ts";
import { type CellPrompt, generateExpression, type ScGPT, tokenizeCells } from "../../lib/mod.ts";
import { pretrain } from "../../tasks/pretrain.ts";
import { countedCells } from "./counted_cells.ts";

/** Correlation over all pairs. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0);
  return sum((i) => (a[i]! - ma) * (b[i]! - mb)) /
    Math.sqrt(sum((i) => (a[i]! - ma) ** 2) * sum((i) => (b[i]! - mb) ** 2));
}

/** Cells with every second gene asked, and the truth. */
async function halves(model: ScGPT): Promise<{ prompts: CellPrompt[]; truth: number[] }> {
  const { vocab, config } = model;
  const cells = await tokenizeCells(countedCells({ seed: 9, cells: 30 }), { vocab, config });
  const truth: number[] = [];
  const prompts = Array.from({ length: 30 }, (_, cell) => {
    const { ids, values } = cells.tokens(Uint32Array.of(cell), 0);
    const odd = (_: number, t: number) => t % 2 === 1,
      even = (_: number, t: number) => t > 0 && t % 2 === 0;
    truth.push(...values.filter(odd));
    return { knownIds: ids.filter(even), knownValues: values.filter(even), genes: ids.filter(odd) };
  });
  return { prompts, truth };
}

Deno.test("pretrain() learns to generate genes that it has not seen, in one step and in three", async () => {
  await using device = await openWasmDevice({ threads: 2 });
  const events = await Array.fromAsync(
    pretrain([countedCells(), countedCells({ seed: 2 })], device, {
      config: { embsize: 16, nheads: 2, dHid: 16, nlayers: 2, dropout: 0.1 },
      validation: 0.1,
      cellPromptAfter: 20,
      fit: { epochs: 30, batchSize: 16, lr: 5e-3, schedule: { kind: "cosine", warmup: 0.1 } },
      seed: 1,
    }),
  );
  const last = events.at(-1)!;
  assert.ok(last.kind === "trained");
  using pretrained = last.pretrained;
  const epochs = events.filter((event) => event.kind === "epoch");
  assert.ok(epochs.at(-1)!.train.gep! < epochs[0]!.train.gep!);
  assert.ok("cell_prompt" in epochs.at(-1)!.train && !("cell_prompt" in epochs[0]!.train));
  // Validation counts the cell prompt from the first epoch, else the best would be one before it begins.
  assert.ok(epochs.every(({ validation }) => "cell_prompt" in validation!));
  assert.ok(epochs.findLast(({ best }) => best)!.step > 20);
  const { prompts, truth } = await halves(pretrained.model);
  for (const steps of [1, 3]) {
    for (const confidence of ["agreement", "dropout"] as const) {
      const made = await generateExpression(pretrained.model, prompts, { steps, confidence });
      const values = made.flatMap((cell) => [...cell.values]);
      const own = correlation(values, truth);
      const shuffled = correlation(values, [...truth.slice(7), ...truth.slice(0, 7)]);
      assert.ok(
        own > 0.15 && own > shuffled + 0.15,
        `${steps}, ${confidence}: ${own}, ${shuffled}`,
      );
    }
  }
});

Deno.test("pretrain() refuses to begin without data or bins", async () => {
  await using device = await openWasmDevice({ threads: 1 });
  await assert.rejects(Array.fromAsync(pretrain([], device)), /there must be data: got none/);
  await assert.rejects(
    Array.fromAsync(pretrain([countedCells()], device, { binning: "none" })),
    /generated values are bins: got binning "none"/,
  );
});
