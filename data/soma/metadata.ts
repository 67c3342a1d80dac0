/** Metadata of arrays and groups: values by key. */
import { ByteReader } from "./bytes.ts";
import { byName, isTimed, timesOf } from "./commits.ts";
import type { RawArray } from "../storage.ts";
import { datatypeOf, elementsOf } from "./datatype.ts";
import type { ArrayFiles } from "./files.ts";

/** A value of metadata. Integers beyond 2^53 are bigint. */
export type MetadataValue =
  | string
  | number
  | bigint
  | boolean
  | readonly (number | bigint | boolean)[]
  | Uint8Array;

/** Reads the metadata as they were at a time. */
export async function readMetadata(files: ArrayFiles): Promise<Map<string, MetadataValue>> {
  const entries = (await files.list("__meta")).filter(({ name }) => isTimed(name)).sort(byName);
  const place = files.place("__meta");
  const { timestamp } = files.settings;
  const vacuumed = new Set<string>();
  for (const { name, size } of entries.filter(({ name }) => name.endsWith(".vac"))) {
    if (timesOf(name, place).to > timestamp) continue;
    const text = new TextDecoder().decode(await files.read(`__meta/${name}`, size));
    for (const line of text.split("\n")) vacuumed.add(line.slice(line.lastIndexOf("/") + 1));
  }
  const values = new Map<string, MetadataValue>();
  for (const { name, size } of entries) {
    if (name.includes(".") || vacuumed.has(name) || timesOf(name, place).to > timestamp) continue;
    const path = `__meta/${name}`;
    const reader = new ByteReader(await files.tile(path, size), files.place(path), {
      what: "metadata",
    });
    while (reader.left > 0) applyEntry(reader, values);
  }
  return values;
}

function applyEntry(reader: ByteReader, values: Map<string, MetadataValue>): void {
  const key = reader.text(reader.u32());
  if (reader.u8() !== 0) {
    values.delete(key);
    return;
  }
  const type = datatypeOf(reader.u8(), reader.place);
  const count = reader.u32();
  if (type.kind === "text" || type.name === "char") {
    values.set(key, reader.text(count));
    return;
  }
  const bytes = reader.bytes(count * type.size).slice();
  if (type.kind === "bytes") values.set(key, bytes);
  else {
    const list = plainValues(elementsOf(bytes, type), type.kind === "bool");
    values.set(key, list.length === 1 ? list[0]! : list);
  }
}

function plainValues(elements: RawArray, truth: boolean): (number | bigint | boolean)[] {
  return Array.from<number | bigint, number | bigint | boolean>(elements, (value) => {
    if (truth) return value !== 0;
    return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  });
}
