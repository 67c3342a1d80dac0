/** Writing the tree that names the chunks of an array: HDF5 File Format Specification, III.A.1. */
import { BytesOut } from "./bytes_out.ts";
import type { Appender } from "./sink.ts";

/** Half the children that a node has room for: what readers expect where the superblock says nothing. */
const HALF = 32;

/** A chunk as it was written. */
export interface WrittenChunk {
  /** Its first row. */
  readonly row: number;
  readonly address: number;
  /** Bytes in the file. */
  readonly size: number;
}

/** What a node's key says: where a chunk begins, and its bytes. */
interface Key {
  readonly origin: readonly number[];
  readonly size: number;
}

interface Child {
  readonly key: Key;
  readonly address: number;
}

/** A node with its children; `end` is the key behind the last. */
function nodeBytes(
  level: number,
  children: readonly Child[],
  end: Key,
  siblings: number[],
): Uint8Array {
  const out = new BytesOut().letters("TREE").u8(1, level).u16(children.length);
  for (const sibling of siblings) out.u64(sibling < 0 ? undefined : sibling);
  const putKey = ({ origin, size }: Key) => {
    out.u32(size).u32(0);
    for (const at of origin) out.u64(at);
  };
  for (const { key, address } of children) {
    putKey(key);
    out.u64(address);
  }
  putKey(end);
  const keyBytes = 8 + 8 * end.origin.length;
  return out.pad({ length: 24 + 2 * HALF * (keyBytes + 8) + keyBytes }).finish();
}

/** Writes the nodes of a level; returns them as children of the next. */
async function writeLevel(
  file: Appender,
  level: number,
  children: readonly Child[],
  last: Key,
): Promise<Child[]> {
  const most = 2 * HALF;
  const count = Math.ceil(children.length / most);
  const nodes: Child[] = [];
  const length = Math.ceil(nodeBytes(level, [], last, [-1, -1]).length / 8) * 8;
  const first = file.end;
  for (let k = 0; k < count; k++) {
    const own = children.slice(k * most, (k + 1) * most);
    const end = children[(k + 1) * most]?.key ?? last;
    const siblings = [
      k === 0 ? -1 : first + (k - 1) * length,
      k === count - 1 ? -1 : first + (k + 1) * length,
    ];
    const address = await file.append(nodeBytes(level, own, end, siblings));
    nodes.push({ key: own[0]!.key, address });
  }
  return nodes;
}

/**
 * Writes the tree of chunks that follow one another along the first axis.
 *
 * @param chunk Lengths of a chunk's axes.
 * @param itemBytes Bytes of an element.
 * @returns The address of its root; undefined where there are no chunks.
 */
export async function writeChunkTree(
  file: Appender,
  chunks: readonly WrittenChunk[],
  { chunk, itemBytes }: { readonly chunk: readonly number[]; readonly itemBytes: number },
): Promise<number | undefined> {
  if (chunks.length === 0) return undefined;
  const rest = chunk.slice(1);
  let nodes: Child[] = chunks.map(({ row, address, size }) => ({
    key: { origin: [row, ...rest.map(() => 0), 0], size },
    address,
  }));
  const last = { origin: [chunks.at(-1)!.row + chunk[0]!, ...rest, itemBytes], size: 0 };
  let level = 0;
  do nodes = await writeLevel(file, level++, nodes, last); while (nodes.length > 1);
  return nodes[0]!.address;
}
