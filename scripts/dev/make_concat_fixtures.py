"""Makes tests/fixtures/frame/concat.json: what anndata's concat makes of uns and obsp.

Needs anndata 0.12, pandas 2.3 and awkward 2: python scripts/dev/make_concat_fixtures.py
"""

import json
import warnings
from pathlib import Path

import anndata as ad
import awkward as ak
import numpy as np
import pandas as pd
import scipy.sparse as sp

from make_frame_fixtures import matrix, plain, table

FILE = Path(__file__).parents[2] / "tests" / "fixtures" / "frame" / "concat.json"


def array(values, dtype: str = "float64", shape: list | None = None) -> dict:
    """The record of an array."""
    return {"array": values, "dtype": dtype, "shape": [len(values)] if shape is None else shape}


def made(record: dict):
    """The value of a record."""
    kind, value = next(iter(record.items()))
    if kind == "dict":
        return {name: made(child) for name, child in value.items()}
    if kind == "number":
        return float(value) if isinstance(value, str) else np.asarray(value)[()]
    if kind == "array":
        dtype = object if record["dtype"] == "str" else record["dtype"]
        return np.array([float(x) if x == "NaN" and dtype != object else x for x in value], dtype).reshape(record["shape"])
    if kind == "records":
        fields = {name: made(column) for name, column in value.items()}
        return np.rec.fromarrays(list(fields.values()), names=list(fields))
    if kind == "categories":
        return pd.Categorical(record["values"], value, ordered=record["ordered"])
    if kind == "nullable":
        return pd.array(value, dtype=record["dtype"])
    if kind == "columns":
        return pd.DataFrame({name: made(column) for name, column in value.items()}, index=record["index"])
    if kind == "sparse":
        dense = np.array([float(x) for x in value], record["dtype"]).reshape(record["shape"])
        return (sp.csc_matrix if record["format"] == "csc" else sp.csr_matrix)(dense)
    if kind == "lists":
        return ak.values_astype(ak.Array(value), record["dtype"])
    return value  # text, truth, none


def compared() -> list:
    """Values of every kind, which are compared pair by pair."""
    words, numbers = ["a", "b", "c"], [1.0, 2.0, 3.0]
    labels = {"categories": ["a", "b", "c"], "ordered": False, "values": words}
    frame = {"columns": {"n": array(numbers), "w": array(words, "str")}, "index": ["x", "y", "z"]}
    sparse = {"sparse": [1, 0, 0, 2], "dtype": "float32", "shape": [2, 2], "format": "csr"}
    records = {"records": {"T": array(words, "str"), "B": array(numbers)}}
    return [
        {"none": None}, {"text": "a"}, {"text": "1"}, {"text": ""}, {"truth": True}, {"truth": False}, {"number": 1}, {"number": 1.0},
        {"number": 0}, {"number": 1.5}, {"number": "NaN"}, {"number": "Infinity"},
        array(numbers), array(numbers, "float32"), array([1, 2, 3], "int32"), array([1, 2, 3], "uint8"), array([1.0, 2.0, "NaN"]),
        array(["NaN", 2.0, 1.0]), array([1.0, 2.0]), array([1.0]), array([]), array(numbers, "float64", [1, 3]),
        array(numbers, "float64", [3, 1]), array(numbers, "float32", [3, 1]), array([1.0, 0.0, 0.0, 2.0], "float32", [2, 2]),
        array([True, False, True], "bool"), array([1, 0, 1], "int32"), array(words, "str"), array(["a"], "str"),
        array(["1", "2", "3"], "str"), array(["a", "b", "c", "d"], "str", [2, 2]),
        labels, {**labels, "categories": ["c", "b", "a"]}, {**labels, "ordered": True}, {**labels, "categories": ["a", "b", "c", "d"]},
        {**labels, "values": ["a", "b", None]}, {**labels, "values": ["a", "c", "b"]},
        {"nullable": [1, 2, 3], "dtype": "Int32"}, {"nullable": [1, 2, 3], "dtype": "Int8"}, {"nullable": [1, 2, None], "dtype": "Int32"},
        {"nullable": [None, 2, 1], "dtype": "Int32"}, {"nullable": [True, False, True], "dtype": "boolean"},
        {"nullable": [True, False, None], "dtype": "boolean"},
        frame, {**frame, "index": ["x", "y", "w"]}, {**frame, "columns": dict(reversed(frame["columns"].items()))},
        {**frame, "columns": {**frame["columns"], "n": array(numbers, "float32")}}, {**frame, "columns": {"n": array(numbers)}},
        sparse, {**sparse, "format": "csc"}, {**sparse, "dtype": "float64"}, {**sparse, "sparse": [1, 0, 0, 3]},
        {**sparse, "sparse": ["NaN", 0, 0, 2]}, {**sparse, "shape": [4, 1]},
        records, {"records": {"T": array(words, "str"), "B": array(numbers, "float32")}}, {"records": dict(reversed(records["records"].items()))},
        {"records": {"T": array(words, "str")}}, {"records": {"T": array(words, "str"), "B": array([1.0, 2.0, "NaN"])}},
        {"lists": [[1, 2], [], [3]], "dtype": "float64"}, {"lists": [[1, 2 + 1e-9], [], [3]], "dtype": "float64"},
        {"lists": [[1, 2.1], [], [3]], "dtype": "float64"}, {"lists": [[1, 2], [], [3]], "dtype": "float32"},
        {"lists": [[1, 2], [3]], "dtype": "float64"}, {"lists": [[1], [2], [3]], "dtype": "float64"},
    ]


