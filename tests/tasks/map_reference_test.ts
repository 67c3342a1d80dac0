import assert from "node:assert/strict";
import {
  AnnData,
  attachMapping,
  CategoricalColumn,
  DataFrame,
  denseMatrix,
  labelsOf,
  mapReference,
  type MapReferenceOptions,
  NumericColumn,
  openH5ad,
  openWasmDevice,
  runManifest,
  StringColumn,
  writeH5ad,
} from "../../mod.ts";
import { TempFolder } from "../data/fixtures.ts";
import { freshModel, geneVocab } from "../lib/model/fresh_model.ts";
import { bloodModel, openBlood, spreadRows } from "./blood_cells.ts";

const device = await openWasmDevice({ threads: 1 });
const model = await freshModel(device, { vocab: geneVocab(12) });
const GENES = geneVocab(12).names().slice(0, 12);

/** Cells of two kinds: even ones express the first genes, odd ones the last. */
function twoKinds(count: number, labels?: readonly (string | null)[]): AnnData {
  const X = new Float32Array(count * 12);
  for (let cell = 0; cell < count; cell++) {
    for (let g = 0; g < 5; g++) X[cell * 12 + (cell % 2) * 6 + g] = 1 + ((cell * 7 + g * 3) % 9);
  }
  const index = Array.from({ length: count }, (_, cell) => `cell${cell}`);
  const kinds = labels ?? index.map((_, cell) => cell % 2 === 0 ? "first" : "last");
  return AnnData.fromParts({
    X: denseMatrix(X, [count, 12]),
    obs: new DataFrame({ index, columns: { kind: CategoricalColumn.from(kinds) } }),
    var: new DataFrame({ index: GENES }),
  });
}

const OPTIONS: MapReferenceOptions = { labelKey: "kind", k: 3 };

Deno.test("mapReference() gives the labels of the nearest cells", async () => {
  const reference = twoKinds(20), query = twoKinds(7);
  const result = await mapReference(reference, query, model, OPTIONS);
  assert.deepEqual(result.labels, query.obsNames.map((_, i) => i % 2 === 0 ? "first" : "last"));
  assert.equal(result.neighbors.indices.length, 21);
  assert.ok(result.confidence.every((share) => share === 1));
  assert.equal(result.reference.embeddings.length, 20 * 64);
  assert.equal(result.query.embeddings.length, 7 * 64);
});

Deno.test("mapReference() finds a cell itself at distance 0", async () => {
  const cells = twoKinds(10);
  const { neighbors, labels } = await mapReference(cells, cells.select({ obs: [4, 1] }), model, {
    labelKey: "kind",
    k: 1,
  });
  assert.deepEqual([...neighbors.distances], [0, 0]);
  assert.deepEqual(labels, ["first", "last"]);
});

Deno.test("mapReference() maps a query with other genes in another order", async () => {
  const reference = twoKinds(20), query = twoKinds(6);
  const ids = GENES.map((_, i) => `ENSG${String(i).padStart(11, "0")}`);
  const turned = query.with({
    var: new DataFrame({ index: ids, columns: { feature_name: new StringColumn(GENES) } }),
  }).select({ var: [11, 0, 3, 10, 9, 1, 2, 8, 6, 7] });
  const { labels, query: embedded } = await mapReference(reference, turned, model, OPTIONS);
  assert.equal(embedded.genes.column, "feature_name");
  assert.deepEqual(labels, ["first", "last", "first", "last", "first", "last"]);
});

Deno.test("mapReference() leaves reference cells without a label out", async () => {
  const labels = Array.from({ length: 12 }, (_, i) => i < 4 ? null : i % 2 === 0 ? "a" : "b");
  const result = await mapReference(twoKinds(12, labels), twoKinds(2), model, OPTIONS);
  assert.deepEqual([...result.referenceRows], [4, 5, 6, 7, 8, 9, 10, 11]);
  assert.deepEqual(result.labels, ["a", "b"]);
  assert.ok(result.neighbors.indices.every((index) => index < 8));
});

Deno.test("mapReference() uses common names, and null leaves a label out", async () => {
  const labelMap = { first: "kind one", last: null };
  const result = await mapReference(twoKinds(12), twoKinds(3), model, { ...OPTIONS, labelMap });
  assert.deepEqual(result.labels, ["kind one", "kind one", "kind one"]);
  assert.equal(result.referenceRows.length, 6);
});

