/** MuData and 10x matrices against digests of what Python's mudata and scanpy read from them, where the files are at hand. */
import assert from "node:assert/strict";
import type { AnnData, MuData } from "../../data/mod.ts";
import { openCells, openMuData } from "../../data/cells/mod.ts";
import { frameDigests, matrixDigest, numbers } from "./digests.ts";

const FOLDER = new URL("../../../shared/data/formats/", import.meta.url);

/** Digests by key; made by scripts/dev/make_omics_fixtures.py. */
const DIGESTS: Record<string, Record<string, string>> = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/formats/omics.json", import.meta.url)),
);

/** What the joint parts of a MuData hold. */
async function jointDigests(mdata: MuData): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  await frameDigests(found, "obs", mdata.obs);
  await frameDigests(found, "var", mdata.var);
  for (const part of ["obsm", "varm"] as const) {
    for (const key of mdata[part].keys()) {
      found.set(`${part}/${key}`, await matrixDigest(await mdata[part].need(key) as never));
    }
  }
  for (const part of ["obsmap", "varmap"] as const) {
    for (const [key, map] of Object.entries(mdata[part])) {
      found.set(`${part}/${key}`, numbers(map));
    }
  }
  return found;
}

/** What the cells of a 10x matrix hold. */
async function cellDigests(adata: AnnData): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  await frameDigests(found, "obs", adata.obs);
  await frameDigests(found, "var", adata.var);
  found.set("X", numbers(await adata.X!.dense({ dtype: "float64" })));
  return found;
}

/** Digests of a file. */
async function digestsOf(file: string): Promise<Map<string, string>> {
  const path = new URL(file, FOLDER).pathname;
  if (file.startsWith("mudata")) {
    using mdata = await openMuData(path);
    return await jointDigests(mdata);
  }
  using adata = await openCells(path, {
    ...file.includes("multiple") && { genome: "another_genome" },
  });
  return await cellDigests(adata);
}

/** Whether the files are there. */
function present(): boolean {
  try {
    return Deno.statSync(FOLDER).isDirectory;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skipped: digests of MuData and 10x files, as ../shared/data/formats is absent");
    return false;
  }
}

const ignore = !present();

for (const [file, expected] of Object.entries(DIGESTS)) {
  Deno.test({
    name: `${file} reads as Python's mudata or scanpy reads it`,
    ignore,
    async fn() {
      assert.deepEqual(Object.fromEntries(await digestsOf(file)), expected);
    },
  });
}

Deno.test({
  name: "mudata_v0.4.1.zarr.zip reads as the h5mu file of that version",
  ignore,
  async fn() {
    const actual = Object.fromEntries(await digestsOf("mudata_v0.4.1.zarr.zip"));
    assert.deepEqual(actual, DIGESTS["mudata_v0.4.1.h5mu"]);
  },
});
