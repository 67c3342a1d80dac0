/** Deletions: conditions on cells. TileDB stores what is to be kept. */
import { ByteReader, type Place } from "./bytes.ts";
import { cellCount, type Cells } from "./cells.ts";
import type { RawArray } from "../storage.ts";
import { byteText } from "./mbrs.ts";

/** Comparisons by their numbers; the last two stand where a value cannot occur in the column. */
const COMPARISONS = {
  0: "<",
  1: "<=",
  2: ">",
  3: ">=",
  4: "==",
  5: "!=",
  6: "in",
  7: "not in",
  253: "always",
  254: "never",
} as const;

/** A comparison of a field with stored values, or a combination of conditions. */
export type Condition =
  | {
    readonly op: (typeof COMPARISONS)[keyof typeof COMPARISONS];
    readonly field: string;
    /** The value, or the values of a list, as stored; that of a column of codes is a code. */
    readonly values: readonly Uint8Array[];
  }
  | { readonly op: "and" | "or" | "not"; readonly parts: readonly Condition[] };

/** Deepest nesting of conditions. */
const DEEPEST = 64;

/** Parses a condition. */
export function parseCondition(bytes: Uint8Array, place: Place): Condition {
  return readNode(new ByteReader(bytes, place, { what: "a deletion" }), 0);
}

function readNode(reader: ByteReader, depth: number): Condition {
  if (depth > DEEPEST) throw reader.error(`conditions may be ${DEEPEST} deep`);
  if (reader.u8() === 0) {
    const op = (["and", "or", "not"] as const)[reader.u8()];
    if (op === undefined) throw reader.error("a combination must be and, or or not");
    const count = reader.count(reader.u64(), 2);
    return { op, parts: Array.from({ length: count }, () => readNode(reader, depth + 1)) };
  }
  const op = COMPARISONS[reader.u8() as keyof typeof COMPARISONS] as Comparison["op"] | undefined;
  if (op === undefined) throw reader.error("a comparison must be known");
  const field = reader.text(reader.u32());
  const data = reader.bytes(reader.u64());
  if (op !== "in" && op !== "not in") return { op, field, values: [data] };
  const starts = reader.u64s(reader.count(Math.floor(reader.u64() / 8), 8));
  const values = Array.from(
    starts,
    (start, i) => data.subarray(start, starts[i + 1] ?? data.length),
  );
  return { op, field, values };
}

/** Names of the fields that a condition reads. */
export function conditionFields(condition: Condition): string[] {
  return "parts" in condition ? condition.parts.flatMap(conditionFields) : [condition.field];
}

/** 1 where a cell is to be kept. */
export function keptCells(condition: Condition, cells: (field: string) => Cells): Uint8Array {
  if (!("parts" in condition)) return compareCells(condition, cells(condition.field));
  const parts = condition.parts.map((part) => keptCells(part, cells));
  const first = parts[0] ?? new Uint8Array(0);
  if (condition.op === "not") return first.map((kept) => 1 - kept);
  return first.map((_, i) =>
    Number(
      condition.op === "and" ? parts.every((part) => part[i]) : parts.some((part) => part[i]),
    )
  );
}

type Comparison = Exclude<Condition, { parts: readonly Condition[] }>;
type Value = number | bigint | string;

function compareCells({ op, values }: Comparison, cells: Cells): Uint8Array {
  const wanted = values.map((value) => valueOf(value, cells));
  const kept = new Uint8Array(cellCount(cells));
  for (let i = 0; i < kept.length; i++) {
    kept[i] = Number(compare(cells.valid?.[i] === 0 ? null : cellAt(cells, i), op, wanted));
  }
  return kept;
}

/** A stored value; one without bytes stands for a missing one where cells have bytes. */
function valueOf(bytes: Uint8Array, cells: Cells): Value | null {
  if (cells.kind === "variable") return byteText(bytes);
  if (bytes.length !== cells.data.BYTES_PER_ELEMENT) return null;
  const Class = cells.data.constructor as new (buffer: ArrayBuffer) => RawArray;
  return new Class(bytes.slice().buffer as ArrayBuffer)[0]!;
}

function cellAt(cells: Cells, i: number): Value {
  if (cells.kind === "fixed") return cells.data[i]!;
  return byteText(cells.bytes.subarray(cells.starts[i]!, cells.starts[i + 1]!));
}

/** A missing cell equals a missing value alone. */
function compare(
  cell: Value | null,
  op: Comparison["op"],
  wanted: readonly (Value | null)[],
): boolean {
  if (op === "always" || op === "never") return op === "always";
  const value = wanted[0] ?? null;
  if (op === "in") return cell !== null && wanted.includes(cell);
  if (op === "not in") return cell !== null && !wanted.includes(cell);
  if (value === null) return op === "==" ? cell === null : op === "!=" && cell !== null;
  if (cell === null) return false;
  switch (op) {
    case "<":
      return cell < value;
    case "<=":
      return cell <= value;
    case ">":
      return cell > value;
    case ">=":
      return cell >= value;
    case "==":
      return cell === value;
    case "!=":
      return cell !== value;
  }
}
