import assert from "node:assert/strict";
import { type Device, openWasmDevice, scope } from "../../../gpu/mod.ts";
import { type ConfigOverrides, parseConfig } from "../../../lib/config.ts";
import { uploadBatch } from "../../../lib/model/batch.ts";
import { buildDomainNorm } from "../../../lib/model/domain_norm.ts";
import { conditionEmbedding, inputEmbedding } from "../../../lib/model/encoders.ts";
import { binnedValues, buildValueTable, valueEmbedding } from "../../../lib/model/value_encoder.ts";
import { bitsOf, freshModel } from "./fresh_model.ts";

const device: Device = await openWasmDevice({ threads: 1 });

/** A cell of five tokens: `<cls>`, bins, a mask. */
const BATCH = {
  ids: Uint32Array.of(41, 0, 1, 2, 3),
  values: Float32Array.of(-2, 0, 7, 50, -1),
  offsets: Uint32Array.of(0, 5),
};

Deno.test("binnedValues() are pad, mask and bins, each once", () => {
  const values = binnedValues(parseConfig("mini"));
  assert.deepEqual(values.slice(0, 4), [-2, -1, 0, 1]);
  assert.equal(values.length, 53);
  assert.deepEqual(binnedValues(parseConfig("mini", { padValue: 0, nBins: 3 })), [-1, 0, 1, 2]);
});

for (const inputEmbStyle of ["continuous", "category"] as const) {
  Deno.test(`buildValueTable() holds the bits of direct ${inputEmbStyle} encoding`, async () => {
    using model = await freshModel(device, { config: { inputEmbStyle } });
    const { parameters, config } = model;
    const table = (await buildValueTable(parameters, config, device))!;
    using rows = table.table;
    const all = await rows.data();
    const D = config.embsize;
    const values = Float32Array.from([50, -2, 3, 3, -1, 0]);
    using direct = scope(device, () => valueEmbedding(parameters, config, { device }, values));
    const embedded = await direct.data();
    values.forEach((value, i) => {
      const row = table.rowOf.get(value)!;
      assert.deepEqual(
        bitsOf(all.slice(row * D, (row + 1) * D)),
        bitsOf(embedded.slice(i * D, (i + 1) * D)),
        `value ${value}`,
      );
    });
    assert.equal(table.flagRow, 53);
    const flags = await parameters.get("flag_encoder.weight")!.rows(1, 2).data();
    assert.deepEqual(all.slice(53 * D), flags);
  });
}

Deno.test("buildValueTable() has no flag where the model has none, and no table where it scales", async () => {
  using plain = await freshModel(device, { config: { generative: false } });
  const table = (await buildValueTable(plain.parameters, plain.config, device))!;
  using _rows = table.table;
  assert.equal(table.flagRow, undefined);
  using scaling = await freshModel(device, { config: { inputEmbStyle: "scaling" } });
  assert.equal(await buildValueTable(scaling.parameters, scaling.config, device), undefined);
});

Deno.test("valueEmbedding() of categories refuses what is no bin", async () => {
  using model = await freshModel(device, { config: { inputEmbStyle: "category" } });
  for (const value of [51, 0.5, -3, NaN]) {
    assert.throws(
      () => valueEmbedding(model.parameters, model.config, { device }, Float32Array.of(value)),
      new RegExp(`Cannot embed a value by category as bins are 0 \\.\\. 50: got ${value}`),
    );
  }
});

Deno.test("valueEmbedding() holds values above 512 at 512, as the reference's clamp", async () => {
  using model = await freshModel(device);
  using y = scope(
    device,
    () =>
      valueEmbedding(model.parameters, model.config, { device }, Float32Array.of(512, 1e6, 511)),
  );
  const rows = await y.data();
  assert.deepEqual(rows.slice(64, 128), rows.slice(0, 64));
  assert.notDeepEqual(rows.slice(128), rows.slice(0, 64));
});

/** Input of the transformer for a batch. */
async function inputOf(
  knobs: ConfigOverrides,
  batch: Parameters<typeof uploadBatch>[1],
): Promise<Float32Array<ArrayBuffer>> {
  using model = await freshModel(device, { config: knobs });
  using hidden = model.forward(batch, ["hidden"]).hidden;
  return await hidden.data();
}

