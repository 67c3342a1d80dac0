/** The input stage against the full set of recorded numbers and the released files, where they are at hand. */
import assert from "node:assert/strict";
import { openSource } from "../../data/mod.ts";
import { parseArgs } from "../../lib/config.ts";
import { binEdges, binRow } from "../../lib/input/binning.ts";
import { GeneVocab } from "../../lib/input/vocab.ts";
import { readSafetensors } from "../../lib/io/safetensors.ts";
import { recordBits } from "./ledger.ts";

const SHARED = new URL("../../../shared/", import.meta.url);

/** A file of the shared folder, or undefined. */
function shared(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(new URL(path, SHARED));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}

/** Registers a test that is skipped, with the reason, when a file is absent. */
function testWith(
  path: string,
  name: string,
  test: (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>,
): void {
  const bytes = shared(path);
  if (bytes === undefined) console.log(`skipped: ${name}, as ../shared/${path} is absent`);
  Deno.test({ name, ignore: bytes === undefined, fn: () => test(bytes!) });
}

async function columnsOf(bytes: Uint8Array) {
  using source = await openSource(bytes);
  const { tensors } = await readSafetensors(source);
  return async (name: string) => {
    const { dtype, shape, read } = tensors.get(name)!;
    const { buffer } = (await read()).slice();
    const values = dtype === "F32"
      ? new Float32Array(buffer)
      : dtype === "F64"
      ? new Float64Array(buffer)
      : Float64Array.from(new BigInt64Array(buffer), Number);
    return { values, width: shape[1] ?? 1, rows: shape[0]! };
  };
}

// [run, layer that the Preprocessor binned]
const RUNS = [
  ["raw_seuratv3", "X_log1p"],
  ["raw_seuratv3_batch", "X_log1p"],
  [
    "nohvg",
    "X_log1p",
  ],
  ["nolog", "X_normed"],
  ["cell_ranger", "X_normed"],
] as const;

for (const [run, layer] of RUNS) {
  testWith(
    "fixtures/scgpt/preprocess/pipeline.safetensors",
    `binRow() gives every bin of the reference's Preprocessor: ${run}`,
    async (bytes) => {
      const column = await columnsOf(bytes);
      const input = await column(`${run}.${layer}`), binned = await column(`${run}.X_binned`);
      const uniforms = (await column(`${run}.uniforms`)).values;
      const starts = (await column(`${run}.uniform_offsets`)).values;
      const edges = run === "cell_ranger" ? undefined : await column(`${run}.bin_edges`);
      let start = 0, cell = 0;
      for (let row = 0; row < input.rows; row++) {
        const part = (of: { values: Float32Array | Float64Array; width: number }) =>
          of.values.slice(row * of.width, (row + 1) * of.width);
        const values = part(input);
        if (values.some((value) => value !== 0)) start = starts[cell++]!; // zero rows draw nothing
        let drawn = 0;
        const order = Array.from(values, (value) => value === 0 ? -1 : drawn++);
        const bins = binRow(values, 51, (i) => uniforms[start + order[i]!]!);
        assert.deepEqual([...bins], [...part(binned)], `cell ${row}`);
        const own = binEdges(values, 51);
        if (edges !== undefined && own !== undefined) {
          assert.deepEqual([...own], [...part(edges).slice(1)], `edges of cell ${row}`);
        }
      }
      await recordBits(`preprocess/pipeline ${run}`, "bins of all cells", "lib/input/binning.ts");
    },
  );
}

const RELEASED = "data/vocab/scgpt_args/models_scGPT_human";

testWith(
  `${RELEASED}_vocab.json`,
  "GeneVocab.fromJson() reads the released vocabulary",
  (bytes) => {
    const text = new TextDecoder().decode(bytes);
    const started = performance.now();
    const vocab = GeneVocab.fromJson(text);
    const milliseconds = performance.now() - started;
    assert.equal(vocab.size, 60_697);
    assert.deepEqual(["<pad>", "<cls>", "<eoc>"].map((token) => vocab.id(token)), [
      60694,
      60695,
      60696,
    ]);
    assert.ok(milliseconds < 1000, `${milliseconds} ms`); // about 60 ms; the reference takes minutes
  },
);

testWith(
  "data/vocab/default_census_vocab.json",
  "GeneVocab.fromJson() appends specials to the census vocabulary as the release has them",
  (bytes) => {
    const vocab = GeneVocab.fromJson(new TextDecoder().decode(bytes));
    const released = shared(`${RELEASED}_vocab.json`)!;
    assert.deepEqual(
      vocab.names(),
      GeneVocab.fromJson(new TextDecoder().decode(released)).names(),
    );
  },
);

testWith(`${RELEASED}_args.json`, "parseArgs() reads the released args.json", (bytes) => {
  const config = parseArgs(new TextDecoder().decode(bytes));
  assert.deepEqual([config.embsize, config.nheads, config.dHid, config.nlayers], [512, 8, 512, 12]);
  assert.deepEqual([config.maxSeqLen, config.nBins, config.mvc], [1200, 51, true]);
  assert.equal(config.extra["batch_size"], 32);
});
