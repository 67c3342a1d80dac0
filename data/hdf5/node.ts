/** What groups and arrays of HDF5 files have in common. */
import { FormatError } from "../errors.ts";
import type { AttributeValue } from "../storage.ts";
import { type Attributes, readAttributes } from "./attributes.ts";
import { Damage, Unread } from "./fields.ts";
import { type Message, readHeader } from "./object_header.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** What nodes of one file share. */
export interface FileState {
  readonly bytes: Hdf5Bytes;
  open: boolean;
}

/** Says of damage where it is. */
export async function placed<T>(
  place: { file: string; key: string },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof Damage)) throw cause;
    if (cause instanceof Unread) {
      throw new FormatError("encoding", `Cannot read the node as ${cause.message}`, {
        ...place,
        cause,
      });
    }
    const reason = `Cannot read the node as it must be as HDF5 says: ${cause.message}`;
    throw new FormatError("value", reason, { ...place, cause });
  }
}

/** What a node is opened from. */
export interface NodeParts {
  readonly state: FileState;
  readonly key: string;
  readonly address: number;
  readonly messages: readonly Message[];
  readonly attributes: Attributes;
}

/** What group and array have in common: place and attributes. */
export abstract class Hdf5Node {
  readonly file: string;
  readonly key: string;
  protected readonly state: FileState;
  readonly #attributes: Attributes;

  constructor({ state, key, attributes }: NodeParts) {
    this.state = state;
    this.file = state.bytes.name;
    this.key = key;
    this.#attributes = attributes;
  }

  attributeNames(): readonly string[] {
    return [...this.#attributes.keys()];
  }

  attribute(name: string): AttributeValue | undefined {
    const value = this.#attributes.get(name);
    if (!(value instanceof Damage)) return value;
    const reason = `Cannot read the attribute ${name} as it must be as HDF5 says: ${value.message}`;
    throw new FormatError("value", reason, { file: this.file, key: this.key, cause: value });
  }

  protected checkOpen(): void {
    if (this.state.open) return;
    throw new Error(`Cannot read ${this.key} as the file ${this.file} is closed`);
  }
}

/** Header and attributes of a node. */
export async function openParts(
  state: FileState,
  key: string,
  address: number,
): Promise<NodeParts> {
  const messages = await readHeader(state.bytes, address);
  const attributes = await readAttributes(state.bytes, messages);
  return { state, key, address, messages, attributes };
}
