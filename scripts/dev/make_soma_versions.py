"""Writes versions.tar.gz and versions.json: SOMA arrays as each format version of TileDB lays them out, and what its library reads of them.

Run it in an environment of each version, into one folder whose path the files may hold, and then pack that. All need numpy < 2, pandas < 2.2 and
pyarrow 11 to 15; then tiledb 0.19.1 (format 16); tiledbsoma 1.0.1 and anndata < 0.10 (17, Python 3.10), 1.2.5 (18, Python 3.10), 1.4.4 and
anndata < 0.11 (19), 1.6.2 (20), 1.11.4 (21); and last tiledb 0.36.1 (22), which also goes on with arrays of the others.
    python scripts/dev/make_soma_versions.py /arrays
    python scripts/dev/make_soma_versions.py /arrays --pack tests/fixtures/soma
"""
import io
import json
import os
import re
import shutil
import sys
import tarfile

import numpy as np

from soma_version_arrays import FIRST, LAST, MAKERS, SECOND

# Times at which arrays are opened: at, between and after their writes, in milliseconds.
TIMES = (FIRST, 15, SECOND, 35, 99)


def plain(values):
    """Values as JSON: integers beyond 2^53 as text, bytes as lists, NaN as null."""
    result = []
    for value in values:
        if isinstance(value, (np.generic, np.ndarray)):
            value = value.tolist()
        if isinstance(value, (bytes, memoryview)):
            value = list(bytes(value))
        if isinstance(value, (tuple, list)):
            value = list(value)
        elif isinstance(value, float) and np.isnan(value):
            value = None
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
            value = str(value)
        result.append(value)
    return result


class Library:
    """The tiledb that is there, the arrays that it writes, and what it reads of them."""

    def __init__(self, out):
        import tiledb

        self.tiledb = tiledb
        shutil.rmtree(f"{out}/probe", ignore_errors=True)
        tiledb.from_numpy(f"{out}/probe", np.arange(2)).close()
        self.format = int(os.listdir(f"{out}/probe/__fragments")[0].rsplit("_", 1)[1])
        shutil.rmtree(f"{out}/probe")
        self.core = ".".join(map(str, tiledb.libtiledb.version()))
        self.root = f"{out}/{self.format}"
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.root)
        self.answers = {}

    def path(self, name):
        return f"{self.root}/{name}"

    def create(self, name, kind, dimensions, attributes, **schema):
        T = self.tiledb
        domain = T.Domain(*(T.Dim(**dimension) for dimension in dimensions))
        T.Array.create(self.path(name), T.ArraySchema(domain=domain, attrs=attributes, **schema))
        self.describe(name, FIRST, {"soma_object_type": kind, "soma_encoding_version": "1"})

    def describe(self, name, time, metadata, forget=()):
        with self.tiledb.open(self.path(name), "w", timestamp=time) as array:
            array.meta.update(metadata)
            for key in forget:
                del array.meta[key]

    def write(self, name, time, coords, values):
        with self.tiledb.open(self.path(name), "w", timestamp=time) as array:
            array[coords] = values

    def delete(self, name, time, condition):
        with self.tiledb.open(self.path(name), "d", timestamp=time) as array:
            array.query(cond=condition).submit()

    def consolidate(self, name, until, vacuum=False, purge=False):
        """Joins fragments up to a time, metadata and commits; removing what that replaced, in the Census's order: commits name fragments that went."""
        T, modes = self.tiledb, ["fragments", "array_meta", "fragment_meta", "commits"]
        for mode in modes[::-1] if vacuum else modes:
            config = {"sm.consolidation.mode": mode, "sm.consolidation.purge_deleted_cells": str(purge).lower()}
            if mode == "fragments":
                config.update({"sm.consolidation.timestamp_start": 0, "sm.consolidation.timestamp_end": until})
            T.consolidate(self.path(name), config=T.Config(config))
            if vacuum:
                T.vacuum(self.path(name), config=T.Config({"sm.vacuum.mode": mode}))

    def record(self, name, times=TIMES):
        """What the library reads as it was at each time, and the metadata then."""
        for time in times:
            with self.tiledb.open(self.path(name), timestamp=time) as array:
                values = self.table(array) if array.schema.sparse else plain(array[:]["soma_data"].ravel().tolist())
                metadata = {key: plain([array.meta[key]])[0] for key in sorted(array.meta.keys())}
            self.answers[f"{name}@{time}"] = {"metadata": metadata, "values": values}

    def table(self, array):
        """All cells of a sparse array by column; Arrow has no blobs in these versions."""
        schema = array.schema
        names = [schema.attr(i).name for i in range(schema.nattr)]
        blobs = [name for name in names if name == "blob"]
        table = array.query(attrs=[name for name in names if name not in blobs], return_arrow=True).df[:]
        columns = {}
        for name, column in zip(table.column_names, table.columns):
            dtype = schema.attr(name).dtype if schema.has_attr(name) else schema.domain.dim(name).dtype
            values = (column.cast("int64") if dtype.kind == "M" else column).to_pylist()
            columns[name] = plain(bool(value) if dtype == np.bool_ and value is not None else value for value in values)
        for name in blobs:
            columns[name] = plain(value.tobytes() if isinstance(value, np.ndarray) else value for value in array.query(attrs=[name])[:][name])
        return columns


