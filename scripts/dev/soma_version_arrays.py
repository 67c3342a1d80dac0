"""The arrays of make_soma_versions.py: each function writes one with the library that it is given, and records what that reads."""
import numpy as np

# Milliseconds of the writes; names are sorted as text, so all have as many digits.
FIRST, SECOND, DELETED, LAST = 10, 20, 30, 40

# Far later than the arrays are made.
EVER = 9_999_999_999_999

JOINID = {"name": "soma_joinid", "domain": (0, 999), "tile": 100, "dtype": "int64"}


def numbers(time, ids):
    """Numbers that look random and are the same everywhere."""
    return [(i * 2654435761 + time * 40503 + 97) * 1103515245 % 2**40 >> 5 for i in ids]


def make_frame(lib):
    """A SOMADataFrame of every type, overwritten and with deletions, joined with the times of both; metadata that change."""
    T = lib.tiledb
    shuffled = [T.ByteShuffleFilter(), T.ZstdFilter(5)]
    attributes = [
        T.Attr("i8", dtype="int8", filters=[T.ZstdFilter(2)]),
        T.Attr("u16", dtype="uint16", filters=shuffled),
        T.Attr("i64", dtype="int64", filters=[T.DoubleDeltaFilter(), T.ZstdFilter(2)]),
        T.Attr("u64", dtype="uint64", filters=[T.BitWidthReductionFilter(64)]),
        T.Attr("f32", dtype="float32", filters=shuffled),
        T.Attr("f64", dtype="float64"),
        T.Attr("primary", dtype="bool", filters=[T.ZstdFilter(2)]),
        T.Attr("when", dtype="datetime64[ms]", filters=[T.PositiveDeltaFilter(64), T.BitWidthReductionFilter(64), T.ZstdFilter(2)]),
        T.Attr("code", dtype="S4", filters=[T.ZstdFilter(2)]),
        T.Attr("tissue", dtype="ascii", var=True, filters=[T.RleFilter()]),
        T.Attr("cell_id", dtype="ascii", var=True, filters=[T.DictionaryFilter(), T.ZstdFilter(3)]),
        T.Attr("name", dtype="U", var=True, filters=[T.ZstdFilter(3)]),
    ]
    extra = {}
    if lib.format >= 20:
        extra["enums"] = [T.Enumeration("stages", True, ["early", "late", "naïve"]), T.Enumeration("levels", False, np.array([-5, 70000, 9], "int32"))]
        attributes += [T.Attr("stage", dtype="int8", enum_label="stages", filters=[T.ZstdFilter(9)]), T.Attr("level", dtype="uint16", enum_label="levels")]
    offsets = [T.DoubleDeltaFilter(), T.ZstdFilter(3)]
    lib.create("frame", "SOMADataFrame", [{**JOINID, "filters": offsets}], attributes, sparse=True, capacity=16, offsets_filters=offsets, **extra)
    for time, ids in ((FIRST, range(30)), (SECOND, range(20, 45)), (LAST, range(40, 47))):
        columns = frame_columns(time, ids)
        lib.write("frame", time, np.array(ids), {attribute.name: columns[attribute.name] for attribute in attributes})
        metadata = {"title": f"β at {time}", f"at {time}": time, "big": 2**40 + time, "empty": "", "raw": b"\x00\xff", "floats": (0.5, time / 4)}
        lib.describe("frame", time, metadata, forget=[f"at {FIRST}"] if time == SECOND else ())
    enumerated = " or stage == 'naïve' or level == 70000 and i8 < -60" if lib.format >= 20 else ""
    lib.delete("frame", DELETED, "i64 > 300 or tissue == 'lung' and u16 < 30000" + enumerated)
    lib.consolidate("frame", until=35, vacuum=True)
    lib.record("frame")


