/** Bad input gets a clear error and exit code 2, and nothing is written, changed or left over. */
import assert from "node:assert/strict";
import { AnnData, csrMatrix, DataFrame, type Matrix, openH5ad, writeH5ad } from "../../mod.ts";
import { freshFiles, geneVocab } from "../lib/model/fresh_model.ts";
import { BLOOD_FILE, bloodVocab, openBlood } from "../tasks/blood_cells.ts";
import { CELL, CellsFolder, cellsOf, GENES } from "./cells_folder.ts";
import { namesIn, ON_CPU, type Outcome, scgpt, scgptProcess } from "./run_scgpt.ts";

const withValue = (value: number) => cellsOf([CELL, CELL.map((own, g) => g === 3 ? value : own)]);

interface EmbedFault {
  /** Makes the input; its path, or undefined for the good cells. */
  readonly input?: (folder: CellsFolder) => Promise<string> | string;
  readonly flags?: readonly string[];
  readonly message: RegExp;
  readonly code?: number;
}

const EMBED_FAULTS: Readonly<Record<string, EmbedFault>> = {
  "a missing file": {
    input: (folder) => folder.file("none.h5ad"),
    message: /Cannot read .*none\.h5ad as there is no such file/,
  },
  "a folder without cells": {
    input: (folder) => folder.path,
    message: /Cannot open the folder .* as it must be one of these: h5ad, .*zarr/,
  },
  "a file that holds no cells": {
    input: (folder) => folder.file("model/args.json"),
    message: /Cannot open .*args\.json as it must be one of these: h5ad, .*; it begins with "{/,
  },
  "a truncated file": {
    input: async (folder) => {
      const whole = await Deno.readFile(BLOOD_FILE);
      await Deno.writeFile(folder.file("cut.h5ad"), whole.subarray(0, whole.length / 2));
      return folder.file("cut.h5ad");
    },
    message:
      /FormatError: Cannot open the file as it was cut off: it has \d+ bytes of \d+.*cut\.h5ad/,
  },
  "a file without X": {
    input: (folder) =>
      folder.cells(
        "bare.h5ad",
        AnnData.fromParts({
          obs: new DataFrame({ index: ["cell0"] }),
          var: new DataFrame({ index: GENES }),
        }),
      ),
    message:
      /RangeError: Cannot read expression values as the layer must be one of \(none is there\): got "X"/,
  },
  "a negative value": {
    input: (folder) => folder.cells("bad.h5ad", withValue(-2)),
    message: /values must be >= 0: got -2 in cell cell1, gene G0003/,
  },
  "NaN": {
    input: (folder) => folder.cells("bad.h5ad", withValue(NaN)),
    message: /values must be finite: got NaN in cell cell1, gene G0003/,
  },
  "an infinite value": {
    input: (folder) => folder.cells("bad.h5ad", withValue(Infinity)),
    message: /values must be finite: got Infinity in cell cell1, gene G0003/,
  },
  "no gene of the vocabulary": {
    input: (folder) => folder.cells("mouse.h5ad", cellsOf([[1, 2]], ["Xkr4", "Gm1992"])),
    message: /some gene must be in the vocabulary: got 0 of 2 by index/,
  },
  "a coverage below the least": {
    input: (folder) =>
      folder.cells("few.h5ad", cellsOf([CELL], GENES.map((name, i) => i < 6 ? name : `x${i}`))),
    flags: ["--min-coverage", "0.6"],
    message: /60 % of the genes must be in the vocabulary: got 6 of 12/,
  },
  "a layer that is not there": {
    flags: ["--layer", "counts"],
    message: /the layer must be one of X: got "counts"/,
  },
  "an unknown flag": {
    flags: ["--batch-token", "5"],
    message: /unknown option '--batch-token'\s*\(Did you mean --batch-tokens\?\)/,
  },
  "a flag of the wrong kind": {
    flags: ["--batch-tokens", "many"],
    message: /Cannot run as --batch-tokens must be a number: got "many"/,
  },
  "a fraction where an integer is wanted": {
    flags: ["--seed", "1.5"],
    message: /--seed must be an integer: got "1\.5"/,
  },
  "a word that is no choice": {
    flags: ["--binning", "exact"],
    message: /--binning must be one of reference, deterministic, none: got "exact"/,
  },
  "a configuration that is not there": {
    flags: ["--config", "none.json"],
    message: /Cannot read none\.json as there is no such file/,
  },
  "a device without memory": {
    flags: ["--memory-limit-bytes", "200000"],
    message: /DeviceError: Cannot allocate .* as its limit is 0\.2 MiB/,
    code: 1,
  },
};

