/** Groups: objects by name. */
import { ByteReader } from "./bytes.ts";
import { byName, isTimed, timesOf } from "./commits.ts";
import type { ArrayFiles } from "./files.ts";

/** A member of a group. */
export interface GroupMember {
  /** Its name. */
  readonly name: string;
  /** Its path in the group's folder, or an address of its own. */
  readonly uri: string;
  /** Whether the path is below the group. */
  readonly relative: boolean;
}

/** Reads the members of a group as they were at a time, in the order in which they were added. */
export async function readMembers(files: ArrayFiles): Promise<Map<string, GroupMember>> {
  const entries = (await files.list("__group")).filter(({ name }) =>
    isTimed(name) && !name.includes(".") &&
    timesOf(name, files.place("__group")).to <= files.settings.timestamp
  ).sort(byName);
  const members = new Map<string, GroupMember>();
  for (const { name, size } of entries) {
    const path = `__group/${name}`;
    const reader = new ByteReader(await files.tile(path, size), files.place(path), {
      what: "a group",
    });
    const version = reader.u32();
    if (version < 1 || version > 2) {
      throw reader.error(`its version must be 1 or 2: got ${version}`);
    }
    // Version 1, of array formats up to 17, lists all members in each file; version 2 says what changed.
    if (version === 1) members.clear();
    const count = reader.count(reader.u64(), 15);
    for (let i = 0; i < count; i++) applyMember(reader, members);
  }
  return members;
}

function applyMember(reader: ByteReader, members: Map<string, GroupMember>): void {
  const version = reader.u32();
  if (version < 1 || version > 2) {
    throw reader.error(`a member's version must be 1 or 2: got ${version}`);
  }
  reader.u8(); // array or group, which its folder says
  const relative = reader.u8() !== 0;
  const uri = reader.text(reader.u64());
  const name = reader.u8() !== 0 ? reader.text(reader.u64()) : uri;
  const deleted = version >= 2 && reader.u8() !== 0;
  if (deleted) members.delete(name);
  else members.set(name, { name, uri, relative });
}
