import assert from "node:assert/strict";
import { type Edge, layerProblems } from "../../../scripts/dev/check_layers.ts";

function problem(from: string, to: string, kind: Edge["kind"] = "static"): string {
  return layerProblems([from], [{ from, to, kind }]).join("\n");
}

Deno.test("layerProblems() keeps the order of the layers", () => {
  assert.equal(problem("lib/input/loader.ts", "data/mod.ts"), "");
  assert.equal(problem("mod.ts", "tasks/mod.ts"), "");
  assert.match(problem("data/anndata.ts", "gpu/mod.ts"), /data must not know gpu/);
  assert.match(problem("gpu/tensor.ts", "lib/mod.ts", "type"), /gpu must not know lib/);
  assert.match(problem("lib/config.ts", "mod.ts"), /lib must not know mod\.ts/);
});

Deno.test("layerProblems() wants mod.ts across folders", () => {
  assert.match(problem("tasks/embed.ts", "gpu/tensor.ts", "type"), /import gpu\/mod\.ts/);
  assert.match(problem("scripts/scgpt.ts", "lib/config.ts"), /import lib\/mod\.ts/);
  assert.equal(problem("scripts/scgpt.ts", "data/source_deno.ts"), "");
  assert.equal(problem("scripts/scgpt.ts", "data/interchange/csv.ts"), "");
  assert.match(problem("scripts/scgpt.ts", "data/interchange/csv_records.ts"), /import data\/mod/);
  assert.match(problem("lib/config.ts", "data/interchange/csv.ts"), /import data\/mod/);
  assert.equal(problem("scripts/dev/build_wasm.ts", "gpu/wasm/kernels/generate_micro.ts"), "");
});

Deno.test("layerProblems() keeps the stages of lib apart", () => {
  assert.equal(problem("lib/input/binning.ts", "lib/config.ts"), "");
  assert.equal(problem("lib/mod.ts", "lib/io/checkpoint.ts"), "");
  assert.equal(problem("lib/model/scgpt.ts", "lib/input/loader.ts", "type"), "");
  assert.match(
    problem("lib/model/scgpt.ts", "lib/input/loader.ts"),
    /lib\/model must not know lib\/input/,
  );
  assert.match(problem("lib/input/loader.ts", "lib/io/zip.ts"), /lib\/input must not know lib\/io/);
  assert.match(
    problem("lib/input/loader.ts", "lib/model/scgpt.ts", "type"),
    /must not know lib\/model/,
  );
  assert.match(problem("lib/config.ts", "lib/io/zip.ts"), /must not know lib\/io/);
});

Deno.test("layerProblems() keeps the formats of data apart", () => {
  assert.equal(problem("data/zarr/nodes.ts", "data/storage.ts"), "");
  assert.equal(problem("mod.ts", "data/zarr/mod.ts"), "");
  assert.match(problem("data/zarr/nodes.ts", "data/h5ad/hdf5.ts"), /zarr must not know h5ad/);
  assert.match(problem("data/encodings.ts", "data/zarr/nodes.ts"), /core of data must not know/);
  assert.match(problem("lib/input/loader.ts", "data/zarr/nodes.ts"), /import data\/mod\.ts/);
});

Deno.test("layerProblems() keeps node:* in server files", () => {
  assert.match(problem("data/source.ts", "node:fs"), /node:\* belongs/);
  assert.match(problem("data/source.ts", "node:fs", "dynamic"), /node:\* belongs/);
  assert.equal(problem("data/source_deno.ts", "node:fs"), "");
});

Deno.test("layerProblems() finds cycles of values", () => {
  const edge = (from: string, to: string, kind: Edge["kind"] = "static"): Edge => ({
    from,
    to,
    kind,
  });
  const round = [
    edge("gpu/a.ts", "gpu/b.ts"),
    edge("gpu/b.ts", "gpu/c.ts"),
    edge("gpu/c.ts", "gpu/b.ts"),
  ];
  assert.deepEqual(layerProblems([], round), [
    "cycle of imports: gpu/b.ts -> gpu/c.ts -> gpu/b.ts",
  ]);
  assert.deepEqual(
    layerProblems([], [...round.slice(0, 2), edge("gpu/c.ts", "gpu/b.ts", "type")]),
    [],
  );
  assert.equal(layerProblems([], [edge("gpu/a.ts", "gpu/a.ts")]).length, 1);
});

Deno.test("layerProblems() refuses names that say nothing", () => {
  for (
    const file of ["lib/utils.ts", "data/common/x.ts", "gpu/string_helpers.ts", "lib/util_deno.ts"]
  ) {
    assert.equal(layerProblems([file], []).length, 1, file);
  }
  assert.deepEqual(layerProblems(["lib/uncommon.ts", "lib/model/helping.ts"], []), []);
});
