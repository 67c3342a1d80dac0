import assert from "node:assert/strict";
import { CheckpointError } from "../../../lib/io/errors.ts";
import { PickleFunction, type PickleValue, unpickle } from "../../../lib/io/pickle.ts";
import { bytesOf, global, int, pickle, type PicklePart, text, tuple } from "./torch_file.ts";

const HOOKS = {
  global: (name: string) =>
    name === "m.pair" ? new PickleFunction(name, ([a, b]) => [b!, a!] as PickleValue[]) : undefined,
  persistent: (id: PickleValue) => ({ id }),
};

function read(...parts: readonly PicklePart[]): PickleValue {
  return unpickle(pickle(...parts), HOOKS);
}

function refused(message: RegExp, ...parts: readonly PicklePart[]): void {
  assert.throws(() => read(...parts), (error: unknown) => {
    assert.ok(error instanceof CheckpointError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("unpickle() builds plain values", () => {
  assert.equal(read("N"), null);
  assert.deepEqual(read("(", 0x88, 0x89, "K", 7, "M", 1, 2, int(-5), "t"), [
    true,
    false,
    7,
    513,
    -5,
  ]);
  assert.equal(read("G", new Uint8Array([0x3f, 0xf8, 0, 0, 0, 0, 0, 0])), 1.5);
  assert.equal(read(0x8a, 0), 0);
  assert.equal(read(0x8a, 1, 0xff), -1);
  assert.equal(read(0x8a, 8, new Uint8Array(8).fill(0xff, 0, 7)), 2n ** 56n - 1n);
  assert.equal(read(text("Ä")), "Ä");
  assert.deepEqual(read("](", "K", 1, "K", 2, "e"), [1, 2]);
  assert.deepEqual(read("}", text("a"), "K", 1, "s"), new Map([["a", 1]]));
  assert.deepEqual(read("C", 2, 9, 8), Uint8Array.of(9, 8));
});

Deno.test("unpickle() calls allowed functions and hooks alone", () => {
  assert.deepEqual(read(global("m", "pair"), tuple("K", 1, "K", 2), "R"), [2, 1]);
  assert.deepEqual(read(text("x"), "Q"), { id: "x" });
  refused(/got os\.system; save the weights alone/, global("os", "system"));
  refused(/must call an allowed function with a tuple/, text("os.system"), ")R");
  refused(/name globals by text/, ")", text("system"), 0x93);
});

Deno.test("unpickle() keeps what is stored and recalls it", () => {
  const [first, second] = read("](", "]q", 0, "h", 0, "e") as PickleValue[][];
  assert.equal(first, second);
  assert.deepEqual(read("K", 3, "r", 0xff, 0xff, 0xff, 0xff, "0j", 0xff, 0xff, 0xff, 0xff), 3);
  refused(/must store a value before it is used: got memo 9/, "h", 9);
});

Deno.test("unpickle() refuses damaged pickles", () => {
  refused(/must not pop an empty stack/);
  refused(/leave one value: got 2/, "NN");
  refused(/set a mark first/, "t");
  refused(/must not pop an empty stack/, "N(0"); // values below a mark belong to nobody
  refused(/append to a list: got a list or tuple/, ")", "N", "a"); // tuples do not grow
  refused(/set items of a dict/, "N(", "u");
  refused(/set items of a dict/, "}(", "N", "u");
  refused(/set attributes of dicts alone/, "N", "}", "b");
  refused(/known opcodes: got 0x49 at 2/, "I1\n");
  refused(/hold all its bytes/, "X", 0xff, 0xff, 0xff, 0xff, "a");
  refused(/hold all its bytes/, 0x8d, new Uint8Array(8).fill(0xff), "a");
  refused(/integers of at most 16 bytes: got 4294967295/, 0x8b, 0xff, 0xff, 0xff, 0xff);
  refused(/text must be UTF-8/, 0x8c, 1, 0xff);
  refused(/end its lines/, "cos");
  assert.throws(() => unpickle(bytesOf(0x80, 0, "N."), HOOKS), /protocol 2 to 5: got 0/);
  assert.throws(() => unpickle(bytesOf(0x80, 2, "N"), HOOKS), /hold all its bytes/);
});

Deno.test("unpickle() takes deep and self-containing values without recursion", () => {
  const depth = 200_000;
  const deep = read(new Uint8Array(depth).fill(0x5d), new Uint8Array(depth - 1).fill(0x61));
  assert.ok(Array.isArray(deep));
  const own = read("]q", 0, "h", 0, "a") as PickleValue[];
  assert.equal(own[0], own);
});

Deno.test("unpickle() names values without expanding them", () => {
  // Thirty lists of twice the one before: a billion elements if any message wrote them out.
  const laughs: PicklePart[] = ["]q", 0];
  for (let i = 0; i < 30; i++) laughs.push("](", "h", i, "h", i, "eq", i + 1);
  refused(/name globals by text: got a list or tuple/, ...laughs, text("system"), 0x93);
  refused(/leave one value/, ...laughs);
});
