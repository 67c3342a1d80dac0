/** Digests of annotated data, the same as scripts/dev/make_format_digests.py makes. */
import { createHash } from "node:crypto";
import {
  type AnnData,
  AwkwardArray,
  type Column,
  DataFrame,
  isMatrix,
  type LazyMap,
  type Matrix,
  type UnsValue,
} from "../../data/mod.ts";

function sha(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 16);
}

/** Hash of row-major numbers as float64, with one NaN and one zero for all. */
export function numbers(values: Iterable<number | bigint | boolean | null>): string {
  const floats = Float64Array.from(
    Array.from(values, (value) => value === null ? NaN : Number(value) + 0),
  );
  return sha(new Uint8Array(floats.buffer));
}

function texts(values: Iterable<string | null>): string {
  return sha(JSON.stringify([...values]));
}

function columnDigest(column: Column): string {
  if (column.kind === "categorical") {
    const order = column.ordered ? "ordered" : "unordered";
    return `categorical ${order} ${texts(column.categories)} ${numbers(column.codes)}`;
  }
  if (column.kind === "boolean") return `boolean ${numbers(column.values())}`;
  if (column.kind === "string") return `string ${texts(column.values())}`;
  return `numeric ${column.dtype} ${numbers(column.values())}`;
}

/** Adds the digests of a table and its columns. */
export async function frameDigests(found: Map<string, string>, key: string, frame: DataFrame) {
  const names = frame.columns();
  found.set(key, `frame ${frame.length} ${texts(frame.index)} ${names.join("|")}`);
  for (const name of names) {
    found.set(`${key}/${name}`, columnDigest(await frame.column(name)));
  }
}

/** Digest of a matrix. */
export async function matrixDigest(matrix: Matrix): Promise<string> {
  const { shape, dtype } = matrix;
  return `matrix ${shape.join("x")} ${dtype} ${numbers(await matrix.dense({ dtype: "float64" }))}`;
}

async function valueDigests(found: Map<string, string>, key: string, value: UnsValue) {
  const list = (shape: readonly number[], data: ArrayLike<unknown>) => {
    const kind = typeof data[0] === "string" ? "texts" : "numbers";
    const hash = kind === "texts" ? texts(data as string[]) : numbers(data as number[]);
    found.set(key, `${kind} ${shape.join("x")} ${hash}`);
  };
  if (value === null) found.set(key, "none");
  else if (typeof value === "string") found.set(key, `text ${texts([value])}`);
  else if (typeof value !== "object") found.set(key, `number ${numbers([value])}`);
  else if (isMatrix(value)) found.set(key, await matrixDigest(value));
  else if (value instanceof DataFrame) await frameDigests(found, key, value);
  else if (value instanceof AwkwardArray) {
    found.set(key, `awkward ${sha(JSON.stringify([...value.values()]))}`);
  } else if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const data = value as ArrayLike<unknown>;
    list([data.length], data);
  } else if ("shape" in value && "data" in value) {
    list(value.shape as number[], value.data as ArrayLike<unknown>);
  } else {
    for (const [name, child] of Object.entries(value as Record<string, UnsValue>)) {
      await valueDigests(found, `${key}/${name}`, child);
    }
  }
}

async function mapDigests<T extends UnsValue>(
  found: Map<string, string>,
  key: string,
  map: LazyMap<T>,
) {
  for (const name of map.keys()) await valueDigests(found, `${key}/${name}`, await map.need(name));
}

/** Digests of all that annotated data hold, by key. */
export async function digestsOf(adata: AnnData): Promise<Record<string, string>> {
  const found = new Map<string, string>();
  await frameDigests(found, "obs", adata.obs);
  await frameDigests(found, "var", adata.var);
  if (adata.X !== undefined) found.set("X", await matrixDigest(adata.X));
  for (const part of ["layers", "obsm", "varm", "obsp", "varp", "uns"] as const) {
    await mapDigests<UnsValue>(found, part, adata[part]);
  }
  if (adata.raw !== undefined) {
    found.set("raw/X", await matrixDigest(adata.raw.X));
    await frameDigests(found, "raw/var", adata.raw.var);
    await mapDigests<UnsValue>(found, "raw/varm", adata.raw.varm);
  }
  return Object.fromEntries([...found].sort(([a], [b]) => a < b ? -1 : 1));
}
