/** Types of columns that a caller states once: known to the compiler, checked when the frame is typed. */
import type { Column, ColumnKind, ColumnOf, NumericColumn } from "../column.ts";
import { describeNames } from "../checks.ts";
import { entryOrigin, type LazyMap } from "../lazy_map.ts";
import type { Dtype, NumericDtype, StorageNode } from "../storage.ts";

/** What a column holds: a kind, or the exact element type of a numeric one. */
export type ColumnType = ColumnKind | NumericDtype;

/** Types of columns by name. */
export type Schema = Readonly<Record<string, ColumnType>>;

/** The class of a column of a type. */
export type ColumnFor<T extends ColumnType> = ColumnType extends T ? Column
  : T extends ColumnKind ? ColumnOf[T]
  : T extends NumericDtype ? NumericColumn<T>
  : never;

/** A value of a column of a type, null where it is missing. */
export type ValueFor<T extends ColumnType> =
  | null
  | (T extends "boolean" ? boolean : T extends "string" | "categorical" ? string : number);

/** A row as an object. */
export type RecordOf<S extends Schema> = { [N in keyof S]: ValueFor<S[N]> };

/** Names that a schema knows. */
export type NameOf<S extends Schema> = keyof S & string;

/** A schema with the columns of another added or replaced; one that knows no names stays as open as it is. */
export type Extended<S extends Schema, T extends Schema> = string extends keyof S ? S
  : {
    readonly [N in keyof S | keyof T]: N extends keyof T ? T[N] : N extends keyof S ? S[N] : never;
  };

/** The schema that stating more types of columns leads to. */
export type Stated<S extends Schema, T extends Schema> = string extends keyof S ? T
  : Extended<S, T>;

const TYPES: ReadonlySet<string> = new Set([
  ...["numeric", "boolean", "string", "categorical"],
  ...["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"],
  ...["float16", "float32", "float64"],
]);

/** Type of a column. */
export function typeOf(column: Column): ColumnType {
  return column.kind === "numeric" ? column.dtype : column.kind;
}

/** Whether a column of type `found` is what `wanted` says: any numeric type is "numeric". */
function fits(found: ColumnType, wanted: ColumnType): boolean {
  const labels = found === "boolean" || found === "string" || found === "categorical";
  return found === wanted || wanted === "numeric" && !labels;
}

/** Refuses a column of another type. */
export function checkType(name: string, found: ColumnType, wanted: ColumnType): void {
  if (fits(found, wanted)) return;
  throw new TypeError(
    `Cannot read the column ${JSON.stringify(name)} as ${wanted}: it is ${found}`,
  );
}

/** Type of a column of stored elements; undefined where no column is made of them. */
function elementType(dtype: Dtype): ColumnType | undefined {
  if (dtype.kind === "numeric") return dtype.name;
  return dtype.kind === "bool" ? "boolean" : dtype.kind === "string" ? "string" : undefined;
}

/** Type of a stored column, found without reading its values; undefined where that cannot be said. */
async function storedType(node: StorageNode): Promise<ColumnType | undefined> {
  if (node.node === "array") return elementType(node.dtype);
  if (node.attribute("encoding-type") === "categorical") return "categorical";
  const values = await node.get("values");
  return values?.node === "array" ? elementType(values.dtype) : undefined;
}

/**
 * Checks columns against a schema; values are read only where the type is not known without them.
 *
 * @throws {RangeError} Where a column is missing.
 * @throws {TypeError} Where a type is no type, or a column is of another.
 */
export async function checkSchema(columns: LazyMap<Column>, schema: Schema): Promise<void> {
  const entries = new Map(columns.entries());
  for (const [name, wanted] of Object.entries(schema)) {
    if (!TYPES.has(wanted)) {
      throw new TypeError(
        `Cannot type the column ${JSON.stringify(name)} as there is no such type: ${
          describeNames(wanted, [...TYPES])
        }`,
      );
    }
    const entry = entries.get(name);
    if (entry === undefined) {
      throw new RangeError(
        `Cannot type the column ${JSON.stringify(name)} as there is none: ${
          describeNames(name, columns.keys())
        }`,
      );
    }
    const node = entryOrigin(entry);
    const stored = node === undefined ? undefined : await storedType(node);
    checkType(name, stored ?? typeOf(await entry.load()), wanted);
  }
}