for (const [name, { input, flags = [], message, code = 2 }] of Object.entries(EMBED_FAULTS)) {
  Deno.test(`scgpt embed refuses ${name}`, async () => {
    using folder = new CellsFolder();
    const model = await folder.model();
    const good = await folder.cells("good.h5ad", cellsOf([CELL]));
    const path = await input?.(folder) ?? good;
    const before = namesIn(folder.path);
    const args = ["--model", model, "--input", path, "--output", folder.file("out.h5ad")];
    refused(await scgpt("embed", ...args, ...ON_CPU, ...flags), message, code);
    assert.deepEqual(namesIn(folder.path), before);
  });
}

function refused({ code, out, err }: Outcome, message: RegExp, expected = 2): void {
  assert.match(err, message);
  assert.equal(code, expected, err);
  assert.equal(out, "");
  assert.doesNotMatch(err, /^\s+at /m, "a stack trace is not for users");
}

interface ModelFault {
  readonly spoil: (model: string, folder: CellsFolder) => Promise<void>;
  readonly message: RegExp;
}

const MODEL_FAULTS: Readonly<Record<string, ModelFault>> = {
  "no model folder": {
    spoil: (model) => Deno.remove(model, { recursive: true }),
    message: /Cannot open the model as .*model must hold args\.json: no such file/,
  },
  "no weights": {
    spoil: (model) => Deno.remove(`${model}/model.safetensors`),
    message: /must hold model\.safetensors or best_model\.safetensors or best_model\.pt/,
  },
  "truncated weights": {
    spoil: (model) => Deno.truncate(`${model}/model.safetensors`, 1000),
    message: /CheckpointError: /,
  },
  "weights of another size": {
    spoil: async (model) => {
      const { files } = await freshFiles({
        vocab: geneVocab(12),
        config: { nlayers: 3, dHid: 32 },
      });
      const weights = files["model.safetensors"] as Blob;
      await Deno.writeFile(`${model}/model.safetensors`, await weights.bytes());
    },
    message:
      /got 18 differences[^]*extra transformer_encoder\.layers\.2\.[^]*misshapen transformer_encoder\.layers\.0\.linear1\.weight: \[96,64\] in the model, \[32,64\] in the file/,
  },
  "an args.json without sizes": {
    spoil: (model) => Deno.writeTextFile(`${model}/args.json`, '{"embsize": 64}'),
    message: /Cannot read args\.json as it must say "nheads": the key is missing/,
  },
  "a vocab.json with a hole": {
    spoil: (model) => Deno.writeTextFile(`${model}/vocab.json`, '{"A": 0, "B": 2}'),
    message: /ids must be contiguous: 1 is missing/,
  },
};

for (const [name, { spoil, message }] of Object.entries(MODEL_FAULTS)) {
  Deno.test(`scgpt embed refuses ${name}`, async () => {
    using folder = new CellsFolder();
    const model = await folder.model();
    const input = await folder.cells("good.h5ad", cellsOf([CELL]));
    await spoil(model, folder);
    const before = namesIn(folder.path);
    const args = ["--model", model, "--input", input, "--output", folder.file("out.h5ad")];
    refused(await scgpt("embed", ...args, ...ON_CPU), message);
    assert.deepEqual(namesIn(folder.path), before);
  });
}

