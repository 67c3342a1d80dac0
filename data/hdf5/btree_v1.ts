/** B-trees of version 1, which hold the names of a group or the chunks of an array: HDF5 File Format Specification, III.A.1. */
import { Damage, Fields } from "./fields.ts";
import type { Hdf5Bytes } from "./superblock.ts";

/** How high a tree may be. */
const HIGHEST = 32;

/** A node: what its children begin with, and where they are. Key k stands before child k; one more stands after the last. */
export interface TreeNode<K> {
  /** 0 for a leaf. */
  readonly level: number;
  /** One more than children. */
  readonly keys: readonly K[];
  /** Addresses. */
  readonly children: readonly number[];
}

/** What a kind of tree has in its keys. */
export interface TreeKind<K> {
  /** 0 for groups, 1 for chunks. */
  readonly type: number;
  /** Bytes of a key. */
  readonly keyBytes: number;
  /** Reads one. */
  key(fields: Fields): K;
}

async function readNode<K>(
  file: Hdf5Bytes,
  address: number,
  kind: TreeKind<K>,
): Promise<TreeNode<K>> {
  const headBytes = 8 + 2 * file.offsetBytes;
  const head = new Fields(await file.read(address, headBytes));
  head.signature("TREE");
  const type = head.u8();
  if (type !== kind.type) throw new Damage(`a tree must be of type ${kind.type}: got ${type}`);
  const level = head.u8();
  const count = head.u16();
  const length = count * (kind.keyBytes + file.offsetBytes) + kind.keyBytes;
  const fields = new Fields(await file.read(address + headBytes, length));
  const keys: K[] = [];
  const children: number[] = [];
  for (let k = 0; k < count; k++) {
    keys.push(kind.key(fields));
    children.push(fields.uint(file.offsetBytes));
  }
  keys.push(kind.key(fields));
  return { level, keys, children };
}

/**
 * The leaves' children whose keys are wanted, from left to right.
 *
 * @param wanted Whether what lies between two keys is asked for.
 */
export function walkTree<K>(
  file: Hdf5Bytes,
  address: number,
  kind: TreeKind<K>,
  wanted: (from: K, to: K) => boolean = () => true,
): AsyncGenerator<{ key: K; address: number }> {
  async function* walk(at: number, above: number): AsyncGenerator<{ key: K; address: number }> {
    const { level, keys, children } = await readNode(file, at, kind);
    if (level >= above) throw new Damage("a tree leads in a circle");
    for (const [k, child] of children.entries()) {
      if (!wanted(keys[k]!, keys[k + 1]!)) continue;
      if (level === 0) yield { key: keys[k]!, address: child };
      else yield* walk(child, level);
    }
  }
  return walk(address, HIGHEST);
}