def equal_pairs(records: list) -> dict:
    """Pairs of a value and a later one that "same" holds for equal, and those that anndata cannot compare."""
    equal, refused = [], []
    for i, one in enumerate(records):
        for j, other in enumerate(records):
            if ("lists" in one) != ("lists" in other):  # awkward crashes on some of these
                refused.append([i, j])
                continue
            try:
                result = concat(*({"x": made(record)} for record in (one, other)), uns_merge="same")
            except Exception:  # noqa: BLE001 -- of pandas, numpy or awkward
                refused.append([i, j])
                continue
            if "x" in result.uns:
                equal.append([i, j])
    return {"equal": equal, "refused": refused}


def concat(*dicts, **options) -> ad.AnnData:
    """Samples of one cell that have these uns."""
    return ad.concat([ad.AnnData(np.ones((1, 1), "float32"), uns=uns) for uns in dicts], **options)


def merged() -> dict:
    """Nested dictionaries and what the strategies keep of them."""
    text, number = (lambda value: {"text": value}), (lambda value: {"number": value})
    nest = lambda **children: {"dict": children}  # noqa: E731
    records = {"records": {"T": array(["a", "b"], "str")}}
    samples = [
        nest(title=text("one"), same=number(1), colors=array(["red", "blue"], "str"), nothing=nest(), first_only=array([1.0, 2.0]),
             pca=nest(params=nest(zero_center=text("yes"), key=text("k")), variance=array([3.0, 1.0]), empty=nest()),
             mixed=nest(a=number(1)), mixed_later=number(2), partly=nest(b=number(1)), ranks=nest(names=records, more=nest()),
             two=nest(x=number(1), y=number(2))),
        nest(two=nest(y=number(2), x=number(1)), pca=nest(variance=array([3.0, 1.0]), params=nest(key=text("k"), zero_center=text("no"))),
             same=number(1), title=text("two"), colors=array(["red", "blue"], "str"), nothing=nest(), mixed=number(1),
             mixed_later=nest(a=number(2)), ranks=nest(names={"records": {"B": array(["a", "b"], "str")}}), second_only=nest(deep=nest(c=text("c")))),
        nest(same=number(1), pca=nest(params=nest(key=text("k"), extra=text("e")), variance=array([3.0, 1.0])), title=text("three"),
             two=nest(x=number(1), y=number(2)), partly=nest(b=number(1), c=number(2)), nothing=nest(), mixed=nest(a=number(1)),
             mixed_later=number(2), ranks=nest(names=records)),
    ]
    results = []
    for chosen in [[0, 1, 2], [0, 1], [0, 2], [2, 0], [1]]:
        for strategy in ["same", "unique", "first", "only", None]:
            result = concat(*(made(samples[k]) for k in chosen), uns_merge=strategy)
            results.append({"samples": chosen, "strategy": strategy, "leaves": leaves(result.uns)})
    return {"samples": samples, "results": results}


def leaves(uns) -> list:
    """Paths of what a dictionary holds, in its order, with the value as text."""
    found = []
    for name, value in uns.items():
        if hasattr(value, "items") and not isinstance(value, pd.DataFrame):
            inner = leaves(value)
            found += [[[name, *path], text] for path, text in inner] if inner else [[[name], "{}"]]
        else:
            names = getattr(getattr(value, "dtype", None), "names", None)
            found.append([[name], json.dumps({key: value[key].tolist() for key in names} if names else np.asarray(value).tolist())])
    return found


def pairwise() -> dict:
    """Samples with matrices of cells x cells, and the blocks that they become."""
    samples = {}
    for k, (cells, kinds) in enumerate([
        (3, {"shared": ("csr", "float32"), "some": ("dense", "float32"), "flags": ("csr", "bool")}),
        (2, {"own": ("csr", "float64"), "flags": ("csr", "bool"), "shared": ("csc", "int32")}),
        (4, {"flags": ("dense", "bool"), "shared": ("dense", "float32"), "some": ("csr", "float64")}),
    ]):
        adata = ad.AnnData(np.ones((cells, 1), "float32"))
        for number, (name, (kind, dtype)) in enumerate(kinds.items()):
            rng = np.random.default_rng([k, number])
            dense = rng.integers(0, 3, (cells, cells)).astype(dtype)
            adata.obsp[name] = dense if kind == "dense" else sp.csr_matrix(dense) if kind == "csr" else sp.csc_matrix(dense)
        samples[f"s{k}"] = adata
    record = lambda value: {**matrix(value), "dtype": str(value.dtype)}  # noqa: E731
    return {
        "samples": {name: {key: record(value) for key, value in adata.obsp.items()} for name, adata in samples.items()},
        "results": [
            {"join": join, "obsp": {key: record(value) for key, value in ad.concat(samples, join=join, pairwise=True, index_unique="-").obsp.items()}}
            for join in ["inner", "outer"]
        ],
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    values = compared()
    fixture = {"versions": {"anndata": ad.__version__, "pandas": pd.__version__, "awkward": ak.__version__},
               "values": values, "pairs": equal_pairs(values), "merged": merged(), "pairwise": pairwise()}
    FILE.write_text(json.dumps(fixture, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
