/** Named values that are read when they are asked for. */
import { describeNames } from "./checks.ts";
import type { StorageNode } from "./storage.ts";

/** Where a value comes from. */
export interface LazyEntry<T> {
  /** Reads the value. */
  load(): Promise<T>;
}

const origins = new WeakMap<LazyEntry<unknown>, StorageNode>();

/** An entry whose value is exactly what a stored node holds, so that the node can be copied in its place. */
export function storedEntry<T>(node: StorageNode, load: () => Promise<T>): LazyEntry<T> {
  const entry = { load };
  origins.set(entry, node);
  return entry;
}

/** The stored node that holds exactly the entry's value, if there is one. */
export function entryOrigin(entry: LazyEntry<unknown>): StorageNode | undefined {
  return origins.get(entry);
}

/** An entry that keeps its value once it is read; a failure is not kept. */
class Kept<T> implements LazyEntry<T> {
  /** The value where it is in memory. */
  value: T | undefined;
  readonly #entry: LazyEntry<T>;
  #reading: Promise<T> | undefined;

  constructor(entry: LazyEntry<T>) {
    this.#entry = entry;
    const node = origins.get(entry);
    if (node !== undefined) origins.set(this, node);
  }

  async load(): Promise<T> {
    this.#reading ??= this.#entry.load();
    try {
      return this.value = await this.#reading;
    } catch (error) {
      this.#reading = undefined;
      throw error;
    }
  }
}

/** An entry of a value in memory. */
function inMemory<T>(value: T): Kept<T> {
  const entry = new Kept<T>({ load: () => Promise.resolve(value) as Promise<T> });
  entry.value = value;
  return entry;
}

/** A read-only map whose values are read when they are asked for and then kept. */
export class LazyMap<T> {
  readonly #entries: ReadonlyMap<string, Kept<T>>;
  readonly #name: string;

  /**
   * Makes the map.
   *
   * @param name What the map is called in messages: "obsm".
   * @param entries Reader of each value, in order; called once unless it fails.
   */
  constructor(name: string, entries: Iterable<readonly [string, LazyEntry<T>]> = []) {
    this.#name = name;
    this.#entries = new Map(
      Array.from(entries, ([key, entry]) => [key, entry instanceof Kept ? entry : new Kept(entry)]),
    );
  }

  /** A map of values in memory. */
  static of<T>(name: string, values: Readonly<Record<string, T>>): LazyMap<T> {
    return new LazyMap(
      name,
      Object.entries(values).map(([key, value]) => [key, inMemory(value)] as const),
    );
  }

  /** The keys in order; nothing is read. */
  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** The keys and the readers of their values, in order; nothing is read. */
  entries(): Iterable<readonly [string, LazyEntry<T>]> {
    return this.#entries.entries();
  }

  /** Number of values. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether there is a value of this name. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The value of this name, or undefined where there is none. */
  async get(key: string): Promise<T | undefined> {
    return await this.#entries.get(key)?.load();
  }

  /** The value of this name; throws `RangeError` listing the names there are where it is missing. */
  async need(key: string): Promise<T> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) return await entry.load();
    throw new RangeError(
      `Cannot read ${this.#name} ${JSON.stringify(key)} as there is none: ${
        describeNames(key, this.keys())
      }`,
    );
  }

  /** The value of this name where it was read before; nothing is read. */
  loaded(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  /** A map of some of the values, in the order of `keys`, all of which there must be. */
  pick(keys: readonly string[]): LazyMap<T> {
    return new LazyMap(this.#name, keys.map((key) => [key, this.#entries.get(key)!] as const));
  }

  /** A map with these values added or replaced. */
  with(values: Readonly<Record<string, T>>): LazyMap<T> {
    const added = LazyMap.of(this.#name, values);
    return new LazyMap(this.#name, [...this.entries(), ...added.entries()]);
  }

  /** A map whose values are made from this one's when they are asked for. */
  map<U>(change: (value: T, key: string) => U): LazyMap<U> {
    const entries = Array.from(
      this.#entries,
      ([key, entry]) => [key, { load: async () => change(await entry.load(), key) }] as const,
    );
    return new LazyMap(this.#name, entries);
  }
}
