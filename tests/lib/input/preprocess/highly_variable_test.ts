import assert from "node:assert/strict";
import { csrMatrix, denseMatrix } from "../../../../data/mod.ts";
import {
  highlyVariableGenes,
  type HighlyVariableOptions,
  type HvgFlavor,
} from "../../../../lib/input/preprocess/highly_variable.ts";
import { preprocess } from "../../../../lib/input/preprocess/preprocess.ts";
import { BATCH, cellsOf, largestError, recorded } from "./recorded.ts";

const { adata } = await preprocess(cellsOf("X_raw"), { minGeneCounts: 3, log1p: true });

async function tableOf(flavor: HvgFlavor, kind: "nobatch" | "batch") {
  const matrix = await adata.matrix(flavor === "seurat_v3" ? undefined : "X_log1p");
  const options = { flavor, nTopGenes: 120, ...kind === "batch" && { batch: BATCH } };
  return (await highlyVariableGenes(matrix, options)).table;
}

/** Columns that must be equal, and columns of real numbers. */
const EXACT = ["highly_variable", "highly_variable_nbatches", "highly_variable_intersection"];
const REAL = ["means", "variances", "variances_norm", "dispersions", "dispersions_norm"];

for (const flavor of ["seurat_v3", "cell_ranger", "seurat"] as const) {
  for (const kind of ["nobatch", "batch"] as const) {
    Deno.test(`highlyVariableGenes() gives scanpy's table for ${flavor}, ${kind}`, async () => {
      for (const [name, values] of Object.entries(await tableOf(flavor, kind))) {
        if (name === "highly_variable_rank") continue;
        const wanted = recorded(`hvg.${flavor}.${kind}.${name}`).values;
        const found = Float64Array.from(values as ArrayLike<number>, Number);
        if (EXACT.includes(name)) assert.deepEqual(found, Float64Array.from(wanted), name);
        else {
          assert.ok(REAL.includes(name));
          assert.ok(largestError(found, wanted) < (flavor === "seurat_v3" ? 1e-13 : 1e-6), name);
        }
      }
    });
  }
}

/** Ranks a gene can have when numpy, whose sort is not stable, puts genes of equal variance in any order. */
function possibleRanks(variances: ArrayLike<number>, gene: number): [number, number] {
  const close = 1e-12 * variances[gene]!;
  const above = Array.from(variances).filter((one) => one > variances[gene]! + close).length;
  const notBelow = Array.from(variances).filter((one) => one >= variances[gene]! - close).length;
  return [above, notBelow - 1];
}

Deno.test("highlyVariableGenes() ranks as scanpy, but for genes of equal variance", async () => {
  const { highly_variable_rank: ranks, variances_norm } = await tableOf("seurat_v3", "nobatch");
  const wanted = recorded("hvg.seurat_v3.nobatch.highly_variable_rank").values;
  let equal = 0;
  for (let gene = 0; gene < wanted.length; gene++) {
    if (Object.is(ranks![gene], wanted[gene])) equal++;
    else {
      const [least, most] = possibleRanks(variances_norm!, gene);
      assert.ok(least <= wanted[gene]! && wanted[gene]! <= most, `gene ${gene}`);
    }
  }
  assert.equal(equal, 358); // two genes share mean and variance
});

Deno.test("highlyVariableGenes() takes the median of the ranks in batches", async () => {
  const { highly_variable_rank: ranks } = await tableOf("seurat_v3", "batch");
  const wanted = recorded("hvg.seurat_v3.batch.highly_variable_rank").values;
  // Genes of equal variance in a batch, of which there are many with 40 cells, are a few ranks apart.
  assert.ok(largestError(ranks!, wanted) * 119 <= 4);
  assert.ok(ranks!.filter((rank, gene) => !Object.is(rank, wanted[gene])).length <= 15);
});

const CELLS = 30, GENES = 40;
const COUNTS = Float32Array.from(
  { length: CELLS * GENES },
  (_, i) => Math.floor((i % GENES + 1) * (1 + Math.sin(i * i)) ** 2 / 4),
);
const X = denseMatrix(COUNTS, [CELLS, GENES]);

Deno.test("highlyVariableGenes() does not depend on the pieces in which rows are read", async () => {
  const inPieces = { shape: X.shape, rows: (options = {}) => X.rows({ ...options, batch: 7 }) };
  const batch = Array.from({ length: CELLS }, (_, cell) => `b${cell % 2}`);
  for (const flavor of ["seurat_v3", "seurat"] as const) {
    const options = { flavor, nTopGenes: 9, batch };
    assert.deepEqual(
      await highlyVariableGenes(inPieces, options),
      await highlyVariableGenes(X, options),
    );
  }
});

Deno.test("highlyVariableGenes() never chooses genes without counts, nor more than vary", async () => {
  const some = csrMatrix({
    shape: [4, 9],
    indptr: Uint32Array.of(0, 4, 6, 8, 10),
    indices: Uint32Array.of(1, 3, 5, 7, 1, 3, 5, 7, 5, 7),
    data: Float32Array.of(1, 2, 3, 9, 1, 5, 6, 2, 1, 3),
  });
  const { columns, table } = await highlyVariableGenes(some, { nTopGenes: 4 });
  assert.deepEqual([...columns], [1, 3, 5, 7]);
  assert.equal(table.variances_norm![0], 0);
  const seurat = await highlyVariableGenes(some, { nTopGenes: 6, flavor: "seurat" });
  assert.deepEqual([...seurat.columns], [1, 3, 5, 7]); // genes that do not vary have no dispersion
});

Deno.test("highlyVariableGenes() drops coinciding percentiles, at which scanpy stops", async () => {
  const half = Float32Array.from(COUNTS, (value, i) => i % GENES < 20 ? 0 : value);
  const { columns } = await highlyVariableGenes(denseMatrix(half, [CELLS, GENES]), {
    flavor: "cell_ranger",
    nTopGenes: 5,
  });
  assert.ok(columns.length >= 5 && columns.length < 10); // equals of the fifth are added
  assert.ok(columns.every((gene) => gene >= 20));
});

Deno.test("highlyVariableGenes() refuses values and options that it cannot take", async () => {
  const refuses = (values: number[], options: HighlyVariableOptions, message: RegExp) => {
    const matrix = denseMatrix(Float32Array.from(values), [2, values.length / 2]);
    return assert.rejects(highlyVariableGenes(matrix, options), message);
  };
  await refuses([1, 2, 0, 2.5], {}, /be counts, .* got 2\.5 in row 1, column 1/);
  await refuses([1, 2, 0, -1], { flavor: "seurat" }, />= 0: got -1 in row 1, column 1/);
  await refuses([1, 2, 0, NaN], { checkValues: false }, /got NaN/);
  await refuses([1, 2, 0, 2], { nTopGenes: 1 }, /follow a trend over their means: 1 genes vary/);
  await refuses([1, 2], { nTopGenes: 0 }, /nTopGenes must be an integer >= 1: got 0/);
  await refuses([1, 2], { flavor: "seurat_v2" as HvgFlavor }, /got "seurat_v2"/);
  await refuses([1, 2], { ntopgenes: 3 } as object, /did you mean "nTopGenes"/);
  await refuses([1, 2], { batch: ["a"] }, /each of 2 cells needs a batch: got 1 labels/);
  await refuses([1, 2], { batch: ["a", null] }, /none for cell 1/);
});

Deno.test("highlyVariableGenes() stops on abort", async () => {
  const reason = new Error("stop");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(highlyVariableGenes(X, { signal }), reason);
});