def frame_columns(time, ids):
    n = numbers(time, ids)
    return {
        "i8": np.array([v % 256 - 128 for v in n], "int8"),
        "u16": np.array([v % 65536 for v in n], "uint16"),
        "i64": np.array([v % 1000 - 500 for v in n], "int64"),
        "u64": np.array([2**63 + v for v in n], "uint64"),
        "f32": np.array([v % 4096 / 64 for v in n], "float32"),
        "f64": np.array([v / 1024 for v in n]),
        "primary": np.array([v % 3 == 0 for v in n]),
        "when": np.array([1_600_000_000_000 + i * 86_400_000 for i in ids], "datetime64[ms]"),
        "code": np.array([b"abcdefg"[v % 4:v % 4 + 4] for v in n], "S4"),
        # Libraries of old formats cannot pack runs of empty texts.
        "tissue": np.array([["skin", "blood", "lung"][i // 6 % 3] for i in ids], "O"),
        "cell_id": np.array([f"cell{v % 7}" * (v % 3) for v in n], "O"),
        "name": np.array([["", "a", "β2M", "long " * 3][v % 4] for v in n], "O"),
        "stage": np.array([v % 3 for v in n], "int8"),
        "level": np.array([v % 3 for v in n], "uint16"),
    }


def make_nullable(lib):
    """A SOMADataFrame with missing values, which may hold rows twice; its deletion is not carried out yet."""
    import pandas as pd

    T = lib.tiledb
    attributes = [
        T.Attr("n", dtype="int64", nullable=True, filters=[T.DoubleDeltaFilter(), T.ZstdFilter(2)]),
        T.Attr("u8", dtype="uint8", nullable=True),
        T.Attr("score", dtype="float32", nullable=True, filters=[T.ByteShuffleFilter(), T.ZstdFilter(9)]),
        T.Attr("checked", dtype="bool", nullable=True),
        T.Attr("name", dtype="U", var=True, nullable=True, filters=[T.DictionaryFilter(), T.ZstdFilter(3)] if lib.format >= 18 else [T.ZstdFilter(3)]),
    ]
    lib.create("nullable", "SOMADataFrame", [JOINID], attributes, sparse=True, capacity=8, allows_duplicates=True, validity_filters=[T.RleFilter()])
    for time, ids in ((FIRST, range(20)), (SECOND, range(15, 33))):
        def some(values, dtype, step):
            return pd.array([None if i % step == 0 else value for i, value in zip(ids, values)], dtype=dtype)

        n = numbers(time, ids)
        rows = pd.DataFrame({
            "n": some([v * 2**22 for v in n], "Int64", 4),
            "u8": some([v % 256 for v in n], "UInt8", 3),
            "score": some([v % 4096 / 64 for v in n], "Float32", 5),
            "checked": some([v % 2 == 0 for v in n], "boolean", 3),
            "name": some([["", "a", "β2M", "long " * 3][v % 4] for v in n], "string", 6),
        }, index=pd.Index(ids, name="soma_joinid"))
        T.from_pandas(lib.path("nullable"), rows, mode="append", timestamp=time)
    lib.delete("nullable", DELETED, "u8 < 100")
    lib.record("nullable")


def make_sparse(lib):
    """SOMASparseNDArrays in both orders, overwritten; those in rows joined, but not vacuumed, before a deletion."""
    T = lib.tiledb
    dims = [{"name": f"soma_dim_{i}", "domain": (0, 99), "tile": 20, "dtype": "int64", "filters": [T.ZstdFilter(3)]} for i in range(2)]
    for name, order in (("rows", "row-major"), ("hilbert", "hilbert")):
        data = T.Attr("soma_data", dtype="float32", filters=[T.ZstdFilter(3)])
        lib.create(name, "SOMASparseNDArray", dims, [data], sparse=True, cell_order=order, capacity=16)
        for time in (FIRST, SECOND, LAST):
            n = sorted({v % 700 * (3 if time == SECOND else 1) for v in numbers(time, range(60))})
            places = np.array([v * 13 % 10000 for v in n])
            lib.write(name, time, (places // 100, places % 100), np.array([time + v / 8 for v in n], "float32"))
    lib.consolidate("rows", until=25)
    # Conditions on dimensions are new in format 18.
    lib.delete("rows", DELETED, "soma_data > 90 or soma_dim_1 < 20" if lib.format >= 18 else "soma_data > 90")
    lib.record("rows")
    lib.record("hilbert")


def make_indexes(lib):
    """SOMADataFrames whose index columns are texts and integers, and floats, times and bytes; in one, deleted cells are gone for good."""
    T = lib.tiledb
    texts = {"name": "gene", "domain": (None, None), "tile": None, "dtype": "ascii", "filters": [T.RleFilter()]}
    other = {"name": "soma_joinid", "domain": (-50, 50), "tile": 10, "dtype": "int32"}
    lib.create("texts", "SOMADataFrame", [texts, other], [T.Attr("n", dtype="int32")], sparse=True, capacity=8)
    for time, count in ((FIRST, 25), (SECOND, 12)):
        n = numbers(time, range(count))
        coords = [f"G{v % 9}" * (1 + v % 2) for v in n], np.array([v % 101 - 50 for v in n], "int32")
        lib.write("texts", time, coords, np.array([v % 1000 for v in n], "int32"))
    lib.delete("texts", DELETED, "n < 300")
    lib.consolidate("texts", until=35, vacuum=True, purge=True)
    lib.record("texts")
    epoch = np.datetime64(0, "ns")
    dims = [
        {"name": "position", "domain": (-1e3, 1e3), "tile": 10.0, "dtype": "float64"},
        {"name": "when", "domain": (epoch, epoch + 10**15), "tile": np.timedelta64(10**12, "ns"), "dtype": "datetime64[ns]"},
        {"name": "channel", "domain": (0, 200), "tile": 10, "dtype": "uint8"},
    ]
    lib.create("numbers", "SOMADataFrame", dims, [T.Attr("n", dtype="int32")], sparse=True, capacity=8)
    n = numbers(FIRST, range(30))
    coords = np.array([v % 4000 / 4 - 500 for v in n]), epoch + np.array([v % 10**9 for v in n]), np.array([v % 200 for v in n], "uint8")
    lib.write("numbers", FIRST, coords, np.array([v % 1000 for v in n], "int32"))
    lib.record("numbers", (FIRST,))


def make_dense(lib):
    T = lib.tiledb
    for name, cell_order in (("dense", "row-major"), ("dense_columns", "col-major")):
        dims = [{"name": f"soma_dim_{i}", "domain": (0, length - 1), "tile": tile, "dtype": "int64"} for i, (length, tile) in enumerate([(11, 4), (9, 5)])]
        data = T.Attr("soma_data", dtype="int32", fill=-9, filters=[T.ZstdFilter(3)])
        lib.create(name, "SOMADenseNDArray", dims, [data], cell_order=cell_order, tile_order="row-major")
        for time, rows, columns in ((FIRST, (0, 6), (0, 9)), (SECOND, (4, 9), (3, 8)), (LAST, (10, 11), (0, 1))):
            shape = (rows[1] - rows[0], columns[1] - columns[0])
            values = np.array([v % 1000 for v in numbers(time, range(shape[0] * shape[1]))], "int32").reshape(shape)
            lib.write(name, time, (slice(*rows), slice(*columns)), values)
    lib.consolidate("dense", until=25, vacuum=True)
    lib.record("dense")
    lib.record("dense_columns")


def make_filters(lib):
    """One attribute for each filter that the version has."""
    T, n = lib.tiledb, 100
    wave = np.arange(n) * 7 % 50
    ramp = np.cumsum([v % 9 for v in numbers(1, range(n))])
    noise = np.array([v % 2**20 for v in numbers(2, range(n))]) / 64
    texts = np.array([["-", "T cell", "B cell", "NK"][i // 5 % 4] for i in range(n)], "O")
    listed = [
        ("lz4", "int64", [T.LZ4Filter(5)], wave),
        ("bzip2", "int32", [T.Bzip2Filter(3)], wave),
        ("rle", "int32", [T.RleFilter()], np.arange(n) // 37),
        ("double_delta", "int64", [T.DoubleDeltaFilter()], ramp),
        ("double_delta_int8", "int8", [T.DoubleDeltaFilter()], wave),
        ("double_delta_time", "datetime64[ns]", [T.DoubleDeltaFilter(), T.ZstdFilter(2)], ramp),
        ("positive_delta", "int32", [T.PositiveDeltaFilter(256)], ramp),
        ("positive_delta_time", "datetime64[ms]", [T.PositiveDeltaFilter(256)], ramp),
        ("bit_width", "int64", [T.BitWidthReductionFilter(256)], wave),
        ("bit_width_time", "datetime64[us]", [T.BitWidthReductionFilter(256), T.ZstdFilter(2)], wave),
        ("bitshuffle", "float64", [T.BitShuffleFilter(), T.LZ4Filter(2)], noise),
        ("byteshuffle", "int16", [T.ByteShuffleFilter(), T.GzipFilter(2)], ramp),
        ("md5", "int64", [T.ChecksumMD5Filter()], ramp),
        ("sha256", "float32", [T.ZstdFilter(2), T.ChecksumSHA256Filter()], noise),
        ("float_scale", "float64", [T.FloatScaleFilter(0.25, 3, 2), T.ZstdFilter(2)], wave * 0.25 + 3),
        ("xor", "float32", [T.XORFilter(), T.ZstdFilter(2)], noise),
        ("text_rle", "U", [T.RleFilter()], texts),
        ("blob", "blob", [T.GzipFilter(3)], np.array([b"\0\xff" * (i % 4) for i in range(n)], "O")),
    ]
    if lib.format >= 17:
        listed.append(("text_dictionary", "U", [T.DictionaryFilter()], texts))
    if lib.format >= 19:
        listed += [("delta", "int64", [T.DeltaFilter(), T.ZstdFilter(2)], wave), ("delta_int32", "int32", [T.DeltaFilter()], ramp)]
    if lib.format >= 20:
        whole = {"reinterp_dtype": np.int32}
        listed += [
            ("delta_reinterpreted", "float64", [T.DeltaFilter(**whole), T.BitWidthReductionFilter(64)], wave),
            ("double_delta_reinterpreted", "float64", [T.DoubleDeltaFilter(**whole), T.ZstdFilter(2)], wave),
        ]
    attributes = [T.Attr(name, dtype=dtype, var=dtype in ("U", "blob"), filters=filters) for name, dtype, filters, _ in listed]
    joinid = {**JOINID, "filters": [T.PositiveDeltaFilter(64), T.ZstdFilter(9)]}
    offsets = [T.PositiveDeltaFilter(128), T.BitWidthReductionFilter(128), T.ZstdFilter(3)]
    lib.create("filters", "SOMADataFrame", [joinid], attributes, sparse=True, capacity=64, offsets_filters=offsets)
    values = {name: values if dtype in ("U", "blob") else values.astype(dtype) for name, dtype, _, values in listed}
    lib.write("filters", FIRST, np.arange(n), values)
    lib.record("filters", (FIRST,))


def make_evolved(lib):
    """An array that gained and lost attributes between its writes, and values of an enumeration."""
    T = lib.tiledb
    attributes = [T.Attr("old", dtype="int32"), T.Attr("kept", dtype="ascii", var=True)]
    extra = {}
    if lib.format >= 20:
        attributes.append(T.Attr("stage", dtype="int8", enum_label="stages"))
        extra["enums"] = [T.Enumeration("stages", False, ["early", "late"])]
    lib.create("evolved", "SOMADataFrame", [JOINID], attributes, sparse=True, capacity=8, **extra)
    ids = np.arange(12)
    values = {"old": ids.astype("int32"), "kept": np.array(["a", "bb", ""] * 4, "O"), "stage": (ids % 2).astype("int8")}
    lib.write("evolved", FIRST, ids, {attribute.name: values[attribute.name] for attribute in attributes})
    change = T.ArraySchemaEvolution()
    added = {"new": ids / 4, "text": values["kept"], "primary": ids % 2 == 0, "when": ids.astype("datetime64[ms]")}
    for name, dtype in (("new", "float64"), ("text", "U"), ("primary", "bool"), ("when", "datetime64[ms]")):
        change.add_attribute(T.Attr(name, dtype=dtype, var=dtype == "U"))
    change.drop_attribute("old")
    if lib.format >= 20:
        added["stage"] = (ids % 3).astype("int8")
        with T.open(lib.path("evolved")) as array:
            change.extend_enumeration(array.enum("stages").extend(["naïve"]))
    change.array_evolve(lib.path("evolved"))
    lib.write("evolved", SECOND, ids + 6, {"kept": values["kept"], **added})
    lib.record("evolved", (EVER,))


def make_group(lib):
    """A collection whose members were added and taken away."""
    T, path = lib.tiledb, lib.path("group")
    T.group_create(path)
    for time, added, removed in ((FIRST, ["one", "two"], []), (SECOND, ["three"], ["one"])):
        with T.Group(path, "w", ctx=T.Ctx({"sm.group.timestamp_end": time})) as group:
            for name in added:
                T.group_create(f"{path}/{name}")
                group.add(name, name=name, relative=True)
            for name in removed:
                group.remove(name)
            group.meta["soma_object_type"] = "SOMACollection"
            group.meta["time"] = time
    for time in (FIRST, 15, SECOND):
        with T.Group(path, "r", ctx=T.Ctx({"sm.group.timestamp_end": time})) as group:
            metadata = {key: group.meta[key] for key in sorted(group.meta)}
            metadata["time"] = int(metadata["time"])
            lib.answers[f"group@{time}"] = {"members": sorted(member.name for member in group), "metadata": metadata}


MAKERS = (make_frame, make_nullable, make_sparse, make_indexes, make_dense, make_filters, make_evolved, make_group)
