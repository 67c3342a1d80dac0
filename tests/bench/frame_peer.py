"""The verbs of tests/bench/frame.ts in pandas: prints a JSON object of verb -> seconds of each run."""

import json
import sys
import time

import numpy as np
import pandas as pd

ROWS, RUNS = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
frame = pd.DataFrame(
    {
        "cell_type": pd.Categorical.from_codes(rng.integers(-1, 60, ROWS), [f"type {k}" for k in range(60)]),
        "tissue": pd.Categorical.from_codes(rng.integers(0, 40, ROWS), [f"tissue {k}" for k in range(40)]),
        "n_genes": rng.integers(0, 8000, ROWS).astype("int32"),
        "score": np.where(rng.random(ROWS) < 0.01, np.nan, rng.random(ROWS) * 100 - 50),
        "donor": [f"donor{k}" for k in rng.integers(0, 500, ROWS)],
    },
    index=[f"cell_{k}" for k in range(ROWS)],
)
right = frame[["score"]].iloc[np.arange(ROWS) * 7919 % ROWS]

VERBS = {
    "filter on two labels": lambda: frame.query('tissue == "tissue 3" and cell_type in ["type 1", "type 2"]'),
    "filter half, describe": lambda: frame[frame["n_genes"] > 4000].describe(),
    "sort by float64": lambda: frame.sort_values("score", kind="stable"),
    "sort by int32, descending": lambda: frame.sort_values("n_genes", ascending=False, kind="stable"),
    "sort by label and float64": lambda: frame.sort_values(["cell_type", "score"]),
    "sort by text": lambda: frame.sort_values("donor", kind="stable"),
    "group by label: mean": lambda: frame.groupby("cell_type", observed=True)["n_genes"].mean(),
    "group by label and text: mean, nunique": lambda: frame.groupby(["cell_type", "donor"], observed=True).agg(
        mean=("n_genes", "mean"), tissues=("tissue", "nunique")),
    "cross table of two labels": lambda: pd.crosstab(frame["cell_type"], frame["tissue"]),
    "join by name": lambda: frame[["n_genes"]].join(right.copy()),
    "to records": lambda: frame.to_dict("records"),
}

times = {}
for name, run in VERBS.items():
    times[name] = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        run()
        times[name].append(time.perf_counter() - start)
    times[name] = times[name][1:]  # the first one warms up
print(json.dumps(times))
