import assert from "node:assert/strict";
import { type ConfigOverrides, parseConfig } from "../../../lib/config.ts";
import {
  parameterCount,
  parameterGroups,
  parameterShapes,
  type Shapes,
} from "../../../lib/model/layout.ts";

/** Rows of the whole-human gene table. */
const WHOLE_HUMAN = 60_697;

/** The reference's constructors always make a class head (of one class) and never a flag encoder. */
const CONSTRUCTED = { generative: false, nCls: 1 } as const;

function shapesOf(knobs: ConfigOverrides, nTokens = WHOLE_HUMAN): Shapes {
  return parameterShapes(parseConfig("whole-human", knobs), nTokens);
}

/** Weights without running statistics, as PyTorch's `parameters()` counts them. */
function trainable(shapes: Shapes): number {
  return parameterCount(new Map([...shapes].filter(([name]) => !/^(dsbn|bn)\./.test(name))));
}

Deno.test("parameterShapes() gives the released checkpoint's 163 tensors and 51,330,049 weights", () => {
  const shapes = shapesOf({});
  assert.equal(shapes.size, 163);
  assert.equal(parameterCount(shapes), 51_330_049);
  assert.deepEqual(shapes.get("encoder.embedding.weight"), [WHOLE_HUMAN, 512]);
  assert.deepEqual(
    shapes.get("transformer_encoder.layers.11.self_attn.in_proj_weight"),
    [1536, 512],
  );
  assert.deepEqual(shapes.get("mvc_decoder.W.weight"), [512, 512]);
  assert.deepEqual(shapes.get("flag_encoder.weight"), [2, 512]);
});

// Counted by the reference's own constructors (fixtures' parameter_counts.json).
const COUNTS: Readonly<Record<string, [ConfigOverrides, number]>> = {
  "pretraining's TransformerModel with MVC": [{ ...CONSTRUCTED }, 51_856_898],
  "annotation, 18 classes": [{ ...CONSTRUCTED, mvc: false, nCls: 18 }, 51_340_819],
  "integration, 2 batches": [{
    ...CONSTRUCTED,
    useBatchLabels: true,
    nBatch: 2,
    domainSpecBatchnorm: "dsbn",
    dar: true,
    explicitZeroProb: true,
  }, 54_224_901],
  "perturbation": [{ ...CONSTRUCTED, mvc: false, perturbation: true }, 51_859_459],
  "multi-omics, 3 batches and 5 modality tokens": [{
    ...CONSTRUCTED,
    useBatchLabels: true,
    nBatch: 3,
    nMod: 5,
    dar: true,
  }, 54_227_461],
};

for (const [name, [knobs, count]] of Object.entries(COUNTS)) {
  Deno.test(`parameterShapes() counts the weights of ${name} as the reference does`, () => {
    assert.equal(trainable(shapesOf(knobs)), count);
  });
}

Deno.test("parameterShapes() counts embedding and transformer as the reference does", () => {
  const shapes = [...shapesOf({})];
  const under = (prefix: string) =>
    parameterCount(new Map(shapes.filter(([name]) => name.startsWith(prefix))));
  assert.equal(under("encoder.embedding."), 31_076_864);
  assert.equal(under("transformer_encoder."), 18_935_808);
  assert.equal(under("transformer_encoder.layers.0."), 1_577_984);
  assert.equal(under("value_encoder."), 264_704);
  assert.equal(under("decoder."), 525_825);
  assert.equal(under("mvc_decoder."), 524_800);
});

Deno.test("parameterShapes() follows the value encoder", () => {
  const category = shapesOf({ inputEmbStyle: "category" });
  assert.deepEqual(category.get("value_encoder.embedding.weight"), [53, 512]); // bins, pad, mask
  assert.ok(!category.has("value_encoder.linear1.weight"));
  const scaling = [...shapesOf({ inputEmbStyle: "scaling" }).keys()];
  assert.ok(!scaling.some((name) => name.startsWith("value_encoder.")));
});

Deno.test("parameterShapes() widens decoders that see batch or modality", () => {
  const batches = shapesOf({ useBatchLabels: true, nBatch: 3 });
  assert.deepEqual(batches.get("decoder.fc.0.weight"), [512, 1024]);
  assert.deepEqual(batches.get("mvc_decoder.W.weight"), [1024, 512]);
  assert.deepEqual(batches.get("mvc_decoder.gene2query.weight"), [512, 512]);
  const modalities = shapesOf({ nMod: 5 });
  assert.deepEqual(modalities.get("mvc_decoder.W.weight"), [1024, 1024]);
  assert.deepEqual(modalities.get("mvc_decoder.gene2query.weight"), [1024, 1024]);
});

Deno.test("parameterShapes() gives the old batch norm a gain and the domain norms none", () => {
  assert.deepEqual(
    [...shapesOf({ domainSpecBatchnorm: "batchnorm" }).keys()].filter((name) =>
      name.startsWith("bn.")
    ),
    ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked"],
  );
  const domains = shapesOf({ domainSpecBatchnorm: "dsbn", nBatch: 2 });
  assert.ok(domains.has("dsbn.bns.1.running_var"));
  assert.ok(!domains.has("dsbn.bns.0.weight"));
  assert.deepEqual(domains.get("dsbn.bns.0.num_batches_tracked"), []);
});

Deno.test("parameterGroups() names every weight once, under a prefix of its group", () => {
  const config = parseConfig("mini", {
    nCls: 4,
    useBatchLabels: true,
    nBatch: 2,
    dar: true,
    nMod: 3,
    domainSpecBatchnorm: "dsbn",
    explicitZeroProb: true,
  });
  const groups = parameterGroups(config, 10);
  const names = groups.flatMap(({ parameters }) => parameters.map(({ name }) => name));
  assert.equal(new Set(names).size, names.length);
  for (const { prefixes, parameters, group } of groups) {
    for (const { name } of parameters) {
      assert.ok(prefixes.some((prefix) => name.startsWith(prefix)), `${name} in ${group}`);
    }
  }
});
