"""Writes tests/fixtures/soma: a small Census as a folder, and arrays of every filter and layout as one archive with their values.

Needs tiledbsoma 2.3.0, tiledb 0.36.1 (each in an environment of its own works: the script runs the parts whose package is there).
    python scripts/dev/make_soma_fixtures.py tests/fixtures/soma
"""
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
import time

import numpy as np

OUT = sys.argv[1]


def plain(values):
    """Values as JSON: integers beyond 2^53 as text, bytes as lists."""
    result = []
    for value in values:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bytes):
            value = list(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
            value = str(value)
        if isinstance(value, float) and not np.isfinite(value):
            value = None if np.isnan(value) else str(value)
        result.append(value)
    return result


def make_census():
    """40 cells of 30 genes, in two writes, with enumerations, missing values and a dense embedding, laid out as the Census is."""
    import pyarrow as pa
    import tiledbsoma as soma

    print("tiledbsoma", soma.__version__, "libtiledb", soma.get_libtiledbsoma_core_version())
    root = f"{OUT}/census"
    path = f"{root}/census_data/homo_sapiens"
    shutil.rmtree(root, ignore_errors=True)
    rng = np.random.default_rng(7)
    n, m = 40, 30
    X = rng.poisson(0.4, (n, m)).astype("float32")
    tissues = ["blood", "lung", "skin"]
    obs = pa.table({
        "soma_joinid": pa.array(range(n), pa.int64()),
        "cell_id": [f"cell{i}" for i in range(n)],
        "tissue": pa.DictionaryArray.from_arrays(pa.array([i % 3 for i in range(n)], pa.int8()), tissues),
        "stage": pa.DictionaryArray.from_arrays(
            pa.array([None if i % 7 == 0 else i % 2 for i in range(n)], pa.int8()), ["early", "late"], ordered=True),
        "n_genes": pa.array([None if i == 5 else int((X[i] > 0).sum()) for i in range(n)], pa.int64()),
        "is_primary_data": pa.array([i % 4 != 0 for i in range(n)]),
        "score": pa.array((X.sum(1) / 3).tolist(), pa.float32()),
    })
    var = pa.table({
        "soma_joinid": pa.array(range(m), pa.int64()),
        "feature_id": [f"ENSG{i:05d}" for i in range(m)],
        "feature_name": ["β2M" if i == 0 else f"G{i:04d}" for i in range(m)],
    })
    emb = rng.standard_normal((n, 4)).astype("float32")
    rows, cols = np.nonzero(X)
    datasets = pa.table({
        "soma_joinid": pa.array(range(2), pa.int64()),
        "dataset_id": ["aaaa", "bbbb"],
        "dataset_h5ad_path": ["aaaa.h5ad", "bbbb.h5ad"],
    })
    summary = pa.table({
        "soma_joinid": pa.array(range(2), pa.int64()),
        "label": ["census_schema_version", "total_cell_count"],
        "value": ["2.4.0", str(n)],
    })
    presence = rng.integers(0, 2, (2, m))
    with soma.Collection.create(root) as census:
        info = census.add_new_collection("census_info")
        for name, table in (("datasets", datasets), ("summary", summary)):
            info.add_new_dataframe(name, schema=table.schema, domain=[[0, 1]])
        census.add_new_collection("census_data").add_new_collection("homo_sapiens", soma.Experiment)
    with soma.Collection.open(root, "w") as census:
        census["census_info"]["datasets"].write(datasets)
        census["census_info"]["summary"].write(summary)
    with soma.Experiment.open(path, "w") as exp:
        exp.metadata["title"] = "forty cells"
        exp.add_new_dataframe("obs", schema=obs.schema, domain=[[0, n - 1]])
        rna = exp.add_new_collection("ms").add_new_collection("RNA", soma.Measurement)
        rna.add_new_dataframe("var", schema=var.schema, domain=[[0, m - 1]])
        rna.add_new_collection("X").add_new_sparse_ndarray("raw", type=pa.float32(), shape=(n, m))
        rna.add_new_sparse_ndarray("feature_dataset_presence_matrix", type=pa.bool_(), shape=(2, m))
        rna.add_new_collection("obsm").add_new_dense_ndarray("X_pca", type=pa.float32(), shape=(n, 4))
    for keep in (slice(0, 25), slice(25, n)):
        time.sleep(0.01)  # two writes of one millisecond have no order
        with soma.Experiment.open(path, "w") as exp:
            exp.obs.write(obs.slice(keep.start, keep.stop - keep.start))
            there = (rows >= keep.start) & (rows < keep.stop)
            exp.ms["RNA"].X["raw"].write(pa.SparseCOOTensor.from_numpy(
                X[rows[there], cols[there]].reshape(-1, 1), np.stack([rows[there], cols[there]], 1), shape=(n, m)))
    with soma.Experiment.open(path, "w") as exp:
        exp.ms["RNA"].var.write(var)
        there = np.argwhere(presence)
        exp.ms["RNA"]["feature_dataset_presence_matrix"].write(pa.SparseCOOTensor.from_numpy(
            np.ones((len(there), 1), bool), there, shape=(2, m)))
        exp.ms["RNA"].obsm["X_pca"].write((slice(0, n), slice(0, 4)), pa.Tensor.from_numpy(emb))
    answer = {
        "obs": {name: plain(column.to_pylist()) for name, column in zip(obs.column_names, obs.columns)},
        "var": {name: plain(column.to_pylist()) for name, column in zip(var.column_names, var.columns)},
        "X": X.astype(int).tolist(),
        "X_pca": [plain(row) for row in emb.astype(float)],
        "presence": presence.tolist(),
    }
    with open(f"{OUT}/census.json", "w") as file:
        json.dump(answer, file)


def attributes(tiledb, n):
    """(name, dtype, filters, values) of one-value-a-cell attributes, one for each filter."""
    rng = np.random.default_rng(3)
    F = tiledb
    wave = (np.arange(n) * 7 % 50).astype("int64")
    ramp = np.cumsum(rng.integers(0, 9, n)).astype("int64")
    noise = rng.standard_normal(n)
    big = rng.integers(-2**62, 2**62, n)
    return [
        ("none", "int32", [], wave.astype("int32")),
        ("gzip", "float64", [F.GzipFilter(5)], noise),
        ("zstd", "float64", [F.ZstdFilter(3)], noise),
        ("lz4", "int64", [F.LZ4Filter(5)], wave),
        ("lz4_noise", "float64", [F.LZ4Filter(5)], noise),
        ("rle", "int32", [F.RleFilter()], (np.arange(n) // 37).astype("int32")),
        ("rle_bytes", "uint8", [F.RleFilter()], (np.arange(n) // 90).astype("uint8")),
        ("double_delta", "int64", [F.DoubleDeltaFilter()], ramp),
        ("double_delta_flat", "int64", [F.DoubleDeltaFilter()], np.arange(n, dtype="int64") * 3 - 500),
        ("double_delta_big", "int64", [F.DoubleDeltaFilter()], np.cumsum(rng.integers(0, 2**50, n))),
        ("double_delta_raw", "int8", [F.DoubleDeltaFilter()], rng.integers(-30, 30, n).astype("int8")),
        ("double_delta_small", "int16", [F.DoubleDeltaFilter(), F.ZstdFilter(1)], (ramp % 3000 - 1500).astype("int16")),
        ("double_delta_uint", "uint32", [F.DoubleDeltaFilter()], ramp.astype("uint32")),
        ("delta", "int64", [F.DeltaFilter(), F.ZstdFilter(2)], big),
        ("delta_small", "int8", [F.DeltaFilter()], (ramp % 120 - 60).astype("int8")),
        ("delta_int32", "int32", [F.DeltaFilter(), F.GzipFilter(3)], rng.integers(-2**31, 2**31, n).astype("int32")),
        ("positive_delta", "uint64", [F.PositiveDeltaFilter(256), F.ZstdFilter(2)], ramp.astype("uint64") + np.uint64(2**40)),
        ("positive_delta_int32", "int32", [F.PositiveDeltaFilter(1000)], ramp.astype("int32")),
        ("bit_width", "int64", [F.BitWidthReductionFilter(256)], wave - 20),
        ("bit_width_wide", "uint64", [F.BitWidthReductionFilter(512), F.ZstdFilter(2)], (wave + 2**60).astype("uint64")),
        ("bit_width_int32", "int32", [F.BitWidthReductionFilter(64)], (ramp - 1000).astype("int32")),
        ("bit_width_int16", "uint16", [F.BitWidthReductionFilter(64)], (ramp + 300).astype("uint16")),
        ("byteshuffle", "float32", [F.ByteShuffleFilter(), F.ZstdFilter(9)], noise.astype("float32")),
        ("byteshuffle_int64", "int64", [F.ByteShuffleFilter(), F.ZstdFilter(9)], big),
        ("byteshuffle_int16", "int16", [F.ByteShuffleFilter(), F.LZ4Filter(2)], (ramp % 3000).astype("int16")),
        ("bitshuffle", "float64", [F.BitShuffleFilter(), F.LZ4Filter(2)], noise),
        ("bitshuffle_int32", "int32", [F.BitShuffleFilter()], wave.astype("int32")),
        ("xor", "float32", [F.XORFilter(), F.ZstdFilter(2)], noise.astype("float32")),
        ("xor_float64", "float64", [F.XORFilter()], noise),
        ("md5", "int64", [F.ChecksumMD5Filter(), F.ZstdFilter(2)], big),
        ("sha256", "float32", [F.ZstdFilter(2), F.ChecksumSHA256Filter()], noise.astype("float32")),
        ("float_scale", "float64", [F.FloatScaleFilter(0.25, 3, 2), F.ZstdFilter(2)], wave * 0.25 + 3),
        ("bool", "bool", [F.ZstdFilter(2)], wave % 3 == 0),
        ("uint64", "uint64", [], (big.astype("uint64"))),
        ("datetime", "datetime64[ms]", [F.DoubleDeltaFilter(), F.ZstdFilter(2)], (ramp * 1000).astype("datetime64[ms]")),
        ("bzip2", "int32", [F.Bzip2Filter(3)], wave.astype("int32")),
    ]


def make_filters(tiledb, root, answers):
    n = 300
    listed = attributes(tiledb, n)
    texts = [None if i % 11 == 3 else ["", "a", "lung", "naïve “Ü”"][i % 4] * (i % 3) for i in range(n)]
    dim = tiledb.Dim("d", domain=(0, n - 1), tile=50, dtype="int64", filters=[tiledb.PositiveDeltaFilter(2048), tiledb.ZstdFilter(9)])
    attrs = [tiledb.Attr(name, dtype=dtype, filters=filters) for name, dtype, filters, _ in listed]
    attrs += [
        tiledb.Attr("text", dtype="U", var=True, nullable=True, filters=[tiledb.ZstdFilter(3)]),
        tiledb.Attr("text_rle", dtype="ascii", var=True, filters=[tiledb.RleFilter()]),
        tiledb.Attr("text_dictionary", dtype="ascii", var=True, filters=[tiledb.DictionaryFilter(), tiledb.ZstdFilter(3)]),
        tiledb.Attr("blob", dtype="blob", var=True, filters=[tiledb.GzipFilter(3)]),
    ]
    schema = tiledb.ArraySchema(
        domain=tiledb.Domain(dim), attrs=attrs, sparse=True, capacity=128,
        offsets_filters=[tiledb.PositiveDeltaFilter(128), tiledb.BitWidthReductionFilter(128), tiledb.ZstdFilter(3)],
        validity_filters=[tiledb.RleFilter()])
    path = f"{root}/filters"
    tiledb.Array.create(path, schema)
    data = {name: values for name, _, _, values in listed}
    ascii_text = np.array([["", "T cell", "B cell", "NK"][(i // 5) % 4] for i in range(n)], dtype="O")
    data["text_rle"] = ascii_text
    data["text_dictionary"] = ascii_text
    data["blob"] = np.array([b"" if i % 5 == 0 else b"\x00\xff" * (i % 4) + b"x" for i in range(n)], dtype="O")
    import pyarrow as pa
    with tiledb.open(path, "w") as array:
        array[np.arange(n)] = {**data, "text": pa.array(texts)}
    answers["filters"] = {"d": list(range(n))}
    for name, dtype, _, values in listed:
        answers["filters"][name] = plain(values.astype("int64") if dtype.startswith("datetime") else values)
    answers["filters"]["text"] = texts
    answers["filters"]["text_rle"] = answers["filters"]["text_dictionary"] = list(ascii_text)
    answers["filters"]["blob"] = plain(data["blob"])
    # Columns of equal values are written once: the others name the first one.
    first = {}
    for name, values in answers["filters"].items():
        answers["filters"][name] = first.setdefault(json.dumps(values), name)
    answers["filters"] = {name: json.loads(next(v for v, n in first.items() if n == name)) if of == name else of
                          for name, of in answers["filters"].items()}


def make_dense(tiledb, root, answers):
    rng = np.random.default_rng(5)
    for name, cell_order, tile_order in [("dense_rr", "row-major", "row-major"), ("dense_cr", "col-major", "row-major"), ("dense_rc", "row-major", "col-major")]:
        domain = tiledb.Domain(
            tiledb.Dim("soma_dim_0", domain=(0, 22), tile=5, dtype="int64"),
            tiledb.Dim("soma_dim_1", domain=(0, 16), tile=7, dtype="int64"))
        schema = tiledb.ArraySchema(domain=domain, attrs=[tiledb.Attr("soma_data", dtype="int32", fill=-9)], cell_order=cell_order, tile_order=tile_order)
        path = f"{root}/{name}"
        tiledb.Array.create(path, schema)
        for rows, cols in [((0, 12), (0, 17)), ((8, 19), (3, 11)), ((15, 16), (0, 1))]:
            with tiledb.open(path, "w") as array:
                array[rows[0]:rows[1], cols[0]:cols[1]] = np.asarray(
                    rng.integers(0, 1000, (rows[1] - rows[0], cols[1] - cols[0])), dtype="int32", order="C")
        with tiledb.open(path) as array:
            answers[name] = array[:]["soma_data"].tolist()
    domain = tiledb.Domain(*(tiledb.Dim(f"soma_dim_{i}", domain=(0, length - 1), tile=tile, dtype="int64") for i, (length, tile) in enumerate([(5, 2), (4, 3), (6, 4)])))
    path = f"{root}/dense_3d"
    tiledb.Array.create(path, tiledb.ArraySchema(domain=domain, attrs=[tiledb.Attr("soma_data", dtype="float64", filters=[tiledb.ZstdFilter(3)])]))
    values = rng.standard_normal((5, 4, 6))
    with tiledb.open(path, "w") as array:
        array[:] = values
    answers["dense_3d"] = values.tolist()


def make_updates(tiledb, root, answers):
    """No duplicates, overlapping writes, consolidated with the times of cells; conditions with missing values."""
    rng = np.random.default_rng(9)
    path = f"{root}/updates"
    domain = tiledb.Domain(
        tiledb.Dim("soma_dim_0", domain=(0, 99), tile=10, dtype="int64"),
        tiledb.Dim("soma_dim_1", domain=(0, 99), tile=10, dtype="int64"))
    schema = tiledb.ArraySchema(domain=domain, attrs=[tiledb.Attr("soma_data", dtype="float32")], sparse=True, capacity=16)
    tiledb.Array.create(path, schema)
    for time in (10, 20, 30, 40):
        places = rng.choice(10000, 300, replace=False)
        places = places[places % 100 < 20] if time == 30 else places
        with tiledb.open(path, "w", timestamp=time) as array:
            array[places // 100, places % 100] = np.full(len(places), time, "float32")
    shutil.copytree(path, f"{root}/updates_consolidated")
    tiledb.consolidate(f"{root}/updates_consolidated", timestamp=(1, 30))
    for mode in ("commits", "fragment_meta"):
        tiledb.consolidate(f"{root}/updates_consolidated", config=tiledb.Config({"sm.consolidation.mode": mode}))
    shutil.copytree(f"{root}/updates_consolidated", f"{root}/updates_vacuumed")
    tiledb.vacuum(f"{root}/updates_vacuumed")
    for time in (10, 25, 30, 40):
        with tiledb.open(path, timestamp=time) as array:
            cells = array[:]
        answers[f"updates@{time}"] = {name: plain(cells[name]) for name in ("soma_dim_0", "soma_dim_1", "soma_data")}
    path = f"{root}/deletes"
    domain = tiledb.Domain(tiledb.Dim("soma_joinid", domain=(0, 49), tile=10, dtype="int64"))
    schema = tiledb.ArraySchema(
        domain=domain, sparse=True, capacity=8, allows_duplicates=True,
        attrs=[tiledb.Attr("n", dtype="int64", nullable=True), tiledb.Attr("name", dtype="ascii", var=True)])
    tiledb.Array.create(path, schema)
    import pyarrow as pa
    for time, start in ((10, 0), (20, 25)):
        ids = np.arange(start, start + 25)
        with tiledb.open(path, "w", timestamp=time) as array:
            array[ids] = {"n": pa.array([None if i % 6 == 0 else int(i) for i in ids]), "name": np.array(["abc"[i % 3] for i in ids], "O")}
    for time, condition in ((15, "n < 5"), (30, "name == 'b' and n > 30"), (40, "n in [10, 11, 41]")):
        with tiledb.open(path, "d", timestamp=time) as array:
            array.query(cond=condition).submit()
    for time in (12, 22, 35, 50):
        with tiledb.open(path, timestamp=time) as array:
            cells = array.query(attrs=["n", "name"])[:]
        n = np.ma.getdata(cells["n"]); missing = np.ma.getmaskarray(cells["n"])
        answers[f"deletes@{time}"] = {
            "soma_joinid": plain(cells["soma_joinid"]),
            "n": [None if gone else int(value) for value, gone in zip(n, missing)],
            "name": [value.decode() if isinstance(value, bytes) else str(value) for value in cells["name"]],
        }


def make_arrays():
    import tiledb

    print("tiledb", tiledb.__version__, "libtiledb", tiledb.libtiledb.version())
    answers = {}
    with tempfile.TemporaryDirectory() as root:
        make_filters(tiledb, root, answers)
        make_dense(tiledb, root, answers)
        make_updates(tiledb, root, answers)
        with tarfile.open(f"{OUT}/arrays.tar.gz", "w:gz", format=tarfile.USTAR_FORMAT, compresslevel=9) as archive:
            for folder, folders, files in sorted(os.walk(root)):
                for name in sorted(files):
                    path = os.path.join(folder, name)
                    info = tarfile.TarInfo(os.path.relpath(path, root))
                    info.size = os.path.getsize(path)
                    with open(path, "rb") as file:
                        archive.addfile(info, io.BytesIO(file.read()))
    with open(f"{OUT}/arrays.json", "w") as file:
        json.dump(answers, file, separators=(",", ":"))


os.makedirs(OUT, exist_ok=True)
for part in (make_census, make_arrays):
    try:
        part()
    except ImportError as error:
        print(f"skipped {part.__name__}: {error}")
