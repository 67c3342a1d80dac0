import assert from "node:assert/strict";
import { parseArgs, parseConfig } from "../../../lib/config.ts";
import { initialWeights } from "../../../lib/model/init.ts";
import { fixturePath, readJson } from "../fixtures.ts";

interface Statistics {
  readonly shape: number[];
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
}

/** Statistics of a fresh model of the reference, by state-dict name. */
const REFERENCE: Readonly<Record<string, Statistics>> = readJson(
  "scgpt/small_checkpoint/init_stats.json",
);
const config = parseArgs(
  Deno.readTextFileSync(fixturePath("scgpt/small_checkpoint/args.json")),
);

function draw(seed: number, knobs = config) {
  const weights = initialWeights(knobs, { nTokens: 200, seed });
  return new Map(Array.from(weights, (weight) => [weight.name, weight]));
}

function statistics(values: Float32Array): Omit<Statistics, "shape"> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    std: Math.sqrt(square / Math.max(values.length - 1, 1)),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

Deno.test("initialWeights() draws every tensor as the reference's constructor does", () => {
  const [nCls = 0] = REFERENCE["cls_decoder.out_layer.weight"]!.shape;
  const drawn = draw(7, parseConfig(config, { nCls, generative: false }));
  assert.deepEqual([...drawn.keys()].sort(), Object.keys(REFERENCE).sort());
  for (const [name, expected] of Object.entries(REFERENCE)) {
    const { shape, values } = drawn.get(name)!;
    assert.deepEqual(shape, expected.shape, name);
    const got = statistics(values);
    if (values.length === 1) continue; // no spread to compare
    if (expected.std === 0) {
      assert.deepEqual([got.min, got.max], [expected.min, expected.max], name);
      continue;
    }
    // Five standard errors: a uniform's sample spread errs by 0.45/√n, here in two samples.
    const root = Math.sqrt(values.length);
    assert.ok(
      Math.abs(got.std / expected.std - 1) < 5 * 0.45 * Math.SQRT2 / root,
      `${name}: spread ${got.std}, the reference's ${expected.std}`,
    );
    assert.ok(Math.abs(got.mean) < 5 * expected.std / root, `${name}: mean ${got.mean}`);
    const bound = Math.max(-expected.min, expected.max), largest = Math.max(-got.min, got.max);
    assert.ok(Math.abs(largest / bound - 1) < 8 / values.length, `${name}: ${largest} of ${bound}`);
  }
});

Deno.test("initialWeights() draws the tables of conditions from a standard normal", () => {
  const drawn = draw(2, parseConfig(config, { useBatchLabels: true, nBatch: 300 }));
  const { mean, std } = statistics(drawn.get("batch_encoder.embedding.weight")!.values);
  assert.ok(
    Math.abs(mean) < 5 / Math.sqrt(300 * 64) && Math.abs(std - 1) < 0.025,
    `${mean} ${std}`,
  );
});

Deno.test("initialWeights() keeps each bound exactly", () => {
  const drawn = draw(3);
  const largest = (name: string) =>
    drawn.get(name)!.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const layer = "transformer_encoder.layers.0";
  for (
    const [name, bound] of [
      ["encoder.embedding.weight", 0.1],
      ["value_encoder.linear1.weight", 1],
      ["value_encoder.linear2.weight", 1 / Math.sqrt(64)],
      [`${layer}.self_attn.in_proj_weight`, Math.sqrt(6 / (64 + 192))],
      [`${layer}.self_attn.out_proj.weight`, 1 / Math.sqrt(64)],
      [`${layer}.linear2.weight`, 1 / Math.sqrt(96)],
      ["decoder.fc.4.bias", 1 / Math.sqrt(64)],
    ] as const
  ) {
    assert.ok(largest(name) <= Math.fround(bound), `${name}: ${largest(name)} above ${bound}`);
    if (drawn.get(name)!.values.length > 1000) assert.ok(largest(name) > 0.99 * bound, name);
  }
  for (const name of ["in_proj_bias", "out_proj.bias"]) {
    assert.equal(largest(`${layer}.self_attn.${name}`), 0, name);
  }
});

Deno.test("initialWeights() starts all layers equal, as the reference's deep copies", () => {
  const drawn = draw(5);
  for (const [name, { values }] of drawn) {
    if (!name.includes(".layers.1.")) continue;
    assert.deepEqual(values, drawn.get(name.replace(".layers.1.", ".layers.0."))!.values, name);
  }
  const [one, two] = ["linear1.weight", "linear2.weight"].map((name) =>
    drawn.get(`transformer_encoder.layers.0.${name}`)!.values
  );
  assert.notDeepEqual(one!.subarray(0, 8), two!.subarray(0, 8));
});

Deno.test("initialWeights() gives a seed the same numbers, whatever else the model has", () => {
  const first = draw(11), again = draw(11), other = draw(12);
  const withHeads = draw(11, parseConfig(config, { nCls: 3 }));
  assert.deepEqual(again, first);
  for (const [name, { values, init }] of first) {
    assert.deepEqual(withHeads.get(name)!.values, values, name);
    if (init.kind === "ones" || init.kind === "zeros") continue;
    assert.notDeepEqual(other.get(name)!.values, values, name);
  }
});

Deno.test("initialWeights() leaves the rows of pads zero where the reference has a padding row", () => {
  const drawn = draw(1, parseConfig("mini", { perturbation: true, inputEmbStyle: "category" }));
  const row = (name: string, index: number) => {
    const { shape, values } = drawn.get(name)!;
    return values.subarray(index * shape[1]!, (index + 1) * shape[1]!);
  };
  assert.ok(row("pert_encoder.weight", 0).every((value) => value === 0));
  assert.ok(row("pert_encoder.weight", 1).some((value) => value !== 0));
  assert.ok(row("value_encoder.embedding.weight", 51).every((value) => value === 0));
  assert.ok(row("value_encoder.embedding.weight", 52).some((value) => value !== 0));
});

Deno.test("initialWeights() refuses a seed that is no integer from 0", () => {
  for (const seed of [-1, 0.5, 2 ** 53]) assert.throws(() => draw(seed), RangeError);
});