Deno.test("mapReference() rejects what is stranger than the reference, or what has too few votes", async () => {
  const reference = twoKinds(20).select({ obs: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18] }); // the first kind alone
  const { labels } = await mapReference(reference, twoKinds(4), model, {
    ...OPTIONS,
    maxDistanceQuantile: 0.99,
  });
  assert.deepEqual(labels, ["first", "unknown", "first", "unknown"]);
  const mixed = Array.from({ length: 20 }, (_, i) => ["a", "b", "c"][Math.floor(i / 2) % 3]!);
  const unsure = await mapReference(twoKinds(20, mixed), twoKinds(4), model, {
    labelKey: "kind",
    k: 10,
    minConfidence: 0.9,
  });
  assert.deepEqual(unsure.labels, ["unknown", "unknown", "unknown", "unknown"]);
  assert.ok(unsure.confidence.every((share) => share > 0.3 && share < 0.9));
});

Deno.test("mapReference() maps one cell and none", async () => {
  const one = await mapReference(twoKinds(5), twoKinds(1), model, OPTIONS);
  assert.deepEqual(one.labels, ["first"]);
  const none = await mapReference(twoKinds(5), twoKinds(0), model, OPTIONS);
  assert.deepEqual(none.labels, []);
  assert.equal(none.neighbors.indices.length, 0);
});

interface Fault {
  readonly reference?: AnnData;
  readonly query?: AnnData;
  readonly options?: Partial<MapReferenceOptions>;
  readonly message: RegExp;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "a label column that does not exist": {
    options: { labelKey: "kinds" },
    message: /Cannot read the column "kinds" as there is none: did you mean "kind"\?/,
  },
  "a reference without labels": {
    reference: twoKinds(4, [null, null, null, null]),
    message: /Cannot take labels from obs\["kind"\] as no cell has one/,
  },
  "an empty reference": {
    reference: twoKinds(0),
    message: /Cannot take labels from obs\["kind"\] as no cell has one/,
  },
  "k larger than the labelled reference": {
    reference: twoKinds(4, ["a", null, "b", "b"]),
    options: { k: 4 },
    message: /k must be in 1\.\.3, the labelled reference cells: got 4/,
  },
  "k that is no number of cells": { options: { k: 0 }, message: /k must be in 1\.\.8.*: got 0/ },
  "a confidence above 1": {
    options: { minConfidence: 1.5 },
    message: /minConfidence must be in 0\.\.1: got 1\.5/,
  },
  "a quantile below 0": {
    options: { maxDistanceQuantile: -0.5 },
    message: /maxDistanceQuantile must be in 0\.\.1: got -0\.5/,
  },
  "a quantile of one cell": {
    reference: twoKinds(1),
    options: { k: 1, maxDistanceQuantile: 0.99 },
    message: /maxDistanceQuantile needs at least 2 labelled reference cells: got 1/,
  },
  "unknown weights": {
    options: { weights: "gauss" as "uniform" },
    message: /weights must be "uniform" or "distance": got "gauss"/,
  },
  "a bad value in the query": {
    query: twoKinds(3).with({ X: denseMatrix(new Float32Array(36).fill(-1), [3, 12]) }),
    message: /expression values must be >= 0: got -1 in cell cell0, gene G0000/,
  },
};

