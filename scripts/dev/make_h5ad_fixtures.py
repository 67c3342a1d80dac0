"""Makes tests/fixtures/h5ad/*.h5ad. Needs anndata 0.12, h5py, hdf5plugin, scipy: python scripts/dev/make_h5ad_fixtures.py"""

from pathlib import Path

import anndata as ad
import h5py
import hdf5plugin
import numpy as np
import pandas as pd
import scipy.sparse as sp

FOLDER = Path(__file__).parents[2] / "tests" / "fixtures" / "h5ad"
CELLS = [f"cell{i}" for i in range(4)]
GENES = ["TP53", "CD3E", "MS4A1"]
VALUES = np.array([[0, 1, 2.5], [0, 0, 0], [3, 0, 0], [0, 4, 5]], dtype="float32")


def columns() -> None:
    """Every kind of column, matrix and value that anndata writes."""
    obs = pd.DataFrame(index=CELLS)
    obs["label"] = pd.Categorical(["T", None, "B", "T"])
    obs["stage"] = pd.Categorical(["late", "early", "late", None], ["early", "late"], ordered=True)
    obs["cluster"] = pd.Categorical([10, 2, 2, 10])
    obs["score"] = np.array([0.5, np.nan, -1.25, 2], dtype="float32")
    obs["n_genes"] = np.array([3, 0, 1, 2], dtype="int64")
    obs["kept"] = np.array([True, False, True, True])
    obs["note"] = pd.Series(["a", "", "ü", "d"], index=CELLS, dtype=object)
    obs["rank"] = pd.array([1, None, 3, 4], dtype="Int64")
    obs["checked"] = pd.array([True, None, False, True], dtype="boolean")
    obs["remark"] = pd.array(["x", None, "", "z"], dtype="string")
    var = pd.DataFrame({"mean": VALUES.mean(axis=0).astype("float64")}, index=pd.Index(GENES, name="gene"))
    adata = ad.AnnData(sp.csr_matrix(VALUES), obs=obs, var=var)
    adata.layers["counts"] = sp.csc_matrix(VALUES.astype("int32"))
    adata.layers["dense"] = VALUES.astype("float64") / 3
    adata.obsm["X_pca"] = np.arange(8, dtype="float32").reshape(4, 2)
    adata.obsm["table"] = pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=CELLS)
    adata.varm["PCs"] = np.arange(6, dtype="float64").reshape(3, 2)
    adata.obsp["distances"] = sp.csr_matrix(np.diag([1.0, 2, 3], 1))
    adata.varp["correlation"] = np.eye(3)
    adata.uns["neighbors"] = {"params": {"n_neighbors": 15, "metric": "euclidean", "flag": True, "a": 0.25}}
    adata.uns["colors"] = np.array(["red", "blue"], dtype=object)
    adata.uns["cube"] = np.arange(8, dtype="int64").reshape(2, 2, 2)
    adata.uns["nothing"] = None
    adata.uns["groups"] = np.rec.fromarrays(
        [np.array(["TP53", "CD3E"], dtype=object), np.array([1.5, 0.5], dtype="float32")], names=["names", "scores"]
    )
    adata.raw = ad.AnnData(sp.csr_matrix(np.hstack([VALUES, VALUES[:, :1]])), var=pd.DataFrame(index=[*GENES, "ACTB"]))
    with ad.settings.override(allow_write_nullable_strings=True):
        adata.write_h5ad(FOLDER / "columns.h5ad", convert_strings_to_categoricals=False)


def fake_filter(group: h5py.Group, name: str, values: np.ndarray) -> None:
    """An array compressed with a filter that nobody has."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(values.shape)
    plist.set_filter(305, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    space = h5py.h5s.create_simple(values.shape)
    array = h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_FLOAT, space, plist)
    array.write_direct_chunk((0,) * values.ndim, values.tobytes(), 0)


def array(group: h5py.Group, name: str, values: object, **options: object) -> h5py.Dataset:
    """An array with anndata's encoding."""
    made = group.create_dataset(name, data=values, **options)
    text = made.dtype.kind == "O"
    made.attrs["encoding-type"] = "string-array" if text else "array"
    made.attrs["encoding-version"] = "0.2.0"
    return made


