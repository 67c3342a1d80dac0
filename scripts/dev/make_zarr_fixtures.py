"""Makes tests/fixtures/zarr/*.zip out of tests/fixtures/h5ad/columns.h5ad. Needs anndata 0.12, zarr 3: python scripts/dev/make_zarr_fixtures.py"""

import json
import tempfile
import zipfile
from pathlib import Path

import anndata as ad
import numpy as np
import zarr
from numcodecs import Categorize, JSON, VLenUTF8, Zlib

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
FOLDER = FIXTURES / "zarr"
TEXTS = np.array(["a", "", "ü", "d", "a"], dtype=object)


def zipped(source: Path, name: str) -> None:
    """A ZIP file of a folder, deflated, with fixed times."""
    with zipfile.ZipFile(FOLDER / name, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                out.writestr(zipfile.ZipInfo(str(path.relative_to(source))), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def columns(form: int) -> None:
    """The cells of columns.h5ad."""
    adata = ad.read_h5ad(FIXTURES / "h5ad" / "columns.h5ad")
    with tempfile.TemporaryDirectory() as folder, ad.settings.override(zarr_write_format=form):
        with ad.settings.override(allow_write_nullable_strings=True):
            adata.write_zarr(folder, convert_strings_to_categoricals=False)
        zipped(Path(folder), f"columns_v{form}.zarr.zip")


def texts_v2(folder: Path) -> None:
    """Texts as version 2 of zarr's Python package stored them, by three codecs; written by hand as version 3 does not."""
    labels = Categorize(["a", "ü", "d"], dtype=object, astype="u1")
    for name, codec in {"vlen": VLenUTF8(), "json": JSON(), "categories": labels}.items():
        meta = {
            **{"zarr_format": 2, "shape": [5], "chunks": [5], "dtype": "|O", "fill_value": 0, "order": "C"},
            **{"filters": [codec.get_config()], "compressor": Zlib().get_config()},
        }
        (folder / name).mkdir()
        (folder / name / ".zarray").write_text(json.dumps(meta))
        (folder / name / "0").write_bytes(Zlib().encode(codec.encode(TEXTS)))


def odd_v2(root: zarr.Group) -> None:
    """Layouts of version 2 that anndata does not write but may meet."""
    grid = np.arange(35).reshape(5, 7)
    for name, dtype in {"big": ">i4", "half": "<f2", "long": "<i8", "flag": "|b1"}.items():
        root.create_array(name, data=grid.astype(dtype), chunks=(2, 3))
    root.create_array("fortran", data=grid.astype("<f8"), chunks=(2, 3), order="F")
    root.create_array("fixed", data=np.array(["ab", "ü", ""], dtype="<U3"), chunks=(2,))
    root.create_array("bytes", data=np.array([b"ab", b"c"], dtype="|S3"), chunks=(2,))
    root.create_array("empty_chunks", shape=(5,), chunks=(2,), dtype="<f4", fill_value=1.5)
    root.create_array("slash", data=grid, chunks=(2, 3), chunk_key_encoding={"name": "v2", "separator": "/"})


def odd_v3(root: zarr.Group) -> None:
    """Layouts of version 3: shards, checksums, order, fill values."""
    grid = np.arange(35, dtype="float32").reshape(5, 7)
    root.create_array("sharded", data=grid, chunks=(2, 2), shards=(4, 4))
    first = zarr.codecs.ShardingCodec(chunk_shape=(2, 2), index_location="start", index_codecs=[zarr.codecs.BytesCodec()])
    root.create_array("index_first", data=grid, chunks=(4, 4), serializer=first, compressors=None)
    root.create_array("big", data=grid.astype("int16"), chunks=(2, 3), serializer=zarr.codecs.BytesCodec(endian="big"))
    root.create_array("fortran", data=grid, chunks=(2, 3), filters=[zarr.codecs.TransposeCodec(order=(1, 0))])
    root.create_array("gzip", data=grid, chunks=(2, 3), compressors=[zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()])
    root.create_array("half", data=grid.astype("float16"), chunks=(2, 3))
    root.create_array("nan", shape=(5,), chunks=(2,), dtype="float64", fill_value=np.nan)
    texts = root.create_array("texts", shape=(5,), chunks=(2,), shards=(4,), dtype=str)
    texts[:] = TEXTS
    root.create_array("fixed", data=np.array(["ab", "ü", ""], dtype="<U3"), chunks=(2,))


def odd(form: int, fill) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = zarr.open_group(folder, mode="w", zarr_format=form)
        fill(root)
        if form == 2:
            texts_v2(Path(folder))
        zipped(Path(folder), f"odd_v{form}.zarr.zip")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for form in (2, 3):
        columns(form)
    odd(2, odd_v2)
    odd(3, odd_v3)
