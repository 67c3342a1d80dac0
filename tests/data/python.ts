/** Python's anndata as a reader of what we write, where it is installed. */
import assert from "node:assert/strict";

/** A Python that has anndata, or undefined. */
function findPython(): string | undefined {
  const python = Deno.env.get("PYTHON") ?? "python3";
  try {
    const { success } = new Deno.Command(python, { args: ["-c", "import anndata"], stderr: "null" })
      .outputSync();
    if (success) return python;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.log(
    `skipped: reading with Python, as ${python} has no anndata (set PYTHON to one that has)`,
  );
  return undefined;
}

/** The Python, or undefined where there is none: set PYTHON to one that has anndata. */
export const python = findPython();

/** Runs a script; what it fails with is the failure of the test. */
export async function runPython(script: string, args: readonly string[]): Promise<void> {
  const command = new Deno.Command(python!, { args: ["-c", script, ...args] });
  const { success, stderr } = await command.output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Python: `same(actual, expected)` fails where two AnnData, or values inside them, differ in values, shapes or types. */
export const SAME = `
import sys, warnings
warnings.simplefilter("ignore")
import anndata as ad, numpy as np, pandas as pd, scipy.sparse as sp

def same(actual, expected, key="/"):
    if isinstance(expected, ad.AnnData):
        for part in ["X", "obs", "var", "layers", "obsm", "varm", "obsp", "varp", "uns"]:
            same(getattr(actual, part), getattr(expected, part), part)
        assert (actual.raw is None) == (expected.raw is None)
        if expected.raw is not None:
            same(actual.raw.X, expected.raw.X, "raw/X")
            same(actual.raw.var, expected.raw.var, "raw/var")
            same(actual.raw.varm, expected.raw.varm, "raw/varm")
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(actual, expected)
    elif sp.issparse(expected):
        if expected.dtype.kind in "OTU":  # texts: zarr has another type for them than HDF5
            actual, expected = actual.astype(object), expected.astype(object)
        assert actual.dtype == expected.dtype and actual.shape == expected.shape, key
        assert (abs(actual - expected) > 0).nnz == 0, key
    elif isinstance(expected, np.ndarray):
        if expected.dtype.kind in "OTU":  # texts: zarr has another type for them than HDF5
            actual, expected = actual.astype(object), expected.astype(object)
        assert actual.dtype == expected.dtype and actual.shape == expected.shape, (key, actual, expected)
        np.testing.assert_array_equal(actual, expected, key)
    elif hasattr(expected, "keys"):
        assert sorted(actual.keys()) == sorted(expected.keys()), (key, list(actual), list(expected))
        for name in expected.keys():
            same(actual[name], expected[name], f"{key}/{name}")
    else:
        assert type(actual) == type(expected) and actual == expected, (key, actual, expected)
`;
