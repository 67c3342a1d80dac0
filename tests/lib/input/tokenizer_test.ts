import assert from "node:assert/strict";
import type { CellDraws, GeneColumns } from "../../../lib/input/draws.ts";
import { maskValues } from "../../../lib/input/masking.ts";
import {
  type CellTokens,
  Tokenizer,
  type TokenizerSettings,
} from "../../../lib/input/tokenizer.ts";
import { recordBits } from "../../parity/ledger.ts";
import { readFixture, readJson, type Recorded, rowOf } from "../fixtures.ts";

const PAD = 197, CLS = 198, PAD_VALUE = -2, MASK_VALUE = -1, MASK_RATIO = 0.4;
const recorded = await readFixture("scgpt/tokenize/tokenize.safetensors");
const { cases } = readJson("scgpt/tokenize/tokenize.json");

function genes(ids: Recorded): GeneColumns {
  return { ids: Int32Array.from(ids.values), occurrences: new Uint8Array(ids.values.length) };
}

function tokenizer(settings: Partial<TokenizerSettings>): Tokenizer {
  return new Tokenizer({
    genes: genes(recorded("gene_ids")),
    cls: { id: CLS, value: 0 },
    maxLength: 1200,
    nBins: 51,
    binning: "none",
    includeZeroGenes: false,
    ...settings,
  });
}

/** A dense row as the sparse row that a matrix reader gives. */
function sparse(row: Float64Array) {
  const indices = Uint32Array.from(row.keys()).filter((column) => row[column] !== 0);
  return { indices, data: Float32Array.from(indices, (column) => row[column]!) };
}

const NO_DRAWS: CellDraws = {
  uniform: () => assert.fail("no bin is drawn"),
  choose: () => assert.fail("nothing is sampled"),
};

/** A packed cell as a row of the reference's padded batch. */
function padded({ ids, values }: CellTokens, width: number): [number[], number[]] {
  const pads = width - ids.length;
  return [[...ids, ...Array(pads).fill(PAD)], [...values, ...Array(pads).fill(PAD_VALUE)]];
}

for (const name of ["zeros_all", "nonzero", "sampled", "nonzero_sampled", "nocls_sampled"]) {
  Deno.test(`Tokenizer gives the reference's tokens and masks: ${name}`, async () => {
    const { include_zero_gene, max_len, append_cls = true } = cases[name];
    const make = tokenizer({
      includeZeroGenes: include_zero_gene,
      maxLength: max_len,
      cls: append_cls ? { id: CLS, value: 0 } : undefined,
    });
    const genes = recorded(`${name}.genes`), values = recorded(`${name}.values`);
    const masked = recorded(`${name}.masked`);
    for (let cell = 0; cell < genes.shape[0]!; cell++) {
      const tokens = make.tokenize(sparse(rowOf(recorded("data"), cell)), {
        ...NO_DRAWS,
        choose: (_, count) => {
          const choice = recorded(`${name}.choice${cell}`).values;
          assert.equal(choice.length, count);
          return choice;
        },
      });
      const [ids, bins] = padded(tokens, genes.shape[1]!);
      assert.deepEqual(ids, [...rowOf(genes, cell)]);
      assert.deepEqual(bins, [...rowOf(values, cell)]);
      assert.deepEqual(
        padded({ ids: tokens.ids, values: maskAsRecorded(tokens, name, cell) }, genes.shape[1]!)[1],
        [...rowOf(masked, cell)],
      );
    }
    await recordBits(`tokenize/${name}`, "tokens and masks", "lib/input/tokenizer.ts");
  });
}

/** numpy chose among positions of the padded row, which begin with those of the cell. */
function maskAsRecorded({ values }: CellTokens, name: string, cell: number) {
  const settings = {
    maskRatio: MASK_RATIO,
    maskValue: MASK_VALUE,
    padValue: PAD_VALUE,
    keepFirst: 0,
  };
  return maskValues(
    { values, offsets: Uint32Array.of(0, values.length) },
    settings,
    (_, candidates, count) => {
      const choice = recorded(`${name}.maskchoice${cell}`).values;
      assert.equal(choice.length, count);
      for (const position of choice) assert.ok(candidates.includes(position));
      return choice;
    },
  );
}

for (const name of ["long", "trunc", "sampled"]) {
  Deno.test(`Tokenizer bins like the reference's DataCollator: ${name}`, async () => {
    const gene = recorded(`collator.${name}.plain.gene`),
      expr = recorded(`collator.${name}.plain.expr`);
    const uniforms = recorded(`collator.${name}.plain.uniforms`).values;
    const offsets = recorded(`collator.${name}.plain.uniform_offsets`).values;
    const collated = genes(recorded("collator.gene_ids"));
    const make = tokenizer({
      genes: collated,
      cls: { id: CLS, value: PAD_VALUE },
      maxLength: gene.shape[1]!,
      binning: "reference",
    });
    for (let cell = 0; cell < gene.shape[0]!; cell++) {
      const row = sparse(rowOf(recorded("collator.raw"), cell));
      const wanted = [...rowOf(gene, cell)];
      const tokens = make.tokenize(row, {
        uniform: (column) => uniforms[offsets[cell]! + row.indices.indexOf(column)]!,
        choose: (columns) => {
          // torch's permutation was not recorded: the tokens say which genes it kept.
          const position = new Map(Array.from(columns, (column, at) => [collated.ids[column], at]));
          return wanted.slice(1).map((id) => position.get(id)!);
        },
      });
      const [ids, values] = padded(tokens, gene.shape[1]!);
      assert.deepEqual(ids, wanted);
      assert.deepEqual(values, [...rowOf(expr, cell)]);
    }
    await recordBits(
      `tokenize/collator.${name}`,
      "tokens, the recorded choice given",
      "lib/input/tokenizer.ts",
    );
  });
}

Deno.test("Tokenizer leaves out genes without an id and keeps <cls> of an empty cell", () => {
  const make = tokenizer({
    genes: { ids: Int32Array.of(5, -1, 7), occurrences: new Uint8Array(3) },
    cls: { id: CLS, value: PAD_VALUE },
  });
  const tokens = make.tokenize(
    { indices: Uint32Array.of(0, 1, 2), data: Float32Array.of(0, 3, 4) },
    NO_DRAWS,
  );
  assert.deepEqual([...tokens.ids], [CLS, 7]);
  assert.deepEqual([...tokens.values], [PAD_VALUE, 4]);
  const empty = make.tokenize({ indices: new Uint32Array(0), data: new Float32Array(0) }, NO_DRAWS);
  assert.deepEqual([...empty.ids], [CLS]);
  assert.deepEqual([...empty.values], [PAD_VALUE]);
});

Deno.test("Tokenizer includes genes with value zero when asked", () => {
  const make = tokenizer({
    genes: { ids: Int32Array.of(5, -1, 7, 6), occurrences: new Uint8Array(4) },
    includeZeroGenes: true,
    binning: "deterministic",
  });
  const row = { indices: Uint32Array.of(1, 2), data: Float32Array.of(9, 4) };
  const tokens = make.tokenize(row, NO_DRAWS);
  assert.deepEqual([...tokens.ids], [CLS, 5, 7, 6]);
  assert.deepEqual([...tokens.values], [0, 0, 25, 0]);
});
