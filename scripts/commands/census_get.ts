/** `scgpt census get`: cells and genes of the Census as a file. */
import type { Matrix, RowsOptions } from "../../mod.ts";
import { CELLS_FLAGS, CENSUS_FLAGS, openFromFlags } from "./census_flags.ts";
import { checkFormatName } from "./cells_file.ts";
import { CellsProgress } from "./cells_progress.ts";
import { command, UsageError } from "./command.ts";
import { checkOutputCells, writeCells } from "./outputs.ts";
import { FORCE_FLAG } from "./read_flags.ts";

/** The command. */
export const censusGet = command({
  name: "get",
  help: "write cells and genes as h5ad or zarr, streamed",
  flags: {
    ...CENSUS_FLAGS,
    ...CELLS_FLAGS,
    varValueFilter: {
      kind: "string",
      help: `genes by their values: 'feature_id in ["ENSG00000167286"]'`,
      byDefault: "all",
    },
    columns: { kind: "strings", help: "columns of obs", byDefault: "all" },
    layer: { kind: "string", help: "layer of values, such as raw or normalized", default: "raw" },
    output: { kind: "string", help: "h5ad file or zarr store to write", required: true },
    force: FORCE_FLAG,
  },
  run: async (flags, context) => {
    const { organism, obsValueFilter, varValueFilter, columns, layer, output } = flags;
    const { force = false } = flags;
    checkFormatName(output);
    await checkOutputCells(output, force);
    const census = await openFromFlags(flags, context);
    context.say("reading obs and var");
    const adata = await census.getAnnData({
      organism,
      XName: layer,
      ...obsValueFilter !== undefined && { obsValueFilter },
      ...varValueFilter !== undefined && { varValueFilter },
      ...columns && { obsColumnNames: columns },
      signal: context.signal,
    });
    const [cells, genes] = [adata.nObs, adata.nVars];
    context.say(`chosen: ${cells} cells x ${genes} genes`);
    if (cells === 0 || genes === 0) {
      throw new UsageError(
        `Cannot write ${output} as the filters must leave cells and genes: got ${cells} x ${genes}`,
      );
    }
    const progress = new CellsProgress("read", cells, context);
    try {
      const X = watched(adata.X!, context.signal, (done) => progress.show(done));
      await writeCells(adata.with({ X }), { output, force }, context);
    } finally {
      progress.stop();
    }
    return { cells, genes, output, release: census.release?.releaseBuild ?? null };
  },
});

/** A matrix whose reading can be stopped and is told by rows. */
function watched(matrix: Matrix, signal: AbortSignal, show: (done: number) => void): Matrix {
  return {
    shape: matrix.shape,
    format: matrix.format,
    dtype: matrix.dtype,
    async *rows(options: RowsOptions = {}) {
      for await (const piece of matrix.rows({ signal, ...options })) {
        yield piece;
        show(piece.start + piece.nRows);
      }
    },
    dense: matrix.dense,
  };
}