def carry_on(lib, out, version):
    """Goes on with an array of an older library: a write in its format, an upgrade, a write in the own format, and all of them joined."""
    T, name = lib.tiledb, f"carried_{version}"
    shutil.copytree(f"{out}/{version}/hilbert", lib.path(name))
    lib.write(name, 50, (np.array([0, 1]), np.array([13, 7])), np.array([50, 51], "float32"))
    with T.open(lib.path(name)) as array:
        array.upgrade_version()
    lib.write(name, 60, (np.array([0, 2]), np.array([13, 7])), np.array([60, 61], "float32"))
    T.consolidate(lib.path(name), config=T.Config({"sm.consolidation.timestamp_start": 0, "sm.consolidation.timestamp_end": 55}))
    lib.record(name, (SECOND, LAST, 55, 99))


def dump(soma, item):
    """All that tiledbsoma reads of an object and of those in it."""
    metadata = {key: plain([item.metadata[key]])[0] for key in sorted(item.metadata)}
    found = {"type": item.soma_type, "metadata": metadata}
    if isinstance(item, (soma.DataFrame, soma.SparseNDArray)):
        table = (item.read() if isinstance(item, soma.DataFrame) else item.read().tables()).concat()
        found["values"] = {name: plain(column.to_pylist()) for name, column in zip(table.column_names, table.columns)}
    elif isinstance(item, soma.DenseNDArray):
        found["values"] = plain(item.read().to_numpy().ravel().tolist())
    else:
        found["members"] = {name: dump(soma, item[name]) for name in sorted(item.keys())}
    return found


def make_experiment(lib):
    """An experiment as tiledbsoma makes it of AnnData."""
    import anndata
    import pandas as pd
    import scipy.sparse
    import tiledbsoma as soma
    import tiledbsoma.io

    n, m = 25, 12
    X = np.array([[(i * 7 + j * 5) % 11 - 6 for j in range(m)] for i in range(n)]).clip(0).astype("float32")
    obs = pd.DataFrame({
        "tissue": pd.Categorical([["blood", "lung", "skin"][i % 3] for i in range(n)]),
        "stage": pd.Categorical([["early", "late"][i % 2] for i in range(n)], categories=["late", "early"], ordered=True),
        "n": np.arange(n) * 3,
        "score": np.arange(n) / 8,
        "primary": [i % 4 == 0 for i in range(n)],
        "name": [f"né{i % 5}" for i in range(n)],
    }, index=[f"cell{i}" for i in range(n)])
    var = pd.DataFrame({"length": np.arange(m, dtype="int32")}, index=[f"G{i}" for i in range(m)])
    adata = anndata.AnnData(
        scipy.sparse.csr_matrix(X), obs=obs, var=var, obsm={"X_pca": np.arange(n * 3).reshape(n, 3) / 4}, uns={"title": "small", "list": np.arange(4)})
    soma.io.from_anndata(lib.path("experiment"), adata, measurement_name="RNA")
    with soma.Experiment.open(lib.path("experiment")) as experiment:
        lib.answers["experiment"] = dump(soma, experiment)
    lib.core += f", tiledbsoma {soma.__version__}"


def make_version(out):
    os.makedirs(out, exist_ok=True)
    lib = Library(out)
    for make in MAKERS:
        make(lib)
    for version in (16, 20) if lib.format == 22 else ():
        carry_on(lib, out, version)
    try:
        make_experiment(lib)
    except ImportError as error:
        print("no experiment:", error)
    with open(f"{out}/{lib.format}.json", "w") as file:
        json.dump({"library": lib.core, "answers": lib.answers}, file)
    print("format", lib.format, "libtiledb", lib.core)


def likeness(path):
    """Puts files of all formats that hold much the same next to each other, which halves the archive."""
    _, *rest = path.split(os.sep)
    return [re.sub(r"[0-9a-f]{32}.*|\d{13}", "", part) for part in rest], path


def intern(value, lists):
    """Answers with each list written once: {"list": place in lists}."""
    if isinstance(value, dict):
        return {key: intern(item, lists) for key, item in value.items()}
    if not isinstance(value, list) or len(value) < 4:
        return value
    return {"list": lists.setdefault(json.dumps(value, ensure_ascii=False), len(lists))}


def pack(out, target):
    """One archive of all formats; answers that are equal are written once, with the formats that gave them."""
    formats = sorted(int(name) for name in os.listdir(out) if name.isdigit())
    paths = [os.path.relpath(os.path.join(folder, name), out) for folder, _, names in os.walk(out) for name in names]
    with tarfile.open(f"{target}/versions.tar.gz", "w:gz", format=tarfile.USTAR_FORMAT, compresslevel=9) as archive:
        for path in sorted((path for path in paths if os.sep in path), key=likeness):
            with open(os.path.join(out, path), "rb") as file:
                content = file.read()
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    libraries, answers, lists = {}, {}, {}
    for version in formats:
        with open(f"{out}/{version}.json") as file:
            recorded = json.load(file)
        libraries[version] = recorded["library"]
        for name, answer in recorded["answers"].items():
            entries, answer = answers.setdefault(name, []), intern(answer, lists)
            equal = next((entry for entry in entries if entry["answer"] == answer), None)
            if equal:
                equal["formats"].append(version)
            else:
                entries.append({"formats": [version], "answer": answer})
    with open(f"{target}/versions.json", "w") as file:
        whole = {"libraries": libraries, "lists": [json.loads(text) for text in lists], "answers": answers}
        json.dump(whole, file, separators=(",", ":"), ensure_ascii=False)


if "--pack" in sys.argv:
    pack(sys.argv[1], sys.argv[3])
else:
    make_version(sys.argv[1])
