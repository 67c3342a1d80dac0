/** Element types: HDF5 File Format Specification, IV.A.2.d. */
import type { Dtype, NumericDtype } from "../storage.ts";
import { Damage, Fields } from "./fields.ts";

/** An element type as it is stored. */
export type Datatype =
  | {
    readonly kind: "number";
    readonly size: number;
    readonly name: NumericDtype;
    readonly big: boolean;
  }
  | { readonly kind: "bool"; readonly size: number }
  | { readonly kind: "fixed-string"; readonly size: number; readonly blanks: boolean }
  | { readonly kind: "string"; readonly size: number }
  | { readonly kind: "struct"; readonly size: number; readonly members: readonly Member[] }
  | {
    readonly kind: "array";
    readonly size: number;
    readonly base: Datatype;
    readonly shape: readonly number[];
  }
  | { readonly kind: "unsupported"; readonly size: number; readonly name: string };

/** A member of a struct. */
export interface Member {
  /** Its name. */
  readonly name: string;
  /** Its place in an element. */
  readonly offset: number;
  /** Its type. */
  readonly type: Datatype;
}

/** How deep types may be nested. */
const DEEPEST = 16;

/** What the first eight bytes say. */
interface Head {
  readonly version: number;
  readonly class: number;
  /** The class bits. */
  readonly bits: number;
  readonly size: number;
}

type Parser = (fields: Fields, head: Head, depth: number) => Datatype;

function unsupported(size: number, name: string): Datatype {
  return { kind: "unsupported", size, name };
}

const integer: Parser = (fields, { bits, size }) => {
  const [offset, precision] = [fields.u16(), fields.u16()];
  const name = `${bits & 8 ? "int" : "uint"}${size * 8}`;
  if (![1, 2, 4, 8].includes(size)) return unsupported(size, `number of ${size} bytes`);
  if (offset !== 0 || precision !== size * 8) {
    return unsupported(size, `integer of ${precision} bits in ${size} bytes`);
  }
  return { kind: "number", size, name: name as NumericDtype, big: (bits & 1) !== 0 };
};

/** Bits of the exponent and the fraction of IEEE's numbers, by size. */
const IEEE: Readonly<Record<number, readonly [number, number]>> = {
  2: [5, 10],
  4: [8, 23],
  8: [11, 52],
};

const float: Parser = (fields, { bits, size }) => {
  fields.skip(5);
  const exponent = fields.u8();
  fields.skip(1);
  const fraction = fields.u8();
  fields.skip(4);
  const [e, f] = IEEE[size] ?? [];
  if (exponent !== e || fraction !== f || (bits & 0x40) !== 0) {
    return unsupported(size, `number of ${size} bytes`);
  }
  return { kind: "number", size, name: `float${size * 8}` as NumericDtype, big: (bits & 1) !== 0 };
};

/** Names end with NUL; before version 3 they are padded to 8 bytes. */
function memberName(fields: Fields, version: number): string {
  const start = fields.at;
  const name = fields.terminated();
  if (version < 3) fields.skip((8 - (fields.at - start) % 8) % 8);
  return name;
}

/** The axes that version 1 keeps with the member instead of an array type. */
function oldShape(fields: Fields): number[] {
  const rank = fields.u8();
  fields.skip(11);
  const shape = [fields.u32(), fields.u32(), fields.u32(), fields.u32()];
  if (rank > 4) throw new Damage("a member has more than four axes");
  return shape.slice(0, rank);
}

const compound: Parser = (fields, { version, bits, size }, depth) => {
  const members: Member[] = [];
  const width = Math.max(1, Math.ceil(Math.log2(size + 1) / 8));
  for (let k = bits & 0xffff; k > 0; k--) {
    const name = memberName(fields, version);
    const offset = version < 3 ? fields.u32() : fields.uint(width);
    const shape = version === 1 ? oldShape(fields) : [];
    const element = parse(fields, depth + 1);
    const type = shape.length === 0 ? element : arrayOf(element, shape);
    if (offset + type.size > size) throw new Damage(`the member ${name} goes beyond its element`);
    members.push({ name, offset, type });
  }
  return { kind: "struct", size, members };
};

