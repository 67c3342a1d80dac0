/** The files of one array or group, and the limits that reading them keeps to. */
import { FormatError } from "../errors.ts";
import type { Place } from "./bytes.ts";
import { joinPath, type Store, type StoreEntry } from "./store.ts";
import { checkMemory, unpackGenericTile } from "./tile.ts";

/** Settings that an opened store and all in it share. */
export interface OpenSettings {
  /** When: what was written later is not seen. Milliseconds since 1970. */
  readonly timestamp: number;
  /** Most bytes of memory that one act may take. */
  readonly maxMemory: number;
}

/** The files below one folder of a store. */
export class ArrayFiles {
  /** The store. */
  readonly store: Store;
  /** Path of the folder in the store. */
  readonly path: string;
  /** Settings of the opening. */
  readonly settings: OpenSettings;
  readonly #signal: AbortSignal | undefined;

  /** Makes it; nothing is read. `signal` stops what is read through it. */
  constructor(store: Store, path: string, settings: OpenSettings, signal?: AbortSignal) {
    this.store = store;
    this.path = path;
    this.settings = settings;
    this.#signal = signal;
  }

  /** The same files without a signal, for what outlives the opening. */
  kept(): ArrayFiles {
    return new ArrayFiles(this.store, this.path, this.settings);
  }

  /** The files of an object below this one. */
  below(path: string): ArrayFiles {
    return new ArrayFiles(this.store, this.fullPath(path), this.settings, this.#signal);
  }

  /** Where a file is, for messages. */
  place(file: string): Place {
    return { file: this.store.name, key: this.fullPath(file) || "/" };
  }

  /** Path of a file in the store. */
  fullPath(file: string): string {
    return file === "" ? this.path : joinPath(this.path, file);
  }

  /** The entries of a folder. */
  async list(folder: string): Promise<StoreEntry[]> {
    return await this.store.list(this.fullPath(folder), { signal: this.#signal });
  }

  /** Reads a file of known size. */
  async read(file: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.range(file, { offset: 0, length: size });
  }

  /** Reads a part of a file; what it says of memory is checked first. */
  async range(
    file: string,
    range: { offset: number; length: number; signal?: AbortSignal | undefined },
  ): Promise<Uint8Array<ArrayBuffer>> {
    checkMemory(range.length, this.settings.maxMemory, this.place(file));
    const { signal = this.#signal } = range;
    return await this.store.read(this.fullPath(file), { ...range, signal });
  }

  /** Reads the generic tile that a file is. */
  async tile(file: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.unpack(await this.read(file, size), this.place(file));
  }

  /** Unpacks a generic tile of bytes that were read. */
  async unpack(bytes: Uint8Array, place: Place, offset = 0): Promise<Uint8Array<ArrayBuffer>> {
    return await unpackGenericTile(bytes, { place, offset, limit: this.settings.maxMemory });
  }
}

/** The entry of a name; throws `FormatError` "missing-key" where there is none. */
export function needEntry(
  entries: readonly StoreEntry[],
  name: string,
  place: Place,
): StoreEntry {
  const entry = entries.find((entry) => entry.name === name);
  if (entry !== undefined) return entry;
  throw new FormatError("missing-key", `Cannot read ${name} as there is no such file`, place);
}
