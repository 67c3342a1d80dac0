import assert from "node:assert/strict";
import { parseArgs, parseConfig, type ScgptConfig, toArgs } from "../../lib/config.ts";
import { readJson } from "./fixtures.ts";

const SIZES = { embsize: 64, nheads: 4, d_hid: 96, nlayers: 2 };

Deno.test("parseConfig() reads the args.json of a checkpoint", () => {
  const args = readJson("scgpt/small_checkpoint/args.json");
  const config = parseConfig(args);
  const { embsize, nheads, dHid, nlayers, nlayersCls, dropout, nBins, maxSeqLen } = config;
  assert.deepEqual(
    { embsize, nheads, dHid, nlayers, nlayersCls, dropout, nBins, maxSeqLen },
    {
      embsize: 64,
      nheads: 4,
      dHid: 96,
      nlayers: 2,
      nlayersCls: 3,
      dropout: 0.2,
      nBins: 51,
      maxSeqLen: 64,
    },
  );
  assert.deepEqual([config.padToken, config.padValue, config.maskValue], ["<pad>", -2, -1]);
  assert.deepEqual([config.mvc, config.generative, config.nCls], [true, true, 0]);
  assert.equal(config.extra.epochs, 6);
  assert.ok(Object.isFrozen(config));
});

Deno.test("parseConfig() has the whole-human model as default and as preset", () => {
  const human = parseConfig("whole-human");
  assert.deepEqual([human.embsize, human.nheads, human.dHid, human.nlayers], [512, 8, 512, 12]);
  assert.deepEqual([human.nBins, human.maxSeqLen, human.dropout], [51, 1200, 0.2]);
  assert.deepEqual(parseConfig({}), human);
  const mini = parseConfig("mini", { nCls: 3 });
  assert.deepEqual([mini.embsize, mini.nheads, mini.dHid, mini.nlayers], [64, 4, 64, 3]);
  assert.equal(mini.nCls, 3);
});

Deno.test("parseConfig() takes the spellings of args.json, of the constructor and its own", () => {
  const config = parseConfig({
    ntoken: 200,
    d_model: 64,
    nhead: 4,
    dHid: 96,
    nlayers: 2,
    do_mvc: false,
    domain_spec_batchnorm: true,
    num_batch_labels: 3,
  });
  assert.deepEqual([config.nTokens, config.embsize, config.nheads, config.dHid], [200, 64, 4, 96]);
  assert.deepEqual([config.mvc, config.domainSpecBatchnorm, config.nBatch], [false, "dsbn", 3]);
  assert.deepEqual(config.extra, {});
});

Deno.test("toArgs() writes what parseConfig() reads back equal", () => {
  const configs: ScgptConfig[] = [
    parseConfig("whole-human"),
    parseConfig(readJson("scgpt/small_checkpoint/args.json")),
    parseConfig("mini", {
      nTokens: 200,
      useBatchLabels: true,
      nBatch: 2,
      cellEmbStyle: "avg-pool",
    }),
  ];
  for (const config of configs) {
    const args = toArgs(config);
    assert.deepEqual(parseConfig(args), config);
    assert.deepEqual(parseArgs(JSON.stringify(args)), config);
    assert.deepEqual(parseConfig(config), config); // a configuration is a configuration's argument
  }
  assert.equal(toArgs(configs[0]!)["n_layers_cls"], 3);
});

function fails(kind: typeof TypeError | typeof RangeError, message: RegExp, args: object): void {
  assert.throws(() => parseConfig(args as Record<string, unknown>), (error: unknown) => {
    assert.ok(error instanceof kind, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("parseConfig() names the key of a value of the wrong kind or range", () => {
  fails(TypeError, /embsize must be a number: got "64"/, { ...SIZES, embsize: "64" });
  fails(TypeError, /d_hid must be a number: got null/, { ...SIZES, d_hid: null });
  fails(RangeError, /nlayers must be an integer: got 1\.5/, { ...SIZES, nlayers: 1.5 });
  fails(RangeError, /nheads must be at least 1: got 0/, { ...SIZES, nheads: 0 });
  fails(RangeError, /dropout must be in \[0, 1\): got 1/, { dropout: 1 });
  fails(RangeError, /n_bins must be at least 2: got 1/, { n_bins: 1 });
  fails(TypeError, /MVC must be a boolean: got 1/, { MVC: 1 });
  fails(RangeError, /cell_emb_style must be one of "cls", .*: got "mean"/, {
    cell_emb_style: "mean",
  });
  fails(RangeError, /mvc_decoder_style must be one of/, { mvc_decoder_style: "difference query" });
  fails(RangeError, /domain_spec_batchnorm must be/, { domain_spec_batchnorm: "layer" });
});

Deno.test("parseConfig() refuses values that do not go together", () => {
  fails(RangeError, /nheads must divide embsize: got 5 and 64/, { ...SIZES, nheads: 5 });
  fails(TypeError, /belong together: nheads, nlayers missing/, { embsize: 64, d_hid: 96 });
  fails(RangeError, /num_batch_labels must be at least 1/, { use_batch_labels: true });
  fails(RangeError, /"nheads" and another spelling of nheads must agree/, { nhead: 4, nheads: 8 });
});

Deno.test("parseConfig() refuses misspelt knobs and unknown presets", () => {
  fails(TypeError, /"nHeads" is no knob of it; did you mean "nheads"\?/, { nHeads: 4 });
  assert.throws(() => parseConfig("mini", { nlayer: 3 } as object), /did you mean "nlayers"\?/);
  assert.throws(() => parseConfig("toString" as "mini"), /preset must be whole-human or mini/);
  assert.throws(() => parseConfig([] as object), /arguments must be an object: got \[\]/);
});

Deno.test("parseArgs() wants JSON with the four sizes", () => {
  assert.equal(parseArgs(JSON.stringify(SIZES)).dHid, 96);
  assert.throws(() => parseArgs("{"), SyntaxError);
  assert.throws(() => parseArgs('{"embsize": 512}'), /must say "nheads": the key is missing/);
});
