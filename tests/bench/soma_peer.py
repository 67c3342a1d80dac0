"""Makes the stores that tests/bench/soma.ts reads, and reads them with tiledbsoma: one JSON command a line in, one answer a line out."""
import json
import os
import shutil
import sys
import time

import numpy as np
import pyarrow as pa
import tiledbsoma as soma

ZSTD = {"_type": "ZstdFilter", "level": 9}
LIKE_THE_CENSUS = {"capacity": 65536, "cell_order": "row-major", "tile_order": "row-major", "allows_duplicates": True}


def make_x(path, cells, genes=60664, per_cell=2680):
    """Counts in the settings of the Census builder; genes are expressed as unevenly as in cells."""
    options = {**LIKE_THE_CENSUS,
               "dims": {"soma_dim_0": {"tile": 2048, "filters": [ZSTD]},
                        "soma_dim_1": {"tile": 2048, "filters": ["ByteShuffleFilter", ZSTD]}},
               "attrs": {"soma_data": {"filters": ["ByteShuffleFilter", ZSTD]}}}
    rng = np.random.default_rng(1)
    weights = rng.gamma(0.3, 1, genes)
    weights /= weights.sum()
    with soma.SparseNDArray.create(path, type=pa.float32(), shape=(cells, genes), platform_config={"tiledb": {"create": options}}) as array:
        for start in range(0, cells, 2048):
            columns = [np.unique(rng.choice(genes, per_cell, p=weights)) for _ in range(2048)]
            rows = np.concatenate([np.full(len(c), start + i) for i, c in enumerate(columns)])
            columns = np.concatenate(columns)
            values = rng.geometric(0.5, len(rows)).astype("float32").reshape(-1, 1)
            array.write(pa.SparseCOOTensor.from_numpy(values, np.stack([rows, columns], 1), shape=(cells, genes)))


def make_obs(path, rows):
    rng = np.random.default_rng(2)
    table = pa.table({
        "soma_joinid": pa.array(np.arange(rows)),
        "tissue_general": pa.DictionaryArray.from_arrays(pa.array(np.sort(rng.integers(0, 60, rows)).astype("int8")), [f"tissue {i}" for i in range(60)]),
        "cell_type": pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 700, rows).astype("int16")), [f"cell type {i}" for i in range(700)]),
        "nnz": pa.array(rng.integers(200, 9000, rows)),
        "observation_joinid": pa.array([f"{x:010x}" for x in rng.integers(0, 2**40, rows)]),
    })
    packed = {"filters": [ZSTD]}
    options = {**LIKE_THE_CENSUS,
               "offsets_filters": ["DoubleDeltaFilter", ZSTD],
               "dims": {"soma_joinid": {"filters": ["DoubleDeltaFilter", ZSTD]}},
               "attrs": {"tissue_general": packed, "cell_type": packed, "observation_joinid": packed,
                         "nnz": {"filters": ["ByteShuffleFilter", ZSTD]}}}
    soma.DataFrame.create(path, schema=table.schema, domain=[[0, rows - 1]], platform_config={"tiledb": {"create": options}}).close()
    time.sleep(0.05)
    with soma.open(path, "w") as frame:
        frame.write(table)


def answer(command):
    action = command.pop("do")
    if action == "make":
        for path, make, size in ((command["x"], make_x, command["cells"]), (command["obs"], make_obs, command["rows"])):
            if not os.path.exists(path):
                make(path + ".part", size)
                shutil.move(path + ".part", path)
        return {"version": soma.__version__}
    threads = command.get("threads", 1)
    context = soma.SOMATileDBContext(tiledb_config={"sm.compute_concurrency_level": threads, "sm.io_concurrency_level": threads})
    start = time.perf_counter()
    with soma.open(command["path"], context=context) as array:
        if action == "x":
            count = sum(len(table) for table in array.read(tuple(slice(*c) for c in command.get("coords", []))).tables())
        else:
            count = len(array.read(value_filter=command["filter"], column_names=["soma_joinid"]).concat())
    return {"seconds": time.perf_counter() - start, "count": count}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
