/** Python's anndata as a reader of what we write, where it is installed. */
import assert from "node:assert/strict";

const path = Deno.env.get("PYTHON") ?? "python3";

/** The Python of the tests if it has some packages, else undefined; PYTHON names another than python3. */
export function pythonWith(packages: string): string | undefined {
  try {
    const args = ["-c", `import ${packages}`];
    if (new Deno.Command(path, { args, stderr: "null" }).outputSync().success) return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.log(
    `skipped: reading with Python, as ${path} lacks ${packages} (set PYTHON to one that has)`,
  );
  return undefined;
}

/** The Python that has anndata, or undefined where there is none. */
export const python = pythonWith("anndata");

/** Whether a test that needs a Python is left out: never in continuous integration, which installs what it needs. */
export function withoutPython(python: string | undefined): boolean {
  return python === undefined && Deno.env.get("CI") !== "true";
}

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
