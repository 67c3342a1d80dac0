"""Digests of what Python's anndata reads from real files, for tests/parity/data_digests_test.ts.

Needs anndata 0.12, mudata, zarr 3, awkward: python scripts/dev/make_format_digests.py FOLDER
The folder's files are not part of this repository; the digests in tests/fixtures/formats/digests.json are.
"""

import hashlib
import json
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import anndata as ad
import awkward as ak
import mudata as md
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
OUT = Path(__file__).parents[2] / "tests" / "fixtures" / "formats" / "digests.json"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def numbers(values: np.ndarray) -> str:
    """Hash of row-major numbers as float64, with one NaN and one zero for all."""
    floats = np.ascontiguousarray(values, dtype="<f8") + 0.0
    return sha(np.where(np.isnan(floats), np.nan, floats).tobytes())


def texts(values) -> str:
    """Hash of texts; a missing one is null."""
    plain = [None if value is None or value is pd.NA or value != value else str(value) for value in values]
    return sha(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode())


def column(values: pd.Series) -> str:
    if isinstance(values.dtype, pd.CategoricalDtype):
        labels = [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values.cat.categories]
        order = "ordered" if values.cat.ordered else "unordered"
        return f"categorical {order} {texts(labels)} {numbers(values.cat.codes)}"
    if values.dtype == bool or str(values.dtype) == "boolean":
        return f"boolean {numbers(values.astype('Float64').to_numpy('f8', na_value=np.nan))}"
    if pd.api.types.is_numeric_dtype(values.dtype):
        return f"numeric {str(values.dtype).lower()} {numbers(values.to_numpy('f8', na_value=np.nan))}"
    return f"string {texts(values)}"


def frame(out: dict, key: str, table: pd.DataFrame) -> None:
    out[key] = f"frame {len(table)} {texts(table.index)} {'|'.join(map(str, table.columns))}"
    for name in table.columns:
        out[f"{key}/{name}"] = column(table[name])


def matrix(values) -> str:
    dense = values.toarray() if sp.issparse(values) else np.asarray(values)
    dense = dense.reshape(len(dense), -1)
    return f"matrix {dense.shape[0]}x{dense.shape[1]} {dense.dtype} {numbers(dense)}"


def value(out: dict, key: str, item) -> None:
    if isinstance(item, pd.DataFrame):
        frame(out, key, item)
    elif isinstance(item, ak.Array):
        out[key] = f"awkward {sha(json.dumps(item.to_list(), separators=(',', ':')).encode())}"
    elif sp.issparse(item):
        out[key] = matrix(item)
    elif isinstance(item, np.ndarray) and item.dtype.names:
        for name in item.dtype.names:
            value(out, f"{key}/{name}", item[name])
    elif isinstance(item, np.ndarray) and item.dtype.kind in "OTUS":
        plain = [v.decode() if isinstance(v, bytes) else v for v in item.ravel()]
        out[key] = f"texts {'x'.join(map(str, item.shape))} {texts(plain)}"
    elif isinstance(item, np.ndarray) and item.ndim > 0:
        out[key] = f"numbers {'x'.join(map(str, item.shape))} {numbers(item)}"
    elif hasattr(item, "keys"):
        for name in item.keys():
            value(out, f"{key}/{name}", item[name])
    elif item is None:
        out[key] = "none"
    elif isinstance(item, (str, bytes)):
        out[key] = f"text {texts([item.decode() if isinstance(item, bytes) else item])}"
    else:
        out[key] = f"number {numbers(np.array([item]))}"


def cells(adata: ad.AnnData) -> dict:
    out: dict[str, str] = {}
    frame(out, "obs", adata.obs)
    frame(out, "var", adata.var)
    if adata.X is not None:
        out["X"] = matrix(adata.X)
    for part in ["layers", "obsm", "varm", "obsp", "varp"]:
        for key, item in getattr(adata, part).items():
            if isinstance(item, (pd.DataFrame, ak.Array)):
                value(out, f"{part}/{key}", item)
            else:
                out[f"{part}/{key}"] = matrix(item)
    value(out, "uns", adata.uns)
    if adata.raw is not None:
        out["raw/X"] = matrix(adata.raw.X)
        frame(out, "raw/var", adata.raw.var)
        for key, item in adata.raw.varm.items():
            if isinstance(item, pd.DataFrame):
                frame(out, f"raw/varm/{key}", item)
            else:
                out[f"raw/varm/{key}"] = matrix(item)
    return out


def read(path: Path):
    """What a file holds by group inside it; the reason where Python fails."""
    if path.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder:
            zipfile.ZipFile(path).extractall(folder)
            return read_zarr(Path(folder), "mudata" in path.name)
    if path.suffix == ".zarr":
        return read_zarr(path, False)
    if path.suffix == ".h5mu":
        return {f"mod/{name}": cells(part) for name, part in md.read_h5mu(path).mod.items()}
    return {"": cells(ad.read_h5ad(path))}


def read_zarr(path: Path, multi: bool):
    if multi:
        # mudata's own reader leaves raw out of zarr stores
        return {f"mod/{name}": cells(ad.read_zarr(path / "mod" / name)) for name in md.read_zarr(path).mod}
    return {"": cells(ad.read_zarr(path))}


if __name__ == "__main__":
    root = Path(sys.argv[1])
    found = {}
    for path in sorted(root.rglob("*")):
        if path.suffix not in {".h5ad", ".zarr", ".zip", ".h5mu"} or any(p.suffix == ".zarr" for p in path.parents):
            continue
        name = str(path.relative_to(root))
        try:
            found[name] = read(path)
        except Exception as error:  # what Python cannot read is told too
            found[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
            print(name, found[name])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
