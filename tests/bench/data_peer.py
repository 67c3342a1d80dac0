"""Reads X with Python's anndata: takes {"path": ...} a line, answers with the seconds and the sum of X."""

import json
import sys
import time
import warnings

import anndata as ad

warnings.simplefilter("ignore")
for line in sys.stdin:
    path = json.loads(line)["path"]
    start = time.perf_counter()
    X = (ad.read_zarr if path.endswith(".zarr") else ad.read_h5ad)(path).X
    total = float(X.data.sum(dtype="float64"))
    print(json.dumps({"seconds": time.perf_counter() - start, "sum": total}), flush=True)