Deno.test("scgpt embed keeps an output that exists, unless told to replace it", async () => {
  using folder = new CellsFolder();
  const model = await folder.model();
  const input = await folder.cells("good.h5ad", cellsOf([CELL]));
  const output = folder.file("out.h5ad");
  await Deno.writeTextFile(output, "precious");
  const args = ["embed", "--model", model, "--input", input, "--output", output, ...ON_CPU];
  refused(await scgpt(...args), /Cannot write .*out\.h5ad as it is there already: give --force/);
  assert.equal(await Deno.readTextFile(output), "precious");
  const { code, err } = await scgpt(...args, "--force");
  assert.equal(code, 0, err);
  using written = await openH5ad(output);
  assert.ok(written.obsm.has("X_scGPT"));
  assert.deepEqual(namesIn(folder.path), ["good.h5ad", "model", "out.h5ad"]);
});

Deno.test("scgpt embed can replace its own input", async () => {
  using folder = new CellsFolder();
  const model = await folder.model();
  const path = await folder.cells("cells.h5ad", cellsOf([CELL, CELL]));
  const args = ["--model", model, "--input", path, "--output", path, "--force"];
  const { code, err } = await scgpt("embed", ...args, ...ON_CPU);
  assert.equal(code, 0, err);
  using written = await openH5ad(path);
  assert.ok(written.obsm.has("X_scGPT"));
  assert.deepEqual([...await written.X!.dense()], [...CELL, ...CELL]);
});

Deno.test("outputs that cannot be written are refused before any work", async () => {
  using folder = new CellsFolder();
  const model = await folder.model();
  const input = await folder.cells("good.h5ad", cellsOf([CELL]));
  const embed = (output: string, ...flags: string[]) =>
    scgpt("embed", "--model", model, "--input", input, "--output", output, ...ON_CPU, ...flags);
  const noFolder = await embed(folder.file("none/out.h5ad"));
  refused(noFolder, /Cannot write .*out\.h5ad as its folder must be there: got .*none/);
  assert.doesNotMatch(noFolder.err, /embedded/);
  refused(await embed(model, "--force"), /as it must be a file: it is a folder/);
  assert.deepEqual(namesIn(folder.path), ["good.h5ad", "model"]);
});

Deno.test("cells without genes, one cell and no cells are embedded", async () => {
  using folder = new CellsFolder();
  const model = await folder.model();
  const sets = { zeros: [CELL.map(() => 0), CELL.map(() => 0)], one: [CELL], none: [] };
  for (const [name, rows] of Object.entries(sets)) {
    const input = await folder.cells(`${name}.h5ad`, cellsOf(rows));
    const output = folder.file(`${name}_out.h5ad`);
    const { code, err } = await scgpt(
      ...["embed", "--model", model, "--input", input, "--output", output],
      ...ON_CPU,
    );
    assert.equal(code, 0, err);
    using written = await openH5ad(output);
    const matrix = await written.obsm.need("X_scGPT") as Matrix;
    assert.deepEqual(matrix.shape, [rows.length, 64]);
    const values = await matrix.dense();
    if (name === "zeros") assert.deepEqual(values.slice(0, 64), values.slice(64));
  }
});