function arrayOf(base: Datatype, shape: readonly number[]): Datatype {
  const size = shape.reduce((product, length) => product * length, base.size);
  return { kind: "array", size, base, shape };
}

const enumeration: Parser = (fields, { version, bits, size }, depth) => {
  const base = parse(fields, depth + 1);
  const count = bits & 0xffff;
  const names = Array.from({ length: count }, () => memberName(fields, version));
  const values = fields.bytes(count * base.size);
  if (base.size !== size) throw new Damage("an enumeration differs in size from its numbers");
  // h5py's booleans: one byte with FALSE = 0 and TRUE = 1.
  const isBool = size === 1 && count === 2 && names[values.indexOf(0)] === "FALSE" &&
    names[values.indexOf(1)] === "TRUE";
  return isBool ? { kind: "bool", size } : base; // else the numbers that the names stand for
};

const variable: Parser = (fields, { bits, size }, depth) => {
  parse(fields, depth + 1);
  return (bits & 15) === 1 ? { kind: "string", size } : unsupported(size, "sequence of any length");
};

const array: Parser = (fields, { version, size }, depth) => {
  const rank = fields.u8();
  if (version < 3) fields.skip(3);
  const shape = Array.from({ length: rank }, () => fields.u32());
  if (version < 3) fields.skip(4 * rank);
  const type = arrayOf(parse(fields, depth + 1), shape);
  if (type.size !== size) throw new Damage("an array type differs in size from its elements");
  return type;
};

/** Classes of types; others are known by name alone. */
const CLASSES: readonly Parser[] = [
  integer,
  float,
  (_, { size }) => unsupported(size, "time"),
  (_, { bits, size }) => ({ kind: "fixed-string", size, blanks: (bits & 15) === 2 }),
  (_, { size }) => unsupported(size, "bit field"),
  (_, { size }) => unsupported(size, "opaque"),
  compound,
  (_, { size }) => unsupported(size, "reference"),
  enumeration,
  variable,
  array,
  (fields, { size }, depth) => (parse(fields, depth + 1), unsupported(size, "complex number")),
];

/** Bytes of properties that follow a type whose parser does not read them, so that it can be a member of another. */
function skipRest(fields: Fields, { class: kind, bits }: Head): void {
  if (kind === 2) fields.skip(2);
  if (kind === 4) fields.skip(4);
  if (kind === 5) fields.skip(bits & 0xff);
}

function parse(fields: Fields, depth: number): Datatype {
  if (depth > DEEPEST) throw new Damage("a type is nested too deep");
  const first = fields.u8();
  const bits = fields.uint(3);
  const head = { version: first >> 4, class: first & 15, bits, size: fields.u32() };
  const parser = CLASSES[head.class];
  if (parser === undefined || head.version < 1 || head.version > 5) {
    throw new Damage(`types of class ${head.class} in version ${head.version} are not known`);
  }
  if (head.size === 0) throw new Damage("an element has no bytes");
  const type = parser(fields, head, depth);
  skipRest(fields, head);
  return type;
}

/** The element type of a message. */
export function parseDatatype(bytes: Uint8Array): Datatype {
  return parse(new Fields(bytes), 0);
}

/** The element type in the terms of `storage.ts`. */
export function dtypeOf(type: Datatype): Dtype {
  switch (type.kind) {
    case "number":
      return { kind: "numeric", name: type.name };
    case "bool":
      return { kind: "bool" };
    case "fixed-string":
    case "string":
      return { kind: "string" };
    case "struct":
      return structDtype(type.members);
    case "array":
      return { kind: "unsupported", name: "array" };
    case "unsupported":
      return { kind: "unsupported", name: type.name };
  }
}

function structDtype(members: readonly Member[]): Dtype {
  const fields = members.map(({ name, type }) => ({
    name,
    dtype: dtypeOf(type.kind === "array" ? type.base : type),
    shape: type.kind === "array" ? type.shape : [],
  }));
  const bad = fields.find(({ dtype }) => dtype.kind === "unsupported");
  if (bad !== undefined) return { kind: "unsupported", name: `compound with field ${bad.name}` };
  return { kind: "struct", fields };
}
