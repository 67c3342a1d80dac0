import assert from "node:assert/strict";
import { openWasmDevice } from "../../../gpu/mod.ts";
import type { ConfigOverrides } from "../../../lib/config.ts";
import type { TokenBatch } from "../../../lib/model/batch.ts";
import type { OutputName } from "../../../lib/model/scgpt.ts";
import { freshModel } from "./fresh_model.ts";

const device = await openWasmDevice({ threads: 1 });

/** Two cells of 3 and 2 tokens. */
const BATCH: TokenBatch = {
  ids: Uint32Array.of(41, 0, 1, 41, 2),
  values: Float32Array.of(-2, 7, 50, -2, 3),
  offsets: Uint32Array.of(0, 3, 5),
};

async function outputOf(
  config: ConfigOverrides,
  name: OutputName,
  batch: Partial<TokenBatch> = {},
): Promise<{ shape: readonly number[]; values: Float32Array<ArrayBuffer> }> {
  using model = await freshModel(device, { config });
  using tensor = model.forward({ ...BATCH, ...batch }, [name])[name];
  return { shape: tensor.shape, values: await tensor.data() };
}

function rowsOf(values: Float32Array, width: number): Float32Array[] {
  return Array.from(
    { length: values.length / width },
    (_, row) => values.subarray(row * width, (row + 1) * width),
  );
}

Deno.test("cellEmbedding() takes the first token, the mean, or the weighted unit sum", async () => {
  const hidden = rowsOf((await outputOf({}, "hidden")).values, 64);
  const cls = rowsOf((await outputOf({}, "cell")).values, 64);
  [hidden[0]!, hidden[3]!].forEach((row, cell) =>
    row.forEach((value, d) => assert.ok(Math.abs(value - cls[cell]![d]!) < 1e-5))
  );

  const mean = rowsOf((await outputOf({ cellEmbStyle: "avg-pool" }, "cell")).values, 64);
  mean[0]!.forEach((value, d) => {
    const wanted = (hidden[0]![d]! + hidden[1]![d]! + hidden[2]![d]!) / 3;
    assert.ok(Math.abs(value - wanted) < 1e-6, `${value} is not ${wanted}`);
  });

  const weighted = rowsOf((await outputOf({ cellEmbStyle: "w-pool" }, "cell")).values, 64);
  const sum = Array.from(hidden[3]!, (value, d) => -2 * value + 3 * hidden[4]![d]!);
  const length = Math.hypot(...sum);
  weighted[1]!.forEach((value, d) => assert.ok(Math.abs(value - sum[d]! / length) < 1e-6));
});

Deno.test("cellEmbedding() by weights needs values", async () => {
  using model = await freshModel(device, { config: { cellEmbStyle: "w-pool" } });
  const { values: _, ...genesAlone } = BATCH;
  assert.throws(
    () => model.forward(genesAlone, ["cell"]),
    /Cannot run the weighted pooling as it needs the values of the batch/,
  );
});

Deno.test("outputs have the shapes that their documentation says", async () => {
  const config = {
    explicitZeroProb: true,
    nCls: 4,
    useBatchLabels: true,
    nBatch: 3,
    dar: true,
  };
  const shapes: Record<string, readonly number[]> = {};
  const batch = { batchLabels: Uint32Array.of(2, 0) };
  for (
    const name of [
      "cell",
      "hidden",
      "mlm",
      "mlm_zero_probs",
      "mvc",
      "mvc_zero_probs",
      "cls",
      "dab",
    ] as const
  ) {
    const { shape, values } = await outputOf(config, name, batch);
    shapes[name] = shape;
    assert.ok(values.every(Number.isFinite), name);
    if (name.endsWith("zero_probs")) assert.ok(values.every((p) => p > 0 && p < 1), name);
  }
  assert.deepEqual(shapes, {
    cell: [2, 64],
    hidden: [5, 64],
    mlm: [5, 1],
    mlm_zero_probs: [5, 1],
    mvc: [5],
    mvc_zero_probs: [5, 1],
    cls: [2, 4],
    dab: [2, 3],
  });
});

Deno.test("decoderConditions() asks for the labels that the model was trained with", async () => {
  await assert.rejects(
    outputOf({ useBatchLabels: true, nBatch: 2 }, "mlm"),
    /Cannot run this model's decoders as it needs batchLabels for the batch: none given/,
  );
  await assert.rejects(
    outputOf({ nMod: 4 }, "mvc"),
    /Cannot run this model's decoders as it needs modTypes for the batch: none given/,
  );
  await assert.rejects(
    outputOf({ useBatchLabels: true, nBatch: 2 }, "mlm", { batchLabels: Uint32Array.of(0, 2) }),
    /Cannot take rows of batch_encoder\.embedding\.weight as they are 0 \.\. 1: got 2 at 1/,
  );
});

Deno.test("the batch of a cell changes its expression and not its embedding", async () => {
  const config = { useBatchLabels: true, nBatch: 2 };
  const given = (first: number) => ({ batchLabels: Uint32Array.of(first, 1) });
  for (const [name, same] of [["cell", true], ["mlm", false], ["mvc", false]] as const) {
    const zero = (await outputOf(config, name, given(0))).values;
    const one = (await outputOf(config, name, given(1))).values;
    const width = zero.length / (name === "cell" ? 2 : 5);
    const firstCell = name === "cell" ? width : 3 * width;
    assert.equal(
      Buffer.compare(
        new Uint8Array(zero.slice(0, firstCell).buffer),
        new Uint8Array(one.slice(0, firstCell).buffer),
      ) === 0,
      same,
      name,
    );
    assert.deepEqual(zero.slice(firstCell), one.slice(firstCell), name);
  }
});

Deno.test("affineExpression() needs values", async () => {
  const config = { perturbation: true, mvc: false };
  using model = await freshModel(device, { config });
  const { values: _, ...genesAlone } = BATCH;
  assert.throws(
    () => model.forward(genesAlone, ["mlm"]),
    /Cannot run the perturbation decoder as it needs the values of the batch/,
  );
  const { shape } = await outputOf(config, "mlm");
  assert.deepEqual(shape, [5, 1]);
});
