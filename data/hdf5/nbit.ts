/** HDF5's nbit: the bits of elements that mean something, one after the other: H5Znbit.c. */
import { checkLength, type Codec } from "../codecs/codec.ts";
import { BitReader } from "./bit_reader.ts";

/** Classes of types in the filter's parameters. */
const ATOMIC = 1;
const ARRAY = 2;
const COMPOUND = 3;
const WHOLE = 4;

/** Bits that go into a byte of an element. */
interface Step {
  readonly at: number;
  readonly bits: number;
  readonly shift: number;
}

/** Most bytes of an element: beyond it are no types but damage. */
const MOST = 1 << 16;

/** Types inside types that are followed. */
const DEEPEST = 32;

/** Reads parameters, which describe a type as a tree. */
class TypeReader {
  readonly #values: readonly number[];
  #at = 4;

  /** Starts at the size of the type. */
  constructor(values: readonly number[]) {
    this.#values = values;
  }

  #next(): number {
    const value = this.#values[this.#at++];
    if (value === undefined) throw new RangeError("its parameters end too early");
    return value;
  }

  /** Steps for a type whose size comes next. */
  type(kind: number | undefined, depth = 0): { readonly size: number; readonly steps: Step[] } {
    const size = this.#next();
    if (depth > DEEPEST) throw new RangeError(`its types are more than ${DEEPEST} deep`);
    if (size === 0 || size > MOST) throw new RangeError(`its elements have ${size} bytes`);
    if (kind === ATOMIC) return { size, steps: this.#atomic(size) };
    if (kind === ARRAY) return { size, steps: this.#array(size, depth + 1) };
    if (kind === COMPOUND) return { size, steps: this.#compound(size, depth + 1) };
    if (kind !== WHOLE) throw new RangeError(`its type is not known: got ${kind}`);
    return { size, steps: Array.from({ length: size }, (_, at) => ({ at, bits: 8, shift: 0 })) };
  }

  /** A number: the highest byte comes first. */
  #atomic(size: number): Step[] {
    const [order, precision, offset] = [this.#next(), this.#next(), this.#next()];
    if (precision === 0 || precision + offset > size * 8) {
      throw new RangeError(`${precision} bits from ${offset} on are no number of ${size} bytes`);
    }
    const steps: Step[] = [];
    for (let end = precision + offset; end > offset;) {
      const start = Math.max(offset, Math.floor((end - 1) / 8) * 8);
      const byte = Math.floor(start / 8);
      const at = order === 1 ? size - 1 - byte : byte;
      steps.push({ at, bits: end - start, shift: start % 8 });
      end = start;
    }
    return steps;
  }

  #array(size: number, depth: number): Step[] {
    const kind = this.#next();
    const item = this.type(kind, depth);
    const steps: Step[] = [];
    for (let from = 0; from + item.size <= size; from += item.size) {
      for (const step of item.steps) steps.push({ ...step, at: step.at + from });
    }
    return steps;
  }

  #compound(size: number, depth: number): Step[] {
    const members = this.#next();
    const steps: Step[] = [];
    let used = 0;
    for (let member = 0; member < members; member++) {
      const [from, kind] = [this.#next(), this.#next()];
      const part = this.type(kind, depth);
      used += part.size;
      if (used > size || from + part.size > size) throw new RangeError("its members do not fit");
      for (const step of part.steps) steps.push({ ...step, at: step.at + from });
    }
    return steps;
  }
}

/**
 * The codec of a filter.
 *
 * @param values Their number, whether nothing was packed, elements of a chunk, class and size of their type, and what describes it.
 */
export function loadNbit(values: readonly number[]): Codec {
  return (chunk, expected) => {
    const [, untouched = 0, count = 0, kind] = values;
    if (untouched !== 0) return chunk;
    const { size, steps } = new TypeReader(values).type(kind);
    const length = count * size;
    checkLength(length, expected);
    const bits = steps.reduce((sum, step) => sum + step.bits, 0);
    if (count * bits > chunk.length * 8) throw new RangeError("it ends too early");
    const out = new Uint8Array(length);
    const reader = new BitReader(chunk, 0);
    for (let from = 0; from < length; from += size) {
      for (const { at, bits, shift } of steps) out[from + at]! |= reader.take(bits) << shift;
    }
    return out;
  };
}
