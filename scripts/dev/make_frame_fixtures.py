"""Makes tests/fixtures/frame/*.json, the numbers of pandas and anndata that the data frame is compared with.

Needs pandas 2.3 and anndata 0.12: python scripts/dev/make_frame_fixtures.py
"""

import json
import math
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

FOLDER = Path(__file__).parents[2] / "tests" / "fixtures" / "frame"


def plain(value):
    """A value as JSON has it: null for pandas' NA and None, "NaN" for the number."""
    if value is None or value is pd.NA:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return str(float(value)).replace("inf", "Infinity").replace("nan", "NaN") if not math.isfinite(value) else float(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    return str(value)


def column(series: pd.Series) -> dict:
    """Values of a column, with its categories where it has some."""
    values = [plain(value) for value in series.tolist()]
    if isinstance(series.dtype, pd.CategoricalDtype):
        categories = [plain(label) for label in series.cat.categories]
        values = [None if code < 0 else categories[code] for code in series.cat.codes]
        return {"categories": categories, "ordered": bool(series.cat.ordered), "values": values}
    return {"dtype": str(series.dtype), "values": values}


def table(frame: pd.DataFrame) -> dict:
    """A frame as its index and columns."""
    return {
        "index": [str(name) for name in frame.index],
        "columns": {str(name): column(frame[name]) for name in frame.columns},
    }


def cells(rows: int = 40) -> pd.DataFrame:
    """Every kind of column, with ties and with rows that have no value."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(index=[f"cell{k}" for k in rng.permutation(rows)])
    types = rng.choice(["T", "B", "NK", "Mono"], rows).astype(object)
    types[[3, 17]] = None
    frame["cell_type"] = pd.Categorical(types, ["T", "B", "NK", "Mono", "never"])
    frame["stage"] = pd.Categorical(rng.choice(["late", "early", "mid"], rows), ["early", "mid", "late"], ordered=True)
    frame["n_genes"] = rng.integers(-3, 12, rows).astype("int32")
    score = rng.choice([-1.5, -0.0, 0.0, 0.1, 2.25, 1e-20, 1e20, np.inf], rows)
    score[[0, 9, 30]] = np.nan
    frame["score"] = score
    rank = pd.array(rng.integers(0, 5, rows), dtype="Int64")
    rank[[4, 5]] = pd.NA
    frame["rank"] = rank
    checked = pd.array(rng.random(rows) < 0.5, dtype="boolean")
    checked[[8]] = pd.NA
    frame["checked"] = checked
    frame["kept"] = rng.random(rows) < 0.6
    frame["donor"] = rng.choice(["d1", "d10", "d2", "D3", "é", "😀", "￿"], rows)
    return frame


def sorts(frame: pd.DataFrame) -> list:
    """Names of the rows after sorting."""
    made = []
    for by, ascending, position in [
        (["n_genes"], [True], "last"),
        (["n_genes"], [False], "last"),
        (["score"], [True], "last"),
        (["score"], [False], "first"),
        (["cell_type"], [True], "last"),
        (["cell_type", "n_genes"], [False, True], "last"),
        (["rank", "score"], [True, False], "first"),
        (["donor", "stage", "kept"], [True, False, True], "last"),
        (["checked", "donor"], [False, True], "last"),
    ]:
        made.append({
            "by": by, "ascending": ascending, "naPosition": position,
            "index": list(frame.sort_values(by, ascending=ascending, na_position=position, kind="stable").index),
        })
    return made


def groups(frame: pd.DataFrame) -> list:
    """Aggregations of groups."""
    finite = frame.assign(score=frame["score"].replace([np.inf, 1e20], [3.5, 100.0]))
    made = []
    for by, observed in [(["cell_type"], True), (["cell_type"], False), (["stage", "donor"], True), (["kept", "cell_type"], True),
                         (["cell_type", "stage"], False), (["rank"], True), (["n_genes"], True)]:
        grouped = finite.groupby(by, observed=observed, sort=True)
        result = pd.DataFrame({
            "size": grouped.size(),
            **{f"score_{how}": getattr(grouped["score"], how)()
               for how in ["count", "nunique", "sum", "mean", "std", "var", "median", "min", "max", "first", "last"]},
            "rank_sum": grouped["rank"].sum(),
            "kept_mean": grouped["kept"].mean() if "kept" not in by else grouped["score"].mean(),
            "donor_nunique": grouped["donor"].nunique() if "donor" not in by else grouped["score"].nunique(),
            "donor_first": grouped["donor"].first() if "donor" not in by else grouped["score"].first(),
        })
        made.append({"by": by, "observed": observed, "table": table(result.reset_index())})
    return made


def joins(frame: pd.DataFrame) -> list:
    """Joins on the index; the right table has rows of its own, and one name twice."""
    right = pd.DataFrame(
        {"batch": pd.Categorical(["b2", "b1", "b2", "b1"]), "dose": pd.array([1, 2, 3, 4], dtype="Int64")},
        index=["cell5", "other", "cell2", "cell5"],
    )
    left = frame[["n_genes"]].astype("Int64").iloc[:12]
    left.loc["cell5"] = 77
    return [{"left": table(left), "right": table(right)}] + [
        {"how": how, "table": table(left.join(right, how=how))} for how in ["inner", "left", "outer"]
    ] + [{"how": "outer", "self": True, "table": table(left.join(left, how="outer", lsuffix="_l", rsuffix="_r"))}]


def counts(frame: pd.DataFrame) -> list:
    """Value counts; equal counts in the order of appearance, or of the categories."""
    made = []
    for name in ["cell_type", "stage", "n_genes", "donor", "rank", "checked", "kept"]:
        for options in [{}, {"normalize": True}]:
            # pandas 2 orders equal counts at random; pandas 3 as here.
            result = frame[name].value_counts(sort=False, **options).sort_values(ascending=False, kind="stable")
            made.append({"name": name, "options": options, "index": [str(v) for v in result.index], "values": [plain(v) for v in result]})
    return made


def crosstabs(frame: pd.DataFrame) -> list:
    """Counts of pairs."""
    return [
        {"rows": a, "columns": b, "normalize": normalize, "table": table(pd.crosstab(frame[a], frame[b], normalize=normalize or False))}
        for a, b, normalize in [("cell_type", "stage", None), ("cell_type", "kept", "index"), ("donor", "cell_type", "columns"),
                                ("rank", "checked", "all")]
    ]


def concats(frame: pd.DataFrame) -> list:
    """Frames one below the other."""
    top = frame[["n_genes", "score", "donor"]].iloc[:3]
    bottom = pd.DataFrame({"score": np.array([1, 2], dtype="float32"), "n_genes": np.array([7, 8], dtype="int8"), "more": [1.5, 2.5]},
                          index=["x", "y"])
    return [{"top": table(top), "bottom": table(bottom)}] + [
        {"join": join, "table": table(pd.concat([top, bottom], join=join))} for join in ["inner", "outer"]
    ]


def queries(frame: pd.DataFrame) -> list:
    """Names of the rows that pandas' query keeps, for filters that both languages have."""
    made = []
    for text in [
        'cell_type == "T"', 'cell_type != "T"', 'cell_type in ["T", "B"]', 'cell_type not in ["T", "B"]', "n_genes > 3", "n_genes <= 0",
        "score >= 0", "score != 0", "not score < 0.1", 'stage >= "mid"', 'stage < "late" and kept', "kept == False or n_genes == 2",
        "2 < n_genes <= 5", 'donor > "d1"', "(n_genes > 2 or kept) and not (cell_type == 'NK')", "n_genes in [1, 2, 11]", "index == 'cell7'",
        "n_genes == score", "kept",
    ]:
        made.append({"text": text, "index": list(frame.query(text, engine="python").index)})
    return made


def write(name: str, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def pandas_fixture() -> None:
    frame = cells()
    for compression in ["zstd", "snappy"]:
        frame.assign(n_genes=frame["n_genes"].astype("int16")).to_parquet(FOLDER / f"pandas_{compression}.parquet", compression=compression)
    frame.iloc[::2].rename_axis("cell").reset_index(names="cell").set_index("cell").to_feather(FOLDER / "pandas.arrow", compression="uncompressed")
    write("pandas.json", {
        "versions": {"pandas": pd.__version__, "numpy": np.__version__},
        "frame": table(frame), "sorts": sorts(frame), "groups": groups(frame), "joins": joins(frame), "counts": counts(frame),
        "crosstabs": crosstabs(frame), "concats": concats(frame), "queries": queries(frame),
        "describe": table(frame[["n_genes", "rank"]].astype("float64").assign(score=frame["score"].replace(np.inf, 3)).describe()),
        "csv": frame.to_csv(),
        "describeLabels": table(frame[["cell_type", "donor"]].describe().astype(str)),
    })


def sample(genes: list, names: list, seed: int, kind: str) -> ad.AnnData:
    """A small AnnData whose parts overlap with those of other samples."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, (len(names), len(genes))).astype("float32")
    obs = pd.DataFrame(index=names)
    obs["cell_type"] = pd.Categorical(rng.choice(["T", "B10", "B2"], len(names)), ["T", "B10", "B2"] if seed % 2 else None)
    obs["stage"] = pd.Categorical(rng.choice(["early", "late"], len(names)), ["early", "late"], ordered=True)
    obs["n_genes"] = rng.integers(0, 9, len(names)).astype("int32" if seed % 2 else "float32")
    obs[f"only{seed}"] = rng.random(len(names)) < 0.5
    var = pd.DataFrame(index=genes)
    var["same"] = [f"id_{gene}" for gene in genes]
    var["partly"] = [len(gene) + (seed == 2 and gene == "B") for gene in genes]
    var[f"own{seed}"] = np.arange(len(genes), dtype="float64")
    adata = ad.AnnData(sp.csr_matrix(values) if kind == "sparse" else values, obs=obs, var=var)
    adata.layers["counts"] = sp.csr_matrix(values * 2)
    if seed == 1:
        adata.layers["extra"] = values + 0.5
    adata.obsm["X_pca"] = rng.integers(0, 9, (len(names), 2 + seed)).astype("float32")
    adata.obsm["table"] = pd.DataFrame({"a": rng.integers(0, 5, len(names)), f"b{seed}": 1.5}, index=names)
    adata.varm["PCs"] = np.array([[ord(gene[0]), 1.0] for gene in genes])
    adata.varm[f"own{seed}"] = np.ones((len(genes), 1))
    adata.varp["links"] = sp.csr_matrix(np.array([[float(a < b) for a in genes] for b in genes]))
    adata.raw = ad.AnnData(sp.csr_matrix(np.hstack([values, values[:, :1]])), var=pd.DataFrame(index=[*genes, f"raw{seed}"]))
    return adata


def matrix(value) -> dict | None:
    if value is None:
        return None
    dense = value.toarray() if sp.issparse(value) else np.asarray(value)
    return {"shape": list(dense.shape), "sparse": bool(sp.issparse(value)), "values": [plain(x) for x in dense.ravel()]}


def either(value) -> dict:
    return table(value) if isinstance(value, pd.DataFrame) else matrix(value)


def annotated(adata: ad.AnnData) -> dict:
    """Everything of an AnnData but uns and obsp."""
    return {
        "obs": table(adata.obs), "var": table(adata.var), "X": matrix(adata.X),
        "layers": {key: matrix(value) for key, value in adata.layers.items()},
        "obsm": {key: either(value) for key, value in adata.obsm.items()},
        "varm": {key: either(value) for key, value in adata.varm.items()},
        "varp": {key: matrix(value) for key, value in adata.varp.items()},
        "raw": None if adata.raw is None else {"X": matrix(adata.raw.X), "var": list(adata.raw.var_names)},
    }


def anndata_fixture() -> None:
    cases = []
    for kinds in [("sparse", "sparse", "sparse"), ("dense", "dense", "dense"), ("sparse", "dense", "sparse")]:
        samples = {
            "s0": sample(["C", "A", "B"], ["c1", "c2", "c3"], 0, kinds[0]),
            "s1": sample(["B", "C", "a1", "é"], ["c1", "x2"], 1, kinds[1]),
            "s2": sample(["D", "B", "C"], ["y1", "y2", "y3"], 2, kinds[2]),
        }
        made = []
        for options in [
            {}, {"join": "outer"}, {"join": "outer", "merge": "same"}, {"join": "outer", "merge": "unique"}, {"merge": "same"},
            {"join": "outer", "merge": "first"}, {"merge": "only"}, {"join": "outer", "merge": "only"},
            {"label": "sample", "index_unique": "-", "join": "outer"}, {"join": "outer", "fill_value": 7},
        ] if kinds[1] == kinds[0] == "sparse" else [{}, {"join": "outer", "merge": "unique"}, {"join": "outer", "fill_value": 7}]:
            made.append({"options": options, "result": annotated(ad.concat(samples, **options))})
        cases.append({"samples": {name: annotated(adata) for name, adata in samples.items()}, "made": made})
    write("anndata.json", {"versions": {"anndata": ad.__version__, "pandas": pd.__version__}, "cases": cases})


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    pandas_fixture()
    anndata_fixture()
