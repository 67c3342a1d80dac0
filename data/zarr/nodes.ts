/** Nodes of a zarr store as the groups and arrays of `storage.ts`. */
import { FormatError } from "../errors.ts";
import type {
  ArrayData,
  AttributeValue,
  Dtype,
  Range,
  ReadOptions,
  StorageArray,
  StorageGroup,
  StorageNode,
} from "../storage.ts";
import { openArray, readBlock, sharedBlock } from "./array.ts";
import { type ArrayMeta, arrayMeta } from "./array_meta.ts";
import { ChunkCache } from "./chunk_cache.ts";
import { type Hierarchy, join, type Json, type NodeMeta } from "./hierarchy.ts";

/** What nodes of one store share. */
interface StoreState {
  readonly hierarchy: Hierarchy;
  readonly cache: ChunkCache;
  /** Set once the store is closed. */
  closed: boolean;
}

/** An open store. */
export interface OpenZarr {
  /** The root group. */
  readonly root: StorageGroup;
  /** Closes the store; nodes refuse to be read afterwards. */
  close(): void;
}

/** Whether a value is one that an attribute may have. */
function isAttribute(value: unknown): value is AttributeValue {
  const scalar = (part: unknown) => ["string", "number", "boolean"].includes(typeof part);
  return scalar(value) || (Array.isArray(value) && value.every(scalar));
}

/** Place and attributes of a node. */
abstract class ZarrNode {
  readonly file: string;
  readonly key: string;
  readonly #attributes: Json;

  constructor(
    protected readonly state: StoreState,
    protected readonly path: string,
    meta: NodeMeta,
  ) {
    this.file = state.hierarchy.store.name;
    this.key = path === "" ? "/" : path;
    this.#attributes = meta.attributes;
  }

  attributeNames(): readonly string[] {
    return Object.keys(this.#attributes);
  }

  attribute(name: string): AttributeValue | undefined {
    const value = Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
    return isAttribute(value) ? value : undefined;
  }

  protected checkOpen(): void {
    if (this.state.closed) {
      throw new Error(`Cannot read ${this.key} as the store ${this.file} is closed`);
    }
  }
}

class ZarrGroup extends ZarrNode implements StorageGroup {
  readonly node = "group";
  readonly #keys: readonly string[];

  constructor(
    state: StoreState,
    path: string,
    content: { meta: NodeMeta; keys: readonly string[] },
  ) {
    super(state, path, content.meta);
    this.#keys = content.keys;
  }

  keys(): readonly string[] {
    return this.#keys;
  }

  async get(name: string): Promise<StorageNode | undefined> {
    this.checkOpen();
    if (!this.#keys.includes(name)) return undefined;
    const path = join(this.path, name);
    const meta = await this.state.hierarchy.node(path);
    if (meta === undefined) return undefined;
    if (meta.node === "array") return new ZarrArray(this.state, path, meta);
    return new ZarrGroup(this.state, path, {
      meta,
      keys: await this.state.hierarchy.children(path),
    });
  }
}

class ZarrArray extends ZarrNode implements StorageArray {
  readonly node = "array";
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly chunks: readonly number[];
  readonly #meta: ArrayMeta;
  #opened: ReturnType<typeof openArray> | undefined;

  constructor(state: StoreState, path: string, meta: NodeMeta) {
    super(state, path, meta);
    this.#meta = arrayMeta(meta.json, state.hierarchy.format);
    this.shape = this.#meta.shape;
    this.dtype = this.#meta.dtype;
    this.chunks = this.#meta.chunks;
  }

  async read(ranges: readonly Range[] = [], options: ReadOptions = {}): Promise<ArrayData> {
    this.checkOpen();
    const { hierarchy: { store }, cache } = this.state;
    const source = { store, path: this.path, meta: this.#meta, cache };
    const array = await (this.#opened ??= openArray(source));
    const block = this.shape.map((length, axis): Range => {
      const start = Math.min(ranges[axis]?.[0] ?? 0, length);
      return [start, Math.max(start, Math.min(ranges[axis]?.[1] ?? length, length))];
    });
    return options.shared && await sharedBlock(array, block) || await readBlock(array, block);
  }
}

/** The nodes of a hierarchy from one of its groups on. */
export async function openNodes(hierarchy: Hierarchy, path: string): Promise<OpenZarr> {
  const meta = await hierarchy.node(path);
  const place = { file: hierarchy.store.name, key: path || "/" };
  if (meta?.node !== "group") {
    const found = meta === undefined ? "nothing is there" : "it is an array";
    throw new FormatError(
      "not-zarr",
      `Cannot open the node as it must be a group: ${found}`,
      place,
    );
  }
  const state: StoreState = { hierarchy, cache: new ChunkCache(), closed: false };
  const keys = await hierarchy.children(path);
  return {
    root: new ZarrGroup(state, path, { meta, keys }),
    close() {
      if (!state.closed) hierarchy.store.close?.();
      state.closed = true;
    },
  };
}
