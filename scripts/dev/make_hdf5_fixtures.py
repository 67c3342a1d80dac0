"""Files with every part of the HDF5 format that our reader knows, and what h5py finds in them.

    python scripts/dev/make_hdf5_fixtures.py tests/fixtures/hdf5 [--large]

needs h5py and numpy. --large adds files too large to be committed.
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np


def numbers(dtype, count, start=0):
    return (np.arange(start, start + count) % 120).astype(dtype)


def fill(root, scale=1):
    """The same content whatever the version of the format."""
    for kind in ["i1", "u1", "<i2", ">i2", "<u4", ">u4", "<i8", ">i8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]:
        root[f"types/{kind[1:] if kind[0] in '<>' else kind}{'_big' if kind[0] == '>' else ''}"] = numbers(kind, 7)
    root["types/bool"] = np.array([True, False, True])
    root["types/enum"] = np.array([0, 2, 1], "i2")
    enum = h5py.enum_dtype({"a": 0, "b": 1, "c": 2}, basetype="i2")
    root.create_dataset("types/named", data=np.array([0, 2, 1]), dtype=enum)
    root["types/fixed"] = np.array([b"ab", b"", b"abc"], "S3")
    root["types/texts"] = np.array(["x", "", "ümlaut", "y" * 5000], object)
    root["types/scalar"] = 3.5
    root["types/text"] = "hello"
    root["types/struct"] = np.array([(1, 2.5, b"q"), (3, -1.0, b"rs")], [("a", "<i4"), ("b", ">f8"), ("c", "S2")])
    root["types/rows"] = np.array([(1, [1, 2, 3]), (2, [4, 5, 6])], [("a", "u1"), ("m", "<i2", 3)])
    committed = np.dtype("<i4")
    root["types/committed"] = committed
    root.create_dataset("types/of_committed", data=numbers("<i4", 4), dtype=root["types/committed"])
    root.create_dataset("types/nothing", dtype="f4", data=h5py.Empty("f4"))

    cube = numbers("<i2", 7 * 5 * 3).reshape(7, 5, 3)
    root.create_dataset("layout/compact_like", data=cube)
    root.create_dataset("layout/chunked", data=cube, chunks=(2, 3, 2))
    root.create_dataset("layout/gzip", data=cube, chunks=(3, 5, 1), compression="gzip", shuffle=True, fletcher32=True)
    root.create_dataset("layout/growing", data=numbers("<i4", 200 * scale), chunks=(3,), maxshape=(None,))
    root.create_dataset("layout/growing_gzip", data=numbers("<i4", 300 * scale), chunks=(4,), maxshape=(None,), compression="gzip")
    root.create_dataset("layout/growing_rows", data=cube, chunks=(2, 3, 2), maxshape=(None, 5, 3))
    root.create_dataset("layout/growing_columns", data=cube, chunks=(2, 3, 2), maxshape=(7, None, 3))
    root.create_dataset("layout/growing_all", data=cube, chunks=(2, 3, 2), maxshape=(None, None, 3), compression="gzip")
    root.create_dataset("layout/fixed", data=numbers("u1", 3000), chunks=(2,))
    root.create_dataset("layout/fixed_gzip", data=numbers("u1", 600), chunks=(5,), compression="gzip")
    root.create_dataset("layout/bounded", data=cube, chunks=(2, 2, 2), maxshape=(20, 10, 3))
    root.create_dataset("layout/single", data=cube, chunks=(7, 5, 3), compression="gzip")
    holes = root.create_dataset("layout/holes", shape=(100,), chunks=(8,), dtype="f4", fillvalue=1.5)
    holes[40:50] = numbers("f4", 10)
    sparse = root.create_dataset("layout/holes_fixed", shape=(4000,), chunks=(1,), dtype="u1")
    sparse[3500:3510] = numbers("u1", 10, 1)
    root.create_dataset("layout/never", shape=(4, 2), dtype="i4", fillvalue=-3)
    root.create_dataset("layout/empty", shape=(0, 3), chunks=(2, 3), dtype="i4", maxshape=(None, 3))
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((4,))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((18,))
    h5py.h5d.create(root.id, b"layout/implicit", h5py.h5t.NATIVE_INT16, space, early)
    root["layout/implicit"][:] = numbers("i2", 18)
    tight = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    tight.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(root.id, b"layout/compact", h5py.h5t.NATIVE_INT16, space, tight)
    root["layout/compact"][:] = numbers("i2", 18)

    for count in [3, 40, 200 * scale]:
        group = root.create_group(f"links/many{count}")
        for k in range(count):
            if k % 20 == 0:
                group[f"value{k:05}"] = k
            else:
                group[f"value{k:05}"] = group[f"value{k - k % 20:05}"]
    root["links/soft"] = h5py.SoftLink("/types/i4")
    root["links/beside"] = h5py.SoftLink("many3/value00000")
    root["links/broken"] = h5py.SoftLink("/nowhere")
    root["links/outside"] = h5py.ExternalLink("other.h5", "/a")

    for count in [2, 30, 150 * scale]:
        group = root.create_group(f"attributes/many{count}")
        for k in range(count):
            group.attrs[f"name{k:04}"] = f"text {k}" if k % 2 else k
    some = root.create_group("attributes/kinds")
    some.attrs["flag"] = True
    some.attrs["float"] = 0.25
    some.attrs["list"] = np.array([1, 2, 3])
    some.attrs["texts"] = np.array(["a", "bc"], object)
    some.attrs["fixed"] = np.bytes_(b"abc")
    some.attrs["big"] = np.array(7, ">i4")
    some.attrs["long"] = "z" * 3000
    some.attrs["nothing"] = h5py.Empty("f4")


def plain(value):
    """Values as JSON has them."""
    if isinstance(value, h5py.Empty):
        return None
    value = np.asarray(value)
    if value.dtype.names:
        return {name: plain(value[name]) for name in value.dtype.names}
    if value.dtype.kind == "S":
        return [item.decode() for item in value.reshape(-1)]
    if value.dtype.kind in "OU":
        return [item.decode() if isinstance(item, bytes) else str(item) for item in value.reshape(-1)]
    return [item for item in value.reshape(-1).astype(float).tolist()]


def expected(root):
    found = {}

    def visit(group, path):
        for name in group:
            link = group.get(name, getlink=True)
            key = f"{path}/{name}" if path else name
            try:
                node = group[name]
            except (KeyError, OSError):
                found[key] = "unreachable"
                continue
            attributes = {k: plain(v) for k, v in node.attrs.items()} if not isinstance(link, h5py.SoftLink) else {}
            if isinstance(node, h5py.Group):
                found[key] = {"names": sorted(node), "attributes": attributes}
                visit(node, key)
            elif isinstance(node, h5py.Dataset):
                shape = None if node.shape is None else list(node.shape)
                found[key] = {"shape": shape, "values": plain(node[()]), "attributes": attributes}
            else:
                found[key] = "unreachable"

    visit(root, "")
    return found


def write(path, found):
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n")


def repack(source, target):
    """The same nodes in the latest format, arrays in small gzipped chunks."""
    def copy(group, to):
        to.attrs.update(group.attrs)
        for name, node in group.items():
            if isinstance(node, h5py.Group):
                copy(node, to.create_group(name))
            elif node.ndim == 0 or node.size == 0:
                node.parent.copy(name, to)
            else:
                chunks = tuple(max(1, length // 2) for length in node.shape)
                made = to.create_dataset(name, data=node[()], dtype=node.dtype, chunks=chunks, compression="gzip")
                made.attrs.update(node.attrs)

    with h5py.File(source) as old, h5py.File(target, "w", libver="latest") as new:
        copy(old, new)


def main(folder, large):
    folder.mkdir(parents=True, exist_ok=True)
    files = {"earliest": {"libver": ("earliest", "v108")}, "v108": {"libver": ("v108", "v108")}, "latest": {"libver": "latest"}}
    for name, options in files.items():
        path = folder / f"{name}.h5"
        with h5py.File(path, "w", **options, userblock_size=512 if name == "earliest" else 0) as root:
            fill(root)
        with h5py.File(path) as root:
            found = expected(root)
        assert found == everything if name != "earliest" else True, name
        everything = found
    write(folder / "expected.json", everything)
    cells = folder.parent / "h5ad"
    if cells.exists():
        repack(cells / "columns.h5ad", cells / "latest.h5ad")
    if not large:
        return
    with h5py.File(folder / "large.h5", "w", libver="latest") as root:
        fill(root, 30)
        root["attributes/kinds"].attrs["huge"] = np.arange(20_000)
        root.create_dataset("pages", data=numbers("u1", 150_000), chunks=(1,), maxshape=(None,))
        root.create_dataset("wide", data=numbers("u1", 90_000).reshape(300, 300), chunks=(1, 2), maxshape=(None, None))
    with h5py.File(folder / "large.h5") as root:
        write(folder / "large.json", expected(root))


main(Path(sys.argv[1]), "--large" in sys.argv)
