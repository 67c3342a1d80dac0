/**
 * A pickle reader that runs no code: it builds plain containers, numbers and text, and calls only the functions that its
 * caller lists. Opcodes: those that Python's pickler writes in protocols 2 to 5 for such data.
 */
import { CheckpointError } from "./errors.ts";

/** A Python value: dict as Map, list and tuple as array, None as null, int as number or (past 2^53) bigint. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array<ArrayBuffer>
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleFunction
  | object;

/** Stands for a Python function or class that the caller allows. */
export class PickleFunction {
  /** Name in Python, with its module. */
  readonly name: string;
  /** What the call gives. */
  readonly call: (args: readonly PickleValue[]) => PickleValue;

  /** Makes the stand-in. */
  constructor(name: string, call: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.call = call;
  }
}

/** What a pickle may refer to outside itself. */
export interface PickleHooks {
  /** What a global stands for: undefined refuses it. */
  readonly global: (qualifiedName: string) => PickleValue | undefined;
  /** What a persistent id stands for. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

/** Larger pickles hold no state dict: the released model's has 30 kB. */
const MAX_PICKLE_BYTES = 2 ** 26;

/**
 * Reads one pickle.
 *
 * @param bytes The pickle
 * @param hooks What it may refer to
 * @returns The value it builds
 * @throws {CheckpointError} Of kind "unsafe" for a global that is not allowed, "format" for damaged bytes
 */
export function unpickle(bytes: Uint8Array, hooks: PickleHooks): PickleValue {
  if (bytes.length > MAX_PICKLE_BYTES) {
    fail(`must have at most ${MAX_PICKLE_BYTES} bytes`, bytes.length);
  }
  return new Unpickler(bytes, hooks).run();
}

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #hooks: PickleHooks;
  readonly #memo = new Map<number, PickleValue>();
  readonly #marks: number[] = [];
  #stack: PickleValue[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, hooks: PickleHooks) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#hooks = hooks;
  }

  run(): PickleValue {
    while (true) {
      const opcode = this.#uint(1);
      if (opcode === STOP) {
        const value = this.pop();
        return this.#stack.length === 0
          ? value
          : fail("must leave one value", this.#stack.length + 1);
      }
      const step = STEPS[opcode];
      if (step === undefined) {
        fail("must use known opcodes", `0x${opcode.toString(16)} at ${this.#at - 1}`);
      }
      step(this);
    }
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length <= floor) fail("must not pop an empty stack", `byte ${this.#at - 1}`);
    return this.#stack.pop()!;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    return mark === undefined
      ? fail("must set a mark first", `byte ${this.#at - 1}`)
      : this.#stack.splice(mark);
  }

  /** The next n values from the stack's top, in the order pushed. */
  popMany(n: number): PickleValue[] {
    const values = new Array<PickleValue>(n);
    for (let i = n - 1; i >= 0; i--) values[i] = this.pop();
    return values;
  }

  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  memoize(index = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    this.push(
      value === undefined ? fail("must store a value before it is used", `memo ${index}`) : value,
    );
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list) || Object.isFrozen(list)) fail("must append to a list", kindOf(list));
    for (const value of values) list.push(value);
  }

  setItems(pairs: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) {
      fail("must set items of a dict", kindOf(dict));
    }
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i]!, pairs[i + 1]!);
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== "string" || typeof name !== "string") {
      return fail("must name globals by text", kindOf(module));
    }
    const qualified = `${module}.${name}`;
    const value = this.#hooks.global(qualified);
    if (value !== undefined) return this.push(value);
    throw new CheckpointError(
      "unsafe",
      `Cannot read the pickle as it may name only what tensors need: got ${qualified}; ` +
        "save the weights alone by torch.save(model.state_dict(), path), or as safetensors",
    );
  }

  reduce(): void {
    const args = this.pop(), callee = this.pop();
    if (!(callee instanceof PickleFunction) || !Array.isArray(args)) {
      fail("must call an allowed function with a tuple", kindOf(callee));
    }
    this.push(callee.call(args));
  }

  /** Attributes are set on ordered dicts alone (the state dict's `_metadata`), where they mean nothing to us. */
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map)) {
      fail("must set attributes of dicts alone", kindOf(this.top()));
    }
  }

  persistent(): void {
    this.push(this.#hooks.persistent(this.pop()));
  }

  uint(width: 1 | 2 | 4): number {
    return this.#uint(width);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8)); // big-endian in pickles
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  text(length: number): string {
    return decode(this.bytes(length));
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** Text up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) fail("must end its lines", "the end of the file");
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  /** A little-endian two's-complement integer. */
  long(length: number): number | bigint {
    if (length > 16) fail("must have integers of at most 16 bytes", length);
    const value = this.bytes(length).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #uint(width: 1 | 2 | 4): number {
    const at = this.#take(width);
    if (width === 1) return this.#view.getUint8(at);
    return width === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  /** Moves past `length` bytes and returns where they begin. */
  #take(length: number): number {
    const at = this.#at;
    if (!(length >= 0 && at + length <= this.#bytes.length)) {
      fail("must hold all its bytes", `${this.#bytes.length}, wanted ${length} at ${at}`);
    }
    this.#at += length;
    return at;
  }
}

const STOP = 0x2e;

/** What each opcode does, under its name in Python's pickletools. */
const STEPS: { readonly [opcode: number]: (state: Unpickler) => void } = {
  0x80: (s) => protocol(s.uint(1)), // PROTO
  0x95: (s) => void s.bytes(8), // FRAME
  0x28: (s) => s.mark(), // MARK
  0x30: (s) => void s.pop(), // POP
  0x31: (s) => void s.popToMark(), // POP_MARK
  0x32: (s) => s.push(s.top()), // DUP
  0x4e: (s) => s.push(null), // NONE
  0x88: (s) => s.push(true), // NEWTRUE
  0x89: (s) => s.push(false), // NEWFALSE
  0x4a: (s) => s.push(s.int32()), // BININT
  0x4b: (s) => s.push(s.uint(1)), // BININT1
  0x4d: (s) => s.push(s.uint(2)), // BININT2
  0x8a: (s) => s.push(s.long(s.uint(1))), // LONG1
  0x8b: (s) => s.push(s.long(s.uint(4))), // LONG4
  0x47: (s) => s.push(s.float64()), // BINFLOAT
  0x58: (s) => s.push(s.text(s.uint(4))), // BINUNICODE
  0x8c: (s) => s.push(s.text(s.uint(1))), // SHORT_BINUNICODE
  0x8d: (s) => s.push(s.text(s.uint64())), // BINUNICODE8
  0x54: (s) => s.push(s.text(s.uint(4))), // BINSTRING
  0x55: (s) => s.push(s.text(s.uint(1))), // SHORT_BINSTRING
  0x42: (s) => s.push(s.bytes(s.uint(4))), // BINBYTES
  0x43: (s) => s.push(s.bytes(s.uint(1))), // SHORT_BINBYTES
  0x7d: (s) => s.push(new Map()), // EMPTY_DICT
  0x5d: (s) => s.push([]), // EMPTY_LIST
  0x29: (s) => s.push(tuple([])), // EMPTY_TUPLE
  0x74: (s) => s.push(tuple(s.popToMark())), // TUPLE
  0x85: (s) => s.push(tuple(s.popMany(1))), // TUPLE1
  0x86: (s) => s.push(tuple(s.popMany(2))), // TUPLE2
  0x87: (s) => s.push(tuple(s.popMany(3))), // TUPLE3
  0x61: (s) => s.append(s.popMany(1)), // APPEND
  0x65: (s) => s.append(s.popToMark()), // APPENDS
  0x73: (s) => s.setItems(s.popMany(2)), // SETITEM
  0x75: (s) => s.setItems(s.popToMark()), // SETITEMS
  0x71: (s) => s.memoize(s.uint(1)), // BINPUT
  0x72: (s) => s.memoize(s.uint(4)), // LONG_BINPUT
  0x94: (s) => s.memoize(), // MEMOIZE
  0x68: (s) => s.recall(s.uint(1)), // BINGET
  0x6a: (s) => s.recall(s.uint(4)), // LONG_BINGET
  0x63: (s) => s.global(s.line(), s.line()), // GLOBAL
  0x93: (s) => s.global(...s.popMany(2) as [PickleValue, PickleValue]), // STACK_GLOBAL
  0x52: (s) => s.reduce(), // REDUCE
  0x62: (s) => s.build(), // BUILD
  0x51: (s) => s.persistent(), // BINPERSID
};

/** Tuples are frozen so that appending to one fails. */
function tuple(values: PickleValue[]): PickleValue[] {
  return Object.freeze(values) as PickleValue[];
}

function protocol(version: number): void {
  if (version < 2 || version > 5) fail("must be of protocol 2 to 5", version);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointError("format", "Cannot read the pickle as its text must be UTF-8", {
      cause,
    });
  }
}

function kindOf(value: PickleValue): string {
  if (value === null) return "None";
  if (Array.isArray(value)) return "a list or tuple";
  return value instanceof PickleFunction ? value.name : typeof value;
}

function fail(rule: string, got: unknown): never {
  throw new CheckpointError("format", `Cannot read the pickle as it ${rule}: got ${got}`);
}
