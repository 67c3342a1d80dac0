/** Which fragments and deletions of an array are in force. */
import { FormatError } from "../errors.ts";
import { ByteReader, corrupt, type Place } from "./bytes.ts";
import { joinPath, type StoreEntry } from "./store.ts";
import type { ArrayFiles } from "./files.ts";

/** Times that a name says, in milliseconds since 1970. */
export interface Times {
  /** The earlier one. */
  readonly from: number;
  /** The later one. */
  readonly to: number;
}

/** The file of a deletion. */
export interface DeleteFile {
  /** Its name without the folder. */
  readonly name: string;
  /** When it was done. */
  readonly time: number;
  /** The generic tile of its condition. */
  readonly tile: Uint8Array;
  /** Where that lies. */
  readonly place: Place;
}

/** What is in force at a time. */
export interface Commits {
  /** Names of the fragments, oldest first. */
  readonly fragments: readonly string[];
  /** The deletions, oldest first. */
  readonly deletes: readonly DeleteFile[];
}

const NAME = /^__(\d+)_(\d+)_([0-9a-f]+)(?:_(\d+))?/;

/** The times of a name such as `__1_2_uuid_22`; throws `FormatError` where it is none. */
export function timesOf(name: string, place: Place): Times {
  const match = NAME.exec(name);
  if (match === null) {
    throw corrupt(`Cannot read a name as it must be __time_time_uuid: got ${name}`, place);
  }
  return { from: Number(match[1]), to: Number(match[2]) };
}

/** Whether a name is one that carries times. */
export function isTimed(name: string): boolean {
  return NAME.test(name);
}

/** Names in order of their times: as TileDB does, by their letters. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** What commit files say. */
interface Gathered {
  readonly writes: Set<string>;
  readonly ignored: Set<string>;
  readonly vacuumed: { readonly times: Times; readonly names: readonly string[] }[];
  readonly deletes: DeleteFile[];
}

/** Last part of a path. */
function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Reads the commits that are in force at a time. */
export async function readCommits(
  files: ArrayFiles,
  options: { readonly timestamp: number; readonly dense: boolean },
): Promise<Commits> {
  const { timestamp, dense } = options;
  const gathered: Gathered = {
    writes: new Set(),
    ignored: new Set(),
    vacuumed: [],
    deletes: [],
  };
  const entries = await files.list("__commits");
  await Promise.all(entries.map((entry) => gather(files, entry, gathered)));
  const visible = ({ from, to }: Times) => dense ? to <= timestamp : from <= timestamp;
  const hidden = new Set(
    gathered.vacuumed.filter(({ times }) => visible(times)).flatMap(({ names }) => names),
  );
  const fragments = [...gathered.writes].filter((name) =>
    !gathered.ignored.has(name) && !hidden.has(name) &&
    visible(timesOf(name, files.place("__commits")))
  ).sort();
  const deletes = gathered.deletes.filter(({ name, time }) =>
    time <= timestamp && !gathered.ignored.has(name)
  ).sort(byName);
  return { fragments, deletes };
}

/** Takes over what one commit file says. */
async function gather(files: ArrayFiles, entry: StoreEntry, gathered: Gathered): Promise<void> {
  const { name } = entry;
  const path = joinPath("__commits", name);
  const place = files.place(path);
  const lines = async () => {
    const text = new TextDecoder().decode(await files.read(path, entry.size));
    return text.split("\n").filter((line) => line !== "").map(lastPart);
  };
  if (name.endsWith(".wrt")) gathered.writes.add(name.slice(0, -4));
  else if (name.endsWith(".ign")) {
    for (const line of await lines()) gathered.ignored.add(line.replace(/\.wrt$/, ""));
  } else if (name.endsWith(".vac")) {
    gathered.vacuumed.push({ times: timesOf(name, place), names: await lines() });
  } else if (name.endsWith(".del")) {
    const tile = await files.read(path, entry.size);
    gathered.deletes.push({ name, time: timesOf(name, place).to, tile, place });
  } else if (name.endsWith(".con")) {
    gatherConsolidated(await files.read(path, entry.size), place, gathered);
  }
}

/** Takes over a file of several commits: lines, with the condition after the line of a deletion. */
function gatherConsolidated(bytes: Uint8Array, place: Place, gathered: Gathered): void {
  const reader = new ByteReader(bytes, place, { what: "consolidated commits" });
  while (reader.left > 0) {
    const end = reader.peek().indexOf(10);
    if (end === -1) throw reader.error("a line must have an end");
    const name = lastPart(reader.text(end));
    reader.u8();
    if (name.endsWith(".wrt")) gathered.writes.add(name.slice(0, -4));
    else if (name.endsWith(".del") || name.endsWith(".upd")) {
      const tile = reader.bytes(reader.u64());
      if (name.endsWith(".del")) {
        gathered.deletes.push({ name, time: timesOf(name, place).to, tile, place });
      }
    } else throw reader.error(`a commit must be .wrt, .del or .upd: got ${name}`);
  }
}

/** Refuses arrays with fragments in their root, which only older formats have. */
export function checkLayout(root: readonly StoreEntry[], place: Place): void {
  const old = root.find(({ name }) => isTimed(name) || name === "__array_schema.tdb");
  if (old === undefined) return;
  throw new FormatError(
    "encoding",
    `Cannot read an array as it must not have parts of a format before 12: got ${old.name}`,
    place,
  );
}
