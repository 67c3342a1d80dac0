import assert from "node:assert/strict";
import fc from "fast-check";
import { openSource } from "../../../data/mod.ts";
import { CheckpointError } from "../../../lib/io/errors.ts";
import { readSafetensors, writeSafetensors } from "../../../lib/io/safetensors.ts";
import {
  STORED_BYTES,
  type StoredDtype,
  storedFloat32,
  type StoredTensor,
} from "../../../lib/io/stored_tensor.ts";

async function written(
  tensors: Iterable<StoredTensor>,
  metadata: Record<string, string> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const sink = {
    write: (bytes: Uint8Array<ArrayBuffer>) => (parts.push(bytes), Promise.resolve()),
  };
  await writeSafetensors(sink, tensors, { metadata });
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function opened(bytes: Uint8Array) {
  using source = await openSource(bytes);
  return await readSafetensors(source);
}

/** A file with any header and data. */
function file(header: unknown, dataBytes = 0, headerBytes?: bigint): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, headerBytes ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const tensor = fc.record({
  name: fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
  dtype: fc.constantFrom(...Object.keys(STORED_BYTES) as StoredDtype[]),
  shape: fc.array(fc.nat(4), { maxLength: 3 }),
  fill: fc.nat(255),
});

Deno.test("writeSafetensors() and readSafetensors() give any tensors back", async () => {
  const lists = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 8 });
  const texts = fc.dictionary(fc.string(), fc.string());
  await fc.assert(fc.asyncProperty(lists, texts, async (list, metadata) => {
    const bytesOf = ({ dtype, shape, fill }: typeof list[number]) =>
      new Uint8Array(shape.reduce((a, b) => a * b, 1) * STORED_BYTES[dtype]).fill(fill);
    const bytes = await written(
      list.map((one) => ({ ...one, read: () => Promise.resolve(bytesOf(one)) })),
      metadata,
    );
    const back = await opened(bytes);
    assert.deepEqual({ ...back.metadata }, { ...metadata });
    assert.equal(back.tensors.size, list.length);
    for (const one of list) {
      const found = back.tensors.get(one.name)!;
      assert.deepEqual([found.dtype, found.shape], [one.dtype, one.shape]);
      assert.deepEqual(await found.read(), bytesOf(one));
    }
  }));
});

Deno.test("writeSafetensors() aligns every tensor to its elements", async () => {
  const one = (name: string, dtype: StoredDtype): StoredTensor => ({
    name,
    dtype,
    shape: [1],
    read: () => Promise.resolve(new Uint8Array(STORED_BYTES[dtype])),
  });
  const bytes = await written([one("a", "U8"), one("b", "F64"), one("c", "F16"), one("d", "F32")]);
  const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.equal(headerBytes % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
  assert.deepEqual(header.b.data_offsets, [0, 8]);
  assert.deepEqual(header.d.data_offsets, [8, 12]);
  assert.deepEqual(header.c.data_offsets, [12, 14]);
  assert.deepEqual(header.a.data_offsets, [14, 15]);
});

Deno.test("writeSafetensors() refuses two tensors of one name and wrong byte counts", async () => {
  const w = storedFloat32("w", [1], Float32Array.of(1));
  await assert.rejects(written([w, w]), {
    name: "RangeError",
    message: /each name must occur once/,
  });
  const short = { ...w, shape: [2] };
  await assert.rejects(written([short]), { name: "RangeError", message: /8 bytes: got 4/ });
});

const F32 = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
const HOSTILE: readonly [string, Uint8Array<ArrayBuffer>, RegExp][] = [
  ["a file of 3 bytes", new Uint8Array(3), /at least 8 bytes: got 3/],
  [
    "a header beyond the file",
    file("{}", 0, 2n ** 63n),
    /at most 2 bytes: got 9223372036854775808/,
  ],
  ["text that is not JSON", file("{]"), /JSON header/],
  ["text that is not UTF-8", file("\ud800").fill(0xff, 8), /JSON header/],
  ["a list as header", file([]), /JSON object/],
  [
    "an unknown dtype",
    file({ w: { ...F32, dtype: "F8_E4M3" } }, 4),
    /w in one of .*: got "F8_E4M3"/,
  ],
  ["a dtype from the prototype", file({ w: { ...F32, dtype: "toString" } }, 4), /w in one of/],
  ["a negative shape", file({ w: { ...F32, shape: [-1] } }, 4), /shape for w: got \[-1\]/],
  ["a fractional shape", file({ w: { ...F32, shape: [0.5] } }, 4), /shape for w/],
  [
    "a shape beyond its bytes",
    file({ w: { ...F32, shape: [2] } }, 4),
    /8 bytes for w \[2\]: got 4/,
  ],
  ["an endless shape", file({ w: { ...F32, shape: Array(99).fill(2 ** 50) } }, 4), /bytes for w/],
  ["overlapping tensors", file({ a: F32, b: F32 }, 4), /have b begin at byte 4 of the data: got 0/],
  ["a hole", file({ a: { ...F32, data_offsets: [4, 8] } }, 8), /have a begin at byte 0/],
  ["bytes behind the tensors", file({ a: F32 }, 5), /must have 4 bytes of data: got 5/],
  ["a truncated tensor", file({ a: F32 }, 3), /must have 4 bytes of data: got 3/],
  ["three offsets", file({ a: { ...F32, data_offsets: [0, 4, 4] } }, 4), /two data_offsets for a/],
  ["numbers as metadata", file({ __metadata__: { a: 1 } }), /strings in __metadata__/],
];

for (const [name, bytes, message] of HOSTILE) {
  Deno.test(`readSafetensors() refuses ${name}`, async () => {
    await assert.rejects(opened(bytes), (error: unknown) => {
      assert.ok(error instanceof CheckpointError);
      assert.equal(error.kind, "format");
      assert.match(error.message, message);
      return true;
    });
  });
}