Deno.test("scgpt map refuses labels, neighbours and label maps that do not fit", async () => {
  using folder = new CellsFolder();
  const model = await folder.model();
  const reference = await folder.cells("reference.h5ad", cellsOf([CELL, CELL, CELL]));
  const query = await folder.cells("query.h5ad", cellsOf([CELL]));
  let maps = 0;
  const labelMap = async (json: string) => {
    const path = folder.file(`map${maps++}.json`);
    await Deno.writeTextFile(path, json);
    return ["--label-key", "kind", "--label-map", path];
  };
  const faults: [string[], RegExp][] = [
    [[], /Cannot run as --label-key is required/],
    [["--label-key", "kinds"], /Cannot read the column "kinds".*did you mean "kind"\?/],
    [["--label-key", "kind"], /k must be in 1\.\.3, the labelled reference cells: got 10/],
    [["--label-key", "kind", "--k", "2", "--truth-key", "type"], /the column "type"/],
    [["--label-key", "kind", "--weights", "equal"], /--weights must be one of uniform, distance/],
    [
      ["--label-key", "kind", "--k", "1", "--min-confidence", "2"],
      /minConfidence must be in 0\.\.1/,
    ],
    [await labelMap("{"), /Cannot read .*map0\.json as it is not JSON/],
    [await labelMap("null"), /Cannot read .*map1\.json as it must be a JSON object: got null/],
    [await labelMap('{"ref": {}}'), /its keys are "reference" and "query": got "ref"/],
    [await labelMap('{"query": {"a": 1}}'), /"query" must map names to names or null/],
  ];
  const before = namesIn(folder.path);
  for (const [flags, message] of faults) {
    const args = ["--model", model, "--reference", reference, "--query", query];
    refused(
      await scgpt("map", ...args, "--output", folder.file("out.h5ad"), ...flags, ...ON_CPU),
      message,
    );
    assert.deepEqual(namesIn(folder.path), before);
  }
});

/** The matrix with something done before each piece of rows. */
function withStep(inner: Matrix, step: () => void): Matrix {
  return {
    shape: inner.shape,
    format: inner.format,
    dtype: inner.dtype,
    dense: inner.dense,
    async *rows(options) {
      for await (const rows of inner.rows({ ...options, batch: 2 })) {
        step();
        yield rows;
      }
    },
  };
}

Deno.test("a failure or an abort while the file is written leaves no file", async () => {
  using folder = new CellsFolder();
  const { obs, var: genes } = cellsOf(Array.from({ length: 6 }, () => CELL));
  const counts = csrMatrix({
    indptr: Uint32Array.from({ length: 7 }, (_, row) => row),
    indices: new Uint32Array(6),
    data: new Float32Array(6).fill(1),
    shape: [6, 12],
  });
  const reason = new Error("the disk is gone");
  let pieces = 0;
  const failing = withStep(counts, () => {
    if (++pieces > 2) throw reason;
  });
  const write = (X: Matrix, signal?: AbortSignal) =>
    writeH5ad(AnnData.fromParts({ obs, var: genes, X }), folder.file("out.h5ad"), {
      ...signal && { signal },
    });
  await assert.rejects(write(failing), reason);
  assert.ok(pieces > 2);
  assert.deepEqual(namesIn(folder.path), []);

  const controller = new AbortController();
  const aborting = withStep(counts, () => controller.abort(reason));
  await assert.rejects(write(aborting, controller.signal), reason);
  assert.deepEqual(namesIn(folder.path), []);
  await write(counts);
  assert.deepEqual(namesIn(folder.path), ["out.h5ad"]);
});

for (const threads of ["1", "2"]) {
  Deno.test({
    name: `Ctrl-C during scgpt embed --threads ${threads} ends with 130 and leaves nothing`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using folder = new CellsFolder();
      using cells = await openBlood();
      const config = { embsize: 256, nheads: 4, dHid: 256, nlayers: 6 }; // many seconds of work
      const model = await folder.model("model", { vocab: bloodVocab(cells), config });
      const args = ["--model", model, "--input", BLOOD_FILE, "--output", folder.file("out.h5ad")];
      const began = performance.now();
      const { code, out, err } = await scgptProcess(
        [
          "embed",
          ...args,
          "--layer",
          "raw",
          "--device",
          "wasm",
          "--threads",
          threads,
          "--batch-tokens",
          "1000",
        ],
        { interruptAt: "genes: 765 of 765" },
      );
      assert.equal(code, 130, err);
      assert.match(err, /Interrupted: no unfinished file was left\./);
      assert.doesNotMatch(err, /embedded 700 cells|wrote/);
      assert.equal(out, "");
      assert.deepEqual(namesIn(folder.path), ["model"]);
      assert.ok(performance.now() - began < 20_000);
    },
  });
}
