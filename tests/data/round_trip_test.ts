/** Whatever annotated data are, they come back from every format as they were, and from Python. */
import fc from "fast-check";
import type { AnnData } from "../../data/mod.ts";
import { openH5ad, writeH5ad } from "../../data/h5ad/mod.ts";
import { openZarr, writeZarr } from "../../data/zarr/mod.ts";
import { TempFolder } from "./fixtures.ts";
import { python, runPython, withoutPython } from "./python.ts";
import { cells } from "./random_cells.ts";
import { assertSame } from "./same.ts";

Deno.test("random annotated data come back from h5ad, zarr 2 and zarr 3, each written from the one before", async () => {
  await fc.assert(
    fc.asyncProperty(cells, async (adata) => {
      using folder = new TempFolder();
      await writeH5ad(adata, folder.file("a.h5ad"));
      using first = await openH5ad(folder.file("a.h5ad"));
      await assertSame(first, adata);
      await writeZarr(first, folder.file("b.zarr"), { format: 2 });
      using second = await openZarr(folder.file("b.zarr"));
      await assertSame(second, adata);
      await writeZarr(second, folder.file("c.zarr"), { format: 3 });
      using third = await openZarr(folder.file("c.zarr"));
      await assertSame(third, adata);
      await writeH5ad(third, folder.file("d.h5ad"), { compression: "gzip" });
      using last = await openH5ad(folder.file("d.h5ad"));
      await assertSame(last, adata);
    }),
    { numRuns: 40, seed: 11 },
  );
});

/** Python: reads every file of a folder and writes it again in the other format. */
const AGAIN = `
import sys, warnings
warnings.simplefilter("ignore")
import anndata as ad
ad.settings.allow_write_nullable_strings = True
for k in range(int(sys.argv[2])):
    cells = ad.read_h5ad(f"{sys.argv[1]}/{k}.h5ad")
    cells.write_zarr(f"{sys.argv[1]}/{k}.zarr", convert_strings_to_categoricals=False)
    again = ad.read_zarr(f"{sys.argv[1]}/{k}.zarr")
    again.write_h5ad(f"{sys.argv[1]}/{k}_again.h5ad", convert_strings_to_categoricals=False)
`;

Deno.test({
  name: "random annotated data come back from Python's anndata, by h5ad and zarr",
  ignore: withoutPython(python),
  async fn() {
    using folder = new TempFolder();
    const samples: AnnData[] = fc.sample(cells, { numRuns: 40, seed: 12 });
    for (const [k, adata] of samples.entries()) await writeH5ad(adata, folder.file(`${k}.h5ad`));
    await runPython(AGAIN, [folder.path, String(samples.length)]);
    for (const [k, adata] of samples.entries()) {
      using zarr = await openZarr(folder.file(`${k}.zarr`));
      await assertSame(zarr, adata);
      using again = await openH5ad(folder.file(`${k}_again.h5ad`));
      await assertSame(again, adata);
    }
  },
});
