/** HDF5 files as the groups and arrays of `storage.ts`. */
import { FormatError } from "../errors.ts";
import type { ByteSource } from "../source.ts";
import type { StorageGroup, StorageNode } from "../storage.ts";
import { openArray } from "./array.ts";
import { Damage } from "./fields.ts";
import { isGroup, type Link, readLinks } from "./links.ts";
import { type FileState, Hdf5Node, type NodeParts, openParts, placed } from "./node.ts";
import { openBytes } from "./superblock.ts";

/** An open HDF5 file. */
export interface Hdf5File {
  /** The root group. */
  readonly root: StorageGroup;
  /** Closes the file; nodes refuse to be read afterwards. */
  close(): void;
}

/** How many links may lead to links. */
const MOST_LINKS = 16;

class Hdf5Group extends Hdf5Node implements StorageGroup {
  readonly node = "group";
  /** Addresses of this group and of those it was reached through. */
  readonly #line: readonly number[];
  readonly #links: ReadonlyMap<string, Link>;

  constructor(parts: NodeParts, links: ReadonlyMap<string, Link>, above: readonly number[]) {
    super(parts);
    this.#links = links;
    this.#line = [...above, parts.address];
  }

  keys(): readonly string[] {
    return [...this.#links.keys()];
  }

  async get(name: string): Promise<StorageNode | undefined> {
    this.checkOpen();
    const key = this.#keyOf(name);
    const place = { file: this.file, key };
    return await placed(place, async () => {
      const link = this.#links.get(name);
      if (link === undefined) return undefined;
      const address = await this.#follow(name, MOST_LINKS);
      const node = address === undefined ? undefined : await this.#open(key, address);
      if (node !== undefined) return node;
      const reason = "Cannot open the node as it must be a group or an array: " +
        "it is a link that leads nowhere or to another file";
      throw new FormatError("encoding", reason, place);
    });
  }

  /** Key of a node in this group. */
  #keyOf(name: string): string {
    return this.key === "/" ? name : `${this.key}/${name}`;
  }

  /** Where a name leads; undefined for nowhere. */
  async #follow(name: string, left: number): Promise<number | undefined> {
    const link = this.#links.get(name);
    if (link === undefined || link.kind === "external" || left === 0) return undefined;
    if (link.kind === "hard") return link.address;
    const absolute = link.path.startsWith("/");
    const names = link.path.split("/").filter((part) => part !== "" && part !== ".");
    const { bytes } = this.state;
    let group: Hdf5Group = absolute ? await openGroup(this.state, "/", bytes.root, []) : this;
    if (names.length === 0) return absolute ? bytes.root : undefined;
    for (const step of names.slice(0, -1)) {
      const address = await group.#follow(step, left - 1);
      if (address === undefined) return undefined;
      group = await openGroup(this.state, group.#keyOf(step), address, []);
    }
    return await group.#follow(names.at(-1)!, left - 1);
  }

  /** The node of a header; undefined where it is neither a group nor an array. */
  async #open(key: string, address: number): Promise<StorageNode | undefined> {
    const parts = await openParts(this.state, key, address);
    if (!isGroup(parts.messages)) return await openArray(parts);
    if (this.#line.includes(address)) {
      const reason = "Cannot open the node as it must not hold itself: links lead in a circle";
      throw new FormatError("value", reason, { file: this.file, key });
    }
    return new Hdf5Group(parts, await readLinks(this.state.bytes, parts.messages), this.#line);
  }
}

async function openGroup(
  state: FileState,
  key: string,
  address: number,
  above: readonly number[],
): Promise<Hdf5Group> {
  const parts = await openParts(state, key, address);
  if (!isGroup(parts.messages)) throw new Damage("a group must have links");
  return new Hdf5Group(parts, await readLinks(state.bytes, parts.messages), above);
}

/**
 * Opens a file; reads its root group.
 *
 * @param source The bytes; they are the file's from now on, and are closed with it.
 * @param name Its name, for messages.
 * @throws {FormatError} "not-hdf5" or "truncated" where it is not whole, "value" where the root is damaged.
 */
export async function openHdf5(source: ByteSource, name: string): Promise<Hdf5File> {
  try {
    const bytes = await openBytes(source, name);
    const state: FileState = { bytes, open: true };
    const place = { file: name, key: "/" };
    const root = await placed(place, () => openGroup(state, "/", bytes.root, []));
    return {
      root,
      close() {
        if (!state.open) return;
        state.open = false;
        source[Symbol.dispose]();
      },
    };
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}