for (const [name, { reference, query, options, message }] of Object.entries(FAULTS)) {
  Deno.test(`mapReference() refuses ${name}`, async () => {
    const { liveBuffers } = device.memory;
    const given = { ...OPTIONS, ...options };
    const mapped = mapReference(reference ?? twoKinds(8), query ?? twoKinds(3), model, given);
    await assert.rejects(mapped, (error: unknown) => {
      assert.ok(error instanceof RangeError, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.equal(device.memory.liveBuffers, liveBuffers);
  });
}

Deno.test("mapReference() refuses unknown options, its own and the embedding's", async () => {
  const map = (options: object) =>
    mapReference(twoKinds(8), twoKinds(2), model, { ...OPTIONS, ...options });
  await assert.rejects(
    map({ labelkey: "kind" }),
    /"labelkey" is not known: did you mean "labelKey"/,
  );
  await assert.rejects(
    map({ embedding: { seeds: 1 } }),
    /"seeds" is not known: did you mean "seed"/,
  );
});

Deno.test("labelsOf() takes every kind of missing label as null", async () => {
  const index = ["a", "b", "c"];
  const adata = AnnData.fromParts({
    obs: new DataFrame({
      index,
      columns: {
        categories: CategoricalColumn.from(["T", null, "B"]),
        objects: new StringColumn(["T", "nan", "B"]),
        numbers: new NumericColumn(Float64Array.of(1, NaN, 3)),
        masked: new NumericColumn(Float64Array.of(1, 2, 3), { mask: Uint8Array.of(0, 1, 0) }),
      },
    }),
    var: new DataFrame({ index: [] }),
  });
  assert.deepEqual(await labelsOf(adata, "categories"), ["T", null, "B"]);
  assert.deepEqual(await labelsOf(adata, "objects"), ["T", null, "B"]);
  assert.deepEqual(await labelsOf(adata, "numbers"), ["1", null, "3"]);
  assert.deepEqual(await labelsOf(adata, "masked"), ["1", null, "3"]);
  assert.deepEqual(await labelsOf(adata, "categories", { T: "T cell", B: null }), [
    "T cell",
    null,
    null,
  ]);
  assert.deepEqual(await labelsOf(adata, "objects", { toString: "no" }), ["T", null, "B"]);
});

const READ_IN_PYTHON = `
import sys, anndata
a = anndata.read_h5ad(sys.argv[1])
print(a.shape, a.obsm["X_scGPT"].shape, a.obs["scgpt_label"].dtype, a.uns["scgpt"]["task"])
print(",".join(a.obs["scgpt_label"].astype(str)))
`;
import { python, withoutPython } from "../data/python.ts";

Deno.test("attachMapping() writes labels, confidences, embeddings and manifest of real cells", async (t) => {
  using cells = await openBlood();
  using blood = await bloodModel(device, cells);
  const reference = cells.select({ obs: spreadRows(60) });
  const query = cells.select({ obs: spreadRows(20, 5) });
  const embedding = { layer: "raw", maxLength: 100 };
  const result = await mapReference(reference, query, blood, {
    labelKey: "bulk_labels",
    embedding,
  });
  const known = new Set(await labelsOf(reference, "bulk_labels"));
  assert.ok(result.labels.every((label) => known.has(label)));

  using folder = new TempFolder();
  const path = folder.file("mapped.h5ad");
  const manifest = await runManifest("map", blood, { labelKey: "bulk_labels" });
  await writeH5ad(attachMapping(query, result, { manifest }), path);
  using back = await openH5ad(path);
  const labels = await back.obs.column("scgpt_label", "categorical");
  assert.deepEqual([...labels.values()], result.labels);
  const confidence = await back.obs.column("scgpt_label_confidence", "numeric");
  assert.deepEqual(new Float32Array(confidence.data), result.confidence);
  assert.deepEqual(await labelsOf(back, "bulk_labels"), await labelsOf(query, "bulk_labels"));
  assert.equal(back.raw?.var.length, 765);
  assert.ok(!query.obs.has("scgpt_label"));

  await t.step({
    name: "and Python's anndata opens the file",
    ignore: withoutPython(python),
    fn: async () => {
      const { stdout, stderr, success } = await new Deno.Command(python!, {
        args: ["-c", READ_IN_PYTHON, path],
      }).output();
      const text = new TextDecoder();
      assert.ok(success, text.decode(stderr));
      const [shapes, names] = text.decode(stdout).trim().split("\n");
      assert.equal(shapes, "(20, 765) (20, 64) category map");
      assert.equal(names, result.labels.join(","));
    },
  });
});

Deno.test("attachMapping() names the columns by its key and refuses unknown options", async () => {
  const query = twoKinds(2);
  const result = await mapReference(twoKinds(8), query, model, OPTIONS);
  const mapped = attachMapping(query, result, { key: "kind" });
  assert.deepEqual(mapped.obs.columns(), ["kind", "kind_confidence"]);
  assert.throws(() => attachMapping(query, result, { name: "x" } as object), TypeError);
});