Deno.test("values that are no bins are encoded one by one, with the numbers the table has", async () => {
  const bins = await inputOf({}, BATCH);
  const withFraction = { ...BATCH, values: Float32Array.of(-2, 0, 7.5, 50, -1) };
  const fraction = await inputOf({}, withFraction);
  assert.notDeepEqual(fraction, bins);
  using model = await freshModel(device);
  const { parameters, config } = model;
  const embedded = async (table: Awaited<ReturnType<typeof buildValueTable>>) => {
    using y = scope(device, () => {
      const on = uploadBatch(device, BATCH, { nTokens: model.nTokens, embsize: 64, padId: -1 });
      const genes = parameters.get("encoder.embedding.weight")!.rows(0, 5);
      return inputEmbedding(parameters, config, on, {
        genes,
        values: table,
        conditions: [],
        norm: undefined,
      });
    });
    return await y.data();
  };
  const table = await buildValueTable(parameters, config, device);
  using _rows = table!.table;
  assert.deepEqual(bitsOf(await embedded(table)), bitsOf(await embedded(undefined)));
});

Deno.test("a batch with tokens to be generated needs bins and the flag", async () => {
  const known = Uint32Array.of(3);
  await assert.rejects(
    inputOf({}, { ...BATCH, values: Float32Array.of(-2, 0.5, 1, 0, 0), known }),
    /Cannot generate from values that are no bins/,
  );
  await assert.rejects(
    inputOf({ generative: false }, { ...BATCH, known }),
    /Cannot generate as the model has no flag_encoder\.weight/,
  );
});

Deno.test("values of tokens to be generated change nothing", async () => {
  const known = Uint32Array.of(3);
  const one = await inputOf({}, { ...BATCH, known });
  const other = await inputOf({}, {
    ...BATCH,
    known,
    values: Float32Array.of(-2, 0, 7, 0.123, 99),
  });
  assert.deepEqual(bitsOf(other), bitsOf(one));
});

Deno.test("conditionEmbedding() refuses a row that the table has not", async () => {
  using model = await freshModel(device, { config: { useBatchLabels: true, nBatch: 2 } });
  const condition = { table: "batch_encoder.embedding.weight", norm: "batch_encoder.enc_norm" };
  assert.throws(
    () => conditionEmbedding(model.parameters, { device }, condition, Uint32Array.of(0, 2)),
    /Cannot take rows of batch_encoder\.embedding\.weight as they are 0 \.\. 1: got 2 at 1/,
  );
});

Deno.test("buildDomainNorm() makes (x - mean)/√(var + eps) of running statistics", async () => {
  using model = await freshModel(device, {
    config: { domainSpecBatchnorm: "dsbn", nBatch: 2 },
    change: (tensors) =>
      tensors.map((tensor) => {
        const value = tensor.name === "dsbn.bns.1.running_mean"
          ? 3
          : tensor.name === "dsbn.bns.1.running_var"
          ? 4
          : undefined;
        if (value === undefined) return tensor;
        const bytes = new Uint8Array(new Float32Array(64).fill(value).buffer);
        return { ...tensor, read: () => Promise.resolve(bytes) };
      }),
  });
  const norm = (await buildDomainNorm(model.parameters, model.config, device))!;
  using scale = norm.scale, shift = norm.shift;
  assert.deepEqual(scale.shape, [2, 64]);
  const gain = 1 / Math.sqrt(4 + 6.1e-5);
  const scales = await scale.data(), shifts = await shift.data();
  assert.equal(scales[0], Math.fround(1 / Math.sqrt(1 + 6.1e-5)));
  assert.equal(shifts[0], 0);
  assert.equal(scales[64], Math.fround(gain));
  assert.equal(shifts[127], Math.fround(-3 * gain));
});

Deno.test("a model with domain norms needs the batch of each cell", async () => {
  using model = await freshModel(device, {
    config: { domainSpecBatchnorm: "dsbn", nBatch: 2 },
  });
  assert.throws(() => model.embedCells(BATCH), /Cannot normalise by domain as the batch has no/);
  assert.throws(
    () => model.embedCells({ ...BATCH, batchLabels: Uint32Array.of(2) }),
    /Cannot take rows of the domain norms as they are 0 \.\. 1: got 2 at 0/,
  );
});

Deno.test("a perturbation flag outside its table is refused", async () => {
  using model = await freshModel(device, { config: { perturbation: true, mvc: false } });
  assert.throws(
    () => model.embedCells({ ...BATCH, pertFlags: Uint32Array.of(0, 1, 2, 3, 0) }),
    /Cannot take rows of pert_encoder\.weight as they are 0 \.\. 2: got 3 at 3/,
  );
});