def sparse(group: h5py.Group, name: str, indices: list[int]) -> None:
    """A CSR matrix of four rows with two values in the first."""
    made = group.create_group(name)
    made.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": [4, 3]})
    made["data"] = np.array([1, 2], dtype="float32")
    made["indices"] = np.array(indices, dtype="int32")
    made["indptr"] = np.array([0, 2, 2, 2, 2], dtype="int64")


def odd() -> None:
    """A file without X whose layers and columns are unusual, unreadable or wrong."""
    obs = pd.DataFrame({"serial": np.array([1, 2, 3, 2**53 + 1], dtype="int64")}, index=CELLS)
    path = FOLDER / "odd.h5ad"
    ad.AnnData(obs=obs, var=pd.DataFrame(index=GENES)).write_h5ad(path)
    with h5py.File(path, "a") as f:
        layers = f["layers"]
        array(layers, "half", VALUES.astype("float16"))
        array(layers, "big_endian", VALUES.astype(">f4"))
        array(layers, "lzf", VALUES, compression="lzf")
        array(layers, "complex", VALUES.astype("complex64"))
        kinds = h5py.enum_dtype({"LOW": 0, "HIGH": 1}, basetype="i1")
        array(layers, "enumeration", np.zeros((4, 3), dtype="i1"), dtype=kinds)
        fake_filter(layers, "filtered", VALUES)
        layers["filtered"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        sparse(layers, "unsorted", [2, 0])
        sparse(layers, "doubled", [1, 1])
        sparse(layers, "outside", [0, 3])
        strings = f["obs"]
        array(strings, "squeezed", np.array(["a", "b", "c", "d"], dtype=object), dtype=h5py.string_dtype(), compression="lzf")
        strings.attrs["column-order"] = ["serial", "squeezed"]
        future = f["uns"].create_group("future")
        future.attrs.update({"encoding-type": "future-array", "encoding-version": "0.1.0"})


def filters() -> None:
    """A layer for each filter that can be read."""
    path = FOLDER / "filters.h5ad"
    ad.AnnData(obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES)).write_h5ad(path)
    kinds = {
        "gzip": {"compression": "gzip", "shuffle": True, "fletcher32": True},
        "lzf": {"compression": "lzf"},
        "szip": {"compression": "szip", "compression_opts": ("nn", 4)},
        "zstd": hdf5plugin.Zstd(),
        "blosc_lz4": hdf5plugin.Blosc(cname="lz4"),
        "blosc_zstd": hdf5plugin.Blosc(cname="zstd", shuffle=2),
        "blosc2": hdf5plugin.Blosc2(),
        "lz4": hdf5plugin.LZ4(),
        "bitshuffle": hdf5plugin.Bitshuffle(),
        "bzip2": hdf5plugin.BZip2(),
    }
    with h5py.File(path, "a") as f:
        for name, options in kinds.items():
            array(f["layers"], name, VALUES, chunks=(4, 3), **options)


def legacy() -> None:
    """A file as anndata 0.5 wrote them: tables are structured arrays, matrices name h5sparse, labels lie in uns."""
    with h5py.File(FOLDER / "legacy.h5ad", "w") as f:
        obs = np.zeros(4, dtype=[("index", "S8"), ("label", "i1"), ("n_counts", "<f4"), ("kept", "?")])
        obs["index"] = CELLS
        obs["label"] = [1, -1, 0, 1]
        obs["n_counts"] = VALUES.sum(axis=1)
        obs["kept"] = [True, False, True, True]
        f["obs"] = obs
        var = np.zeros(3, dtype=[("index", "S8")])
        var["index"] = GENES
        f["var"] = var
        embedding = np.zeros(4, dtype=[("X_pca", "<f8", (2,))])
        embedding["X_pca"] = np.arange(8).reshape(4, 2)
        f["obsm"] = embedding
        for name, matrix in [("X", sp.csr_matrix(VALUES)), ("uns/neighbors/distances", sp.csr_matrix(np.eye(4)))]:
            group = f.create_group(name)
            group.attrs.update({"h5sparse_format": "csr", "h5sparse_shape": matrix.shape})
            for part in ["data", "indices", "indptr"]:
                group[part] = getattr(matrix, part)
        f["uns/label_categories"] = np.array([b"B", b"T"])
        f["uns/method"] = np.array([b"umap"])
        f["uns/neighbors/n"] = np.array([15])


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    columns()
    odd()
    filters()
    legacy()
    for path in sorted(FOLDER.glob("*.h5ad")):
        print(path.name, path.stat().st_size)
