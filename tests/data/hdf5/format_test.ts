import assert from "node:assert/strict";
import { openHdf5 } from "../../../data/hdf5/hdf5.ts";
import { openSource } from "../../../data/source.ts";
import type { ArrayData, AttributeValue, StorageGroup } from "../../../data/storage.ts";

/** What h5py found: see `scripts/dev/make_hdf5_fixtures.py`. */
type Found = "unreachable" | {
  readonly names?: string[];
  readonly shape?: number[] | null;
  readonly values?: unknown;
  readonly attributes: Record<string, unknown>;
};

/** Elements as JSON has them. */
function plain(data: ArrayData): unknown {
  if (Array.isArray(data)) return data;
  if (!("fields" in data)) return Array.from(data as ArrayLike<number | bigint>, Number);
  return Object.fromEntries([...data.fields].map(([name, field]) => [name, plain(field)]));
}

/** An attribute's value as a list of numbers or texts. */
function plainAttribute(value: AttributeValue | undefined): unknown {
  if (value === undefined) return null;
  return (Array.isArray(value) ? value : [value]).map((v) => typeof v === "string" ? v : Number(v));
}

/** What our reader finds. */
async function findAll(root: StorageGroup): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const visit = async (group: StorageGroup, path: string) => {
    for (const name of group.keys()) {
      const key = path === "" ? name : `${path}/${name}`;
      const node = await group.get(name).catch(() => undefined);
      if (node === undefined) {
        found[key] = "unreachable";
        continue;
      }
      const attributes = Object.fromEntries(
        node.attributeNames().map((name) => [name, plainAttribute(node.attribute(name))]),
      );
      if (node.node === "group") {
        found[key] = { names: [...node.keys()].sort(), attributes };
        await visit(node, key);
        continue;
      }
      const values = node.shape === null ? null : plain(await node.read());
      found[key] = { shape: node.shape, values, attributes };
    }
  };
  await visit(root, "");
  return found;
}

/** Text of what was found, whatever the order of attributes: the texts of 10,000 are compared faster than they themselves. */
function textOf(found: unknown): string {
  const isPlain = (value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  return JSON.stringify(
    found,
    (_, value) =>
      isPlain(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
        : value,
  );
}

/** Checks a file against what h5py found in it. */
async function check(path: string, expectedPath: string): Promise<void> {
  const file = await openHdf5(await openSource(path), path);
  const expected: Record<string, Found> = JSON.parse(Deno.readTextFileSync(expectedPath));
  const actual = await findAll(file.root);
  file.close();
  assert.equal(textOf(Object.keys(actual).sort()), textOf(Object.keys(expected).sort()));
  for (const [key, value] of Object.entries(expected)) {
    assert.equal(textOf(actual[key]), textOf(value), key);
  }
}

const FOLDER = new URL("../../fixtures/hdf5/", import.meta.url).pathname;

for (const version of ["earliest", "v108", "latest"]) {
  Deno.test(`openHdf5() finds all that h5py finds in a file of ${version} format`, async () => {
    await check(`${FOLDER}${version}.h5`, `${FOLDER}expected.json`);
  });
}

const LARGE = Deno.env.get("HDF5_LARGE");

Deno.test({
  name: "openHdf5() finds all that h5py finds in a large file, where HDF5_LARGE names its folder",
  ignore: LARGE === undefined,
  fn: () => check(`${LARGE}/large.h5`, `${LARGE}/large.json`),
});
