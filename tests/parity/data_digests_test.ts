/** All of what real files hold against digests of what Python's anndata reads from them, where the files are at hand. */
import assert from "node:assert/strict";
import type { AnnData } from "../../data/mod.ts";
import { openH5ad } from "../../data/h5ad/mod.ts";
import { openZarr } from "../../data/zarr/mod.ts";
import { digestsOf } from "./digests.ts";
import { recordFile } from "./formats_table.ts";

const FOLDER = new URL("../../../shared/data/formats/", import.meta.url);

/** Digests by group and key, or what Python failed with; made by scripts/dev/make_format_digests.py. */
type Digests = Record<string, Record<string, Record<string, string>> | string>;

const DIGESTS: Digests = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/formats/digests.json", import.meta.url)),
);

/** Opens a group of a file of either format. */
function open(file: string, path: string): Promise<AnnData> {
  const place = new URL(file, FOLDER).pathname;
  return /\.zarr(\.zip)?$/.test(file) ? openZarr(place, { path }) : openH5ad(place, { path });
}

/** Whether the files are there. */
function present(): boolean {
  try {
    return Deno.statSync(FOLDER).isDirectory;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skipped: digests of real files, as ../shared/data/formats is absent");
    return false;
  }
}

const ignore = !present();

for (const [file, groups] of Object.entries(DIGESTS)) {
  if (typeof groups === "string") continue;
  for (const [path, expected] of Object.entries(groups)) {
    Deno.test({
      name: `${file}${path && ` (${path})`} reads as Python's anndata reads it`,
      ignore,
      async fn() {
        using adata = await open(file, path);
        const sorted = Object.entries(expected).sort(([a], [b]) => a < b ? -1 : 1);
        assert.deepEqual(await digestsOf(adata), Object.fromEntries(sorted));
        await recordFile(`${file}${path && `, ${path}`}`, sorted.length);
      },
    });
  }
}
