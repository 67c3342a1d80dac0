/** HDF5's own C library, as h5wasm has it, reads what we write and finds in files what we find. */
import assert from "node:assert/strict";
import { ready } from "h5wasm/node";
import { openH5ad, writeH5ad } from "../../../data/h5ad/mod.ts";
import { openHdf5 } from "../../../data/hdf5/hdf5.ts";
import { openSource } from "../../../data/source.ts";
import type { StorageGroup, StorageNode } from "../../../data/storage.ts";
import { cellsInMemory } from "../cells_in_memory.ts";
import { fixture, TempFolder } from "../fixtures.ts";

const module = await ready;

/** Names in a group, and what each is: 0 a group, 1 an array. */
function listOf(id: bigint, path: string): Map<string, number> {
  const names = module.get_names(id, path, false) as string[];
  return new Map(names.sort().map((name) => [name, module.get_type(id, `${path}/${name}`)]));
}

/** The bytes of an array of numbers, as the library reads them. */
function bytesOf(id: bigint, path: string): Uint8Array {
  const { total_size, size } = module.get_dataset_metadata(id, path);
  const pointer = module._malloc(Math.max(1, total_size * size));
  try {
    const status = module.get_dataset_data(id, path, null, null, null, BigInt(pointer));
    assert.equal(status, 0, path);
    return module.HEAPU8.slice(pointer, pointer + total_size * size);
  } finally {
    module._free(pointer);
  }
}

/** Compares a node and all below it; returns the number of arrays of numbers that were compared. */
async function compare(id: bigint, path: string, node: StorageNode): Promise<number> {
  assert.deepEqual(
    [...(module.get_attribute_names(id, path) as string[])].sort(),
    [...node.attributeNames()].sort(),
    path,
  );
  if (node.node === "array") {
    const { shape } = module.get_dataset_metadata(id, path);
    assert.deepEqual(node.shape, shape, path);
    if (node.dtype.kind !== "numeric" || node.dtype.name === "float16" || !shape) return 0;
    const data = await node.read() as Float64Array;
    const ours = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    assert.deepEqual(ours, bytesOf(id, path), path);
    return 1;
  }
  const list = listOf(id, path);
  assert.deepEqual([...node.keys()].sort(), [...list.keys()], path);
  let count = 0;
  for (const name of list.keys()) {
    count += await compare(
      id,
      path === "/" ? `/${name}` : `${path}/${name}`,
      (await node.get(name))!,
    );
  }
  return count;
}

/** Compares a file. */
async function compareFile(path: string): Promise<number> {
  const file: { root: StorageGroup; close(): void } = await openHdf5(await openSource(path), path);
  const id = module.open(path, module.H5F_ACC_RDONLY, false, -1, -1);
  assert.ok(id > 0n, `the library does not open ${path}`);
  try {
    return await compare(id, "/", file.root);
  } finally {
    module.close_file(id);
    file.close();
  }
}

Deno.test("the HDF5 library finds in files that we write what we wrote", async () => {
  using folder = new TempFolder();
  await writeH5ad(cellsInMemory(), folder.file("plain.h5ad"));
  await writeH5ad(cellsInMemory(), folder.file("gzip.h5ad"), { compression: "gzip" });
  using columns = await openH5ad(fixture("columns"));
  await writeH5ad(columns, folder.file("copy.h5ad"), { compression: "gzip" });
  for (const name of ["plain", "gzip", "copy"]) {
    assert.ok(await compareFile(folder.file(`${name}.h5ad`)) > 10, name);
  }
});

Deno.test("the HDF5 library finds in files of others what we find", async () => {
  for (const name of ["columns", "latest", "legacy"]) {
    assert.ok(await compareFile(fixture(name)) > 5, name);
  }
});
