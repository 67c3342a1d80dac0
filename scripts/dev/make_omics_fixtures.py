"""Makes tests/fixtures/mudata, tests/fixtures/tenx and tests/fixtures/formats/omics.json.

Needs anndata 0.12, mudata 0.3, scanpy 1.11: python scripts/dev/make_omics_fixtures.py FOLDER
The files of FOLDER are not part of this repository; the digests of what Python reads from them are.
"""

import json
import sys
import warnings
from pathlib import Path

import anndata as ad
import h5py
import mudata as md
import numpy as np
import pandas as pd
import scanpy as sc
from make_format_digests import frame, matrix, numbers

warnings.simplefilter("ignore")
FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"


def modality(cells: list, genes: list, kind: str) -> ad.AnnData:
    """Cells with a column of each kind."""
    count = len(cells)
    obs = {
        "n": np.arange(count),
        "label": pd.Categorical([f"{kind}{i % 2}" for i in range(count)]),
        "ok": [i % 2 == 0 for i in range(count)],
        "share": np.arange(count) / 4,
        "note": [f"{kind} {i}" for i in range(count)],
    }
    var = {"feature": [kind] * len(genes), "weight": np.arange(len(genes)) * 1.5}
    X = np.arange(count * len(genes), dtype="f4").reshape(count, -1) % 3
    return ad.AnnData(X, obs=pd.DataFrame(obs, index=cells), var=pd.DataFrame(var, index=genes))


def cite() -> md.MuData:
    """Genes of four cells, proteins of three, two of them the same."""
    rna = modality(["c1", "c2", "c3", "c4"], ["g1", "g2", "g3"], "rna")
    rna.var["symbol"] = ["A", "B", "C"]
    mdata = md.MuData({"rna": rna, "prot": modality(["c3", "c5", "c1"], ["p1", "p2"], "prot")})
    mdata.obs["joint"] = np.arange(mdata.n_obs)
    mdata.obsm["X_joint"] = np.arange(10, dtype="f4").reshape(5, 2)
    mdata.obsp["near"] = np.eye(5)
    mdata.uns["title"] = "cite"
    return mdata


def tenx(path: Path, genomes: dict) -> None:
    """Three cells of each group: counts of features x cells by column."""
    with h5py.File(path, "w") as file:
        for name, arrays in genomes.items():
            group = file.create_group(name)
            group["shape"] = np.array([4, 3], "i4")
            group["data"] = np.array([5, 1, 2, 300], "i4")
            group["indices"] = np.array([3, 0, 1, 2], "i8")
            group["indptr"] = np.array([0, 2, 2, 4], "i8")
            group["barcodes"] = np.array(["AAA-1", "AAC-1", "AAG-1"], "S18")
            for key, values in arrays.items():
                group[key] = np.array(values, "S16")


def digests(path: Path) -> dict:
    """What Python reads from a file."""
    out: dict = {}
    if "mudata" in path.name:
        mdata = md.read_h5mu(path)
        frame(out, "obs", mdata.obs)
        frame(out, "var", mdata.var)
        for part in ["obsm", "varm"]:
            out.update({f"{part}/{key}": matrix(value) for key, value in getattr(mdata, part).items()})
        for part in ["obsmap", "varmap"]:
            out.update({f"{part}/{key}": numbers(value) for key, value in getattr(mdata, part).items()})
        return out
    adata = sc.read_10x_mtx(path) if path.is_dir() else sc.read_10x_h5(path, **({"genome": "another_genome"} if "multiple" in path.name else {}))
    frame(out, "obs", adata.obs)
    frame(out, "var", adata.var)
    out["X"] = numbers(adata.X.toarray())
    return out


if __name__ == "__main__":
    for name in ["mudata", "tenx"]:
        (FIXTURES / name).mkdir(parents=True, exist_ok=True)
    cite().write(FIXTURES / "mudata" / "cite.h5mu")
    genes = [["E1", "E2", "E3", "E4"], ["CD3D", "LYZ", "LYZ", "CD3"]]
    tenx(FIXTURES / "tenx" / "v2.h5", {key: {"genes": genes[0], "gene_names": genes[1]} for key in ["hg19", "mm10"]})
    tenx(FIXTURES / "tenx" / "v3.h5", {"matrix": {"features/id": genes[0], "features/name": genes[1], "features/genome": ["a", "a", "b", ""], "features/feature_type": ["Gene Expression"] * 3 + ["Antibody Capture"], "features/_all_tag_keys": ["genome"]}})
    root = Path(sys.argv[1])
    files = [*sorted(root.glob("mudata*.h5mu")), *sorted((root / "tenx").glob("*"))]
    found = {str(path.relative_to(root)): digests(path) for path in files}
    (FIXTURES / "formats" / "omics.json").write_text(json.dumps(found, indent=1) + "\n")
