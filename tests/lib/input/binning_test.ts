import assert from "node:assert/strict";
import fc from "fast-check";
import { binEdges, binRow, MIDDLE } from "../../../lib/input/binning.ts";
import { recordBits } from "../../parity/ledger.ts";
import { readFixture } from "../fixtures.ts";

const CASES = [
  "counts_ties",
  "lognorm",
  "all_positive_no_zero",
  "one_nonzero",
  "two_values",
  "constant",
  "with_negative",
  "fewer_than_bins",
  "more_than_bins",
  "float64_row",
  "huge",
];

Deno.test("binRow() gives the reference's bins, bit-equal given its draws", async () => {
  const recorded = await readFixture("scgpt/preprocess/binning_rows.safetensors");
  for (const name of CASES) {
    const { values } = recorded(`${name}.in`);
    const uniforms = recorded(`${name}.uniforms`).values;
    let drawn = 0; // the reference draws one number for each non-zero value, in order
    const order = Array.from(values, (value) => value === 0 ? -1 : drawn++);
    assert.equal(drawn, uniforms.length, name);
    assert.deepEqual(binEdges(values, 51), recorded(`${name}.edges`).values, `${name} edges`);
    const bins = binRow(values, 51, (i) => uniforms[order[i]!]!);
    assert.deepEqual(bins, Float32Array.from(recorded(`${name}.out_np`).values), name);
    assert.deepEqual(bins, Float32Array.from(recorded(`${name}.out_pt`).values), name);
  }
  await recordBits("preprocess/binning_rows", "bins and edges", "lib/input/binning.ts");
});

Deno.test("binRow() asks for a draw only where edges coincide", async () => {
  const recorded = await readFixture("scgpt/preprocess/binning_rows.safetensors");
  const asked = (name: string) => {
    let count = 0;
    binRow(recorded(`${name}.in`).values, 51, () => (count++, 0));
    return count;
  };
  assert.equal(asked("counts_ties"), 222); // n_random_ambiguous of the fixture
  assert.equal(asked("lognorm"), 0);
});

Deno.test("binRow() gives zeros for a row without values above zero", () => {
  assert.deepEqual(binRow(new Float32Array(10), 51, () => 0), new Float32Array(10));
  assert.deepEqual(binRow(new Float32Array(0), 51, () => 0), new Float32Array(0));
  assert.deepEqual(binRow(Float32Array.of(-1, 0), 51, () => 0), new Float32Array(2));
});

Deno.test("binRow() with the middle draw takes the middle bin of a tie, the lower of two", () => {
  // One value on all 50 edges: bins 1 .. 50, middles 25 and 26.
  assert.deepEqual(binRow(Float32Array.of(0, 7), 51, () => MIDDLE), Float32Array.of(0, 25));
  assert.deepEqual(binRow(Float32Array.of(7), 4, () => MIDDLE), Float32Array.of(2));
});

const counts = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 300 });

Deno.test("binRow() keeps the order of values and stays inside 1 .. nBins-1", () => {
  fc.assert(fc.property(counts, fc.integer({ min: 2, max: 60 }), (list, nBins) => {
    const values = Float32Array.from(list);
    const bins = binRow(values, nBins, () => MIDDLE);
    for (let i = 0; i < values.length; i++) {
      assert.equal(bins[i] === 0, values[i] === 0);
      assert.ok(bins[i]! <= nBins - 1);
      for (let j = 0; j < i; j++) {
        if (values[i]! > values[j]!) assert.ok(bins[i]! >= bins[j]!);
      }
    }
  }));
});

Deno.test("binRow() gives the same bins for scaled values", () => {
  const powers = fc.integer({ min: -10, max: 10 }).map((exponent) => 2 ** exponent);
  const uniforms = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
  fc.assert(fc.property(counts, powers, uniforms, (list, scale, stream) => {
    const drawn = list.map(() => stream.next().value as number);
    const bins = (factor: number) =>
      binRow(Float32Array.from(list, (value) => value * factor), 51, (i) => drawn[i]!);
    assert.deepEqual(bins(scale), bins(1));
  }));
});
