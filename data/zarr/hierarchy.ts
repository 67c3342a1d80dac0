/** The nodes of a zarr store and their metadata, from consolidated metadata or by listing. */
import { FormatError } from "../errors.ts";
import type { ZarrStore } from "./store.ts";

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Version of the zarr format. */
export type ZarrFormat = 2 | 3;

/** What the metadata of a node say. */
export interface NodeMeta {
  /** Tells groups from arrays. */
  readonly node: "group" | "array";
  /** Attributes. */
  readonly attributes: Json;
  /** The metadata as they are stored: `zarr.json` or `.zarray`. */
  readonly json: Json;
}

/** The nodes of a store. */
export interface Hierarchy {
  /** The store. */
  readonly store: ZarrStore;
  /** Version of the format. */
  readonly format: ZarrFormat;
  /** Metadata of a node; undefined where there is none. */
  node(path: string): Promise<NodeMeta | undefined>;
  /** Names of the nodes in a group. */
  children(path: string): Promise<readonly string[]>;
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member of a configuration. */
export function configured(json: unknown, name: string): unknown {
  const configuration = isObject(json) ? json["configuration"] : undefined;
  return isObject(configuration) ? configuration[name] : undefined;
}

/** The JSON object under a key; undefined where there is no such key. */
async function readJson(store: ZarrStore, key: string): Promise<Json | undefined> {
  const bytes = await store.get(key);
  if (bytes === undefined) return undefined;
  const place = { file: store.name, key };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new FormatError("value", `Cannot read the metadata as they are no JSON: ${reason}`, {
      ...place,
      cause,
    });
  }
  if (isObject(value)) return value;
  throw new FormatError("value", "Cannot read the metadata as they must be a JSON object", place);
}

/** Path of a child. */
export function join(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}

/** Meta of a node out of `zarr.json`. */
function fromV3(json: Json): NodeMeta {
  const attributes = isObject(json["attributes"]) ? json["attributes"] : {};
  return { node: json["node_type"] === "array" ? "array" : "group", attributes, json };
}

/** Whether each part of a path names something below the root. */
function isInside(path: string): boolean {
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** A hierarchy whose metadata are all known. */
function consolidated(
  store: ZarrStore,
  format: ZarrFormat,
  nodes: ReadonlyMap<string, NodeMeta>,
): Hierarchy {
  const children = new Map<string, string[]>();
  for (const path of nodes.keys()) {
    if (path === "" || !isInside(path)) continue;
    const at = path.lastIndexOf("/");
    const parent = path.slice(0, Math.max(0, at));
    children.set(parent, [...children.get(parent) ?? [], path.slice(at + 1)]);
  }
  return {
    store,
    format,
    node: (path) => Promise.resolve(nodes.get(path)),
    children: (path) => Promise.resolve(children.get(path) ?? []),
  };
}

/** The nodes of version 2's `.zmetadata`. */
function nodesOfV2(metadata: Json): Map<string, NodeMeta> {
  const nodes = new Map<string, NodeMeta>();
  for (const [key, json] of Object.entries(metadata)) {
    const match = /^(?:(.*)\/)?\.z(group|array)$/.exec(key);
    if (match === null || !isObject(json)) continue;
    const path = match[1] ?? "";
    const attributes = metadata[join(path, ".zattrs")];
    nodes.set(path, {
      node: match[2] === "array" ? "array" : "group",
      attributes: isObject(attributes) ? attributes : {},
      json,
    });
  }
  return nodes;
}

/** The nodes of version 3's inline metadata. */
function nodesOfV3(root: Json, metadata: Json): Map<string, NodeMeta> {
  const nodes = new Map([["", fromV3(root)]]);
  for (const [path, json] of Object.entries(metadata)) {
    if (isObject(json)) nodes.set(path, fromV3(json));
  }
  return nodes;
}

/** Metadata of one node of a store without consolidated metadata. */
async function readNode(
  store: ZarrStore,
  format: ZarrFormat,
  path: string,
): Promise<NodeMeta | undefined> {
  if (format === 3) {
    const json = await readJson(store, join(path, "zarr.json"));
    return json && fromV3(json);
  }
  const array = await readJson(store, join(path, ".zarray"));
  const json = array ?? await readJson(store, join(path, ".zgroup"));
  if (json === undefined) return undefined;
  const attributes = await readJson(store, join(path, ".zattrs")) ?? {};
  return { node: array === undefined ? "group" : "array", attributes, json };
}

/** A hierarchy whose metadata are read as they are asked for. */
function listed(store: ZarrStore, format: ZarrFormat): Hierarchy {
  const nodes = new Map<string, Promise<NodeMeta | undefined>>();
  const node = (path: string) => {
    const known = nodes.get(path) ?? readNode(store, format, path);
    nodes.set(path, known);
    return known;
  };
  return {
    store,
    format,
    node,
    async children(path) {
      if (store.list === undefined) {
        throw new FormatError(
          "not-zarr",
          "Cannot list a group as the store can neither be listed nor has it consolidated metadata: " +
            "run zarr.consolidate_metadata on it",
          { file: store.name, key: path || "/" },
        );
      }
      const names = (await store.list(path)).filter((name) => !name.startsWith("."));
      const there = await Promise.all(names.map((name) => node(join(path, name))));
      return names.filter((_, k) => there[k] !== undefined);
    },
  };
}

/** Opens the hierarchy of a store of either version; consolidated metadata are used where there are any. */
export async function openHierarchy(store: ZarrStore): Promise<Hierarchy> {
  const root = await readJson(store, "zarr.json");
  if (root !== undefined) {
    const inline = root["consolidated_metadata"];
    const metadata = isObject(inline) ? inline["metadata"] : undefined;
    return isObject(metadata)
      ? consolidated(store, 3, nodesOfV3(root, metadata))
      : listed(store, 3);
  }
  const metadata = (await readJson(store, ".zmetadata"))?.["metadata"];
  if (isObject(metadata)) return consolidated(store, 2, nodesOfV2(metadata));
  const old = await store.get(".zgroup") ?? await store.get(".zarray");
  if (old !== undefined) return listed(store, 2);
  throw new FormatError(
    "not-zarr",
    "Cannot open the store as it must hold a zarr group: it has neither zarr.json nor .zgroup",
    { file: store.name, key: "/" },
  );
}
