/** B-trees of version 2, which hold records of one length: HDF5 File Format Specification, III.A.2. */
import { checkSum } from "./checksum.ts";
import { Damage, Fields } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** Bytes of a node that are not records: signature, version, type, checksum. */
const NODE_HEAD = 6, NODE_TAIL = 4;

/** What a tree's header says. */
interface Tree {
  readonly type: number;
  readonly nodeBytes: number;
  readonly recordBytes: number;
  /** The most records of a node, and bytes that count all below it, by depth. */
  readonly levels: readonly { readonly most: number; readonly totalBytes: number }[];
  /** Bytes of a number of records in one node. */
  readonly countBytes: number;
}

/** Bytes that a number up to `limit` takes. */
export function bytesFor(limit: number): number {
  return Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1;
}

/** How many records nodes of each depth hold at most. */
function levelsOf(
  depth: number,
  { nodeBytes, recordBytes, offsetBytes }: Record<
    "nodeBytes" | "recordBytes" | "offsetBytes",
    number
  >,
): { levels: Tree["levels"]; countBytes: number } {
  const room = nodeBytes - NODE_HEAD - NODE_TAIL;
  const leaf = Math.floor(room / recordBytes);
  const countBytes = bytesFor(leaf);
  const levels = [{ most: leaf, totalBytes: 0 }];
  let all = leaf;
  for (let level = 1; level <= depth; level++) {
    const pointer = offsetBytes + countBytes + levels[level - 1]!.totalBytes;
    const most = Math.floor((room - pointer) / (recordBytes + pointer));
    all = (most + 1) * all + most;
    levels.push({ most, totalBytes: bytesFor(all) });
  }
  return { levels, countBytes };
}

/** The records of a node and of those below it, in order. */
async function* recordsOf(
  file: Hdf5Bytes,
  tree: Tree,
  node: { address: number; count: number; depth: number },
): AsyncGenerator<Uint8Array> {
  const { address, count, depth } = node;
  const { most } = tree.levels[depth]!;
  if (count > most) throw new Damage(`a tree's node cannot have ${count} records`);
  const { totalBytes } = tree.levels[depth - 1] ?? { totalBytes: 0 };
  const pointer = depth === 0 ? 0 : file.offsetBytes + tree.countBytes + totalBytes;
  const length = NODE_HEAD + count * tree.recordBytes + (count + 1) * pointer + NODE_TAIL;
  const bytes = await file.read(address, length);
  checkSum(bytes, "a tree's node");
  const fields = new Fields(bytes);
  fields.signature(depth === 0 ? "BTLF" : "BTIN");
  fields.skip(2);
  const records = Array.from({ length: count }, () => fields.bytes(tree.recordBytes));
  if (depth === 0) return yield* records;
  for (let k = 0; k <= count; k++) {
    const child = {
      address: fields.uint(file.offsetBytes),
      count: fields.uint(tree.countBytes),
      depth: depth - 1,
    };
    fields.skip(totalBytes);
    yield* recordsOf(file, tree, child);
    if (k < count) yield records[k]!;
  }
}

/** All records of a tree, in order. */
export async function* treeRecords(
  file: Hdf5Bytes,
  address: number,
  type: number,
): AsyncGenerator<Fields> {
  const bytes = await file.read(address, 22 + file.offsetBytes + file.lengthBytes);
  checkSum(bytes, "a tree's header");
  const fields = new Fields(bytes);
  fields.signature("BTHD");
  fields.version([0], "a tree");
  const found = fields.u8();
  if (found !== type) throw new Damage(`a tree must be of type ${type}: got ${found}`);
  const nodeBytes = fields.u32();
  const recordBytes = fields.u16();
  const depth = fields.u16();
  fields.skip(2);
  const root = fields.address(file.offsetBytes);
  const count = fields.u16();
  if (root === undefined || recordBytes === 0 || depth > 32) return;
  const { offsetBytes } = file;
  const levels = levelsOf(depth, { nodeBytes, recordBytes, offsetBytes });
  const tree = { type, nodeBytes, recordBytes, ...levels };
  for await (const record of recordsOf(file, tree, { address: root, count, depth })) {
    yield new Fields(record);
  }
}
