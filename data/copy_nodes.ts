/** Copying stored nodes into a new file as they are; what lacks an encoding gets today's. */
import { encodingKey, readAs } from "./encodings.ts";
import type {
  AttributeValue,
  NumericDtype,
  RawArray,
  StorageArray,
  StorageGroup,
  StorageNode,
  StorageWriter,
} from "./storage.ts";
import {
  arrayEncoding,
  breathe,
  encoding,
  type NotCarried,
  type Target,
  writeFrame,
  writeMatrix,
  writeNull,
} from "./write_elements.ts";

/** Bytes above which numbers are copied piece by piece. */
const WHOLE_BYTES = 1 << 23;

/** Why a node cannot be copied, found without reading its data; undefined where it can. */
async function obstacle(out: StorageWriter, node: StorageNode): Promise<string | undefined> {
  if (node.node === "array") {
    if (node.shape === null) return undefined;
    const reason = out.refusal(node.dtype);
    if (reason !== undefined) return reason;
    try {
      await node.read(node.shape.map(() => [0, 0] as const)); // checks the filters
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
  for (const key of node.keys()) {
    const reason = await obstacle(out, (await node.get(key))!);
    if (reason !== undefined) return `${key}: ${reason}`;
  }
  return undefined;
}

/** The attributes that can be written. */
function attributesOf(node: StorageNode): Record<string, AttributeValue> {
  const pairs = node.attributeNames().map((name) => [name, node.attribute(name)] as const);
  return Object.fromEntries(
    pairs.filter((pair): pair is [string, AttributeValue] => pair[1] !== undefined),
  );
}

/** Copies numbers piece by piece. */
async function copyStream(target: Target, key: string, array: StorageArray): Promise<void> {
  const [length, ...rest] = array.shape as [number, ...number[]];
  const { name } = array.dtype as { name: NumericDtype };
  const rowBytes = rest.reduce((product, axis) => product * axis, 8);
  const chunk = array.chunks?.[0] ?? 1;
  const step = Math.max(1, Math.floor(WHOLE_BYTES / (rowBytes * chunk))) * chunk;
  const stream = target.out.stream(key, name, rest);
  for (let start = 0; start < length; start += step) {
    await breathe(target.signal);
    await stream.append(await array.read([[start, start + step]]) as RawArray);
  }
  await stream.finish();
}

/** Copies one array. */
async function copyArray(target: Target, key: string, array: StorageArray): Promise<void> {
  const { dtype, shape: stored } = array;
  if (stored === null) return await writeNull(target, key);
  const count = stored.reduce((product, length) => product * length, 1);
  const old = array.attribute("encoding-type") === undefined;
  // Before anndata 0.7 a text was stored as an array of one text.
  const shape = old && dtype.kind === "string" && count === 1 ? [] : stored;
  if (dtype.kind === "numeric" && shape.length > 0 && count * 8 > WHOLE_BYTES) {
    await copyStream(target, key, array);
  } else {
    await target.out.array(key, await array.read(), { shape, dtype });
  }
  const attributes = old ? arrayEncoding(dtype, shape.length === 0) : attributesOf(array);
  await target.out.attributes(key, attributes);
}

/** Copies a group of independent values; each that cannot be copied is noted. */
async function copyDict(target: Target, key: string, group: StorageGroup): Promise<void> {
  await target.out.group(key, encoding("dict", "0.1.0"));
  for (const name of group.keys()) {
    await copyNode(target, `${key}/${name}`, (await group.get(name))!);
  }
}

/** Copies a group whose parts belong together. */
async function copyWhole(target: Target, key: string, node: StorageNode): Promise<void> {
  if (node.node === "array") return await copyArray(target, key, node);
  await target.out.group(key, attributesOf(node));
  for (const name of node.keys()) {
    await copyWhole(target, `${key}/${name}`, (await node.get(name))!);
  }
}

/** Copies a node; returns false, and notes why, where that is impossible. */
async function copyNode(target: Target, key: string, node: StorageNode): Promise<boolean> {
  target.signal?.throwIfAborted();
  const kind = encodingKey(node);
  if (node.node === "group" && (kind === "dict/0.1.0" || kind === "legacy/dict")) {
    await copyDict(target, key, node);
    return true;
  }
  const reason = await obstacle(target.out, node);
  if (reason !== undefined) {
    target.notCarried.push({ key, reason });
    return false;
  }
  if (kind === "legacy/csr" || kind === "legacy/csc") {
    await writeMatrix(target, key, await readAs("matrix", node));
  } else if (kind === "dataframe/0.1.0") {
    await writeFrame(target, key, await readAs("frame", node));
  } else {
    await copyWhole(target, key, node);
  }
  return true;
}

/** Somewhere to write elements to. */
export function targetOf(out: StorageWriter, signal: AbortSignal | undefined): Target {
  const notCarried: NotCarried[] = [];
  const target: Target = {
    out,
    notCarried,
    signal,
    copy: (key, node) => copyNode(target, key, node),
  };
  return target;
}
