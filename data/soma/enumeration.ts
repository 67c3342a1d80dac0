/** The values that the codes of a column stand for. */
import { ByteReader, corrupt, type Place } from "./bytes.ts";
import { type Datatype, datatypeOf, elementsOf } from "./datatype.ts";

/** The values of an enumeration. */
export interface Enumeration {
  /** Whether the order of the values means something. */
  readonly ordered: boolean;
  /** Element type of the values: "string_utf8", "int32". */
  readonly type: string;
  /** The values in the order of their codes. */
  readonly values: readonly (string | number | bigint | boolean)[];
}

/** Parses the file of an enumeration. */
export function parseEnumeration(bytes: Uint8Array, place: Place): Enumeration {
  const reader = new ByteReader(bytes, place, { what: "an enumeration" });
  reader.u32(); // version of its own
  reader.text(reader.u32()); // name
  reader.text(reader.u32()); // path
  const type = datatypeOf(reader.u8(), place);
  const cellLength = reader.u32();
  const ordered = reader.u8() !== 0;
  const data = reader.left === 0 ? new Uint8Array(0) : reader.bytes(reader.u64());
  if (cellLength !== 0xffffffff) {
    return { ordered, type: type.name, values: fixedValues(data, type, cellLength) };
  }
  const starts = reader.left === 0 ? [] : reader.u64s(readCount(reader));
  return { ordered, type: type.name, values: textValues(data, starts, place) };
}

function readCount(reader: ByteReader): number {
  const bytes = reader.u64();
  if (bytes % 8 !== 0) throw reader.error(`starts must be whole words: got ${bytes} bytes`);
  return bytes / 8;
}

function fixedValues(data: Uint8Array, type: Datatype, cellLength: number): Enumeration["values"] {
  if (type.kind === "text" || type.kind === "bytes") {
    const size = cellLength * type.size;
    return Array.from(
      { length: Math.floor(data.length / size) },
      (_, i) => new TextDecoder().decode(data.subarray(i * size, (i + 1) * size)),
    );
  }
  const values = Array.from<number | bigint>(elementsOf(data.slice(), type));
  if (type.kind === "bool") return values.map(Boolean);
  return values.map((value) =>
    Number.isSafeInteger(Number(value)) || typeof value === "number" ? Number(value) : value
  );
}

function textValues(data: Uint8Array, starts: ArrayLike<number>, place: Place): string[] {
  const decoder = new TextDecoder();
  return Array.from({ length: starts.length }, (_, i) => {
    const [start, end] = [starts[i]!, starts[i + 1] ?? data.length];
    if (start > end || end > data.length) {
      throw corrupt(`Cannot read value ${i} of an enumeration as it must end in the file`, place);
    }
    return decoder.decode(data.subarray(start, end));
  });
}
