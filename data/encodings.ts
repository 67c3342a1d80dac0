/**
 * The one registry of anndata's on-disk encodings, keyed by `encoding-type/encoding-version`:
 * https://anndata.readthedocs.io/en/stable/fileformat-prose.html. It knows only groups and arrays, not HDF5.
 */
import { FormatError } from "./errors.ts";
import { legacyKey } from "./encoding_legacy.ts";
import type { Read, Reader, Roles } from "./encoding_roles.ts";
import {
  readArrayColumn,
  readCategorical,
  readNullable,
  readStructFrame,
  readTable,
} from "./encoding_frame.ts";
import { readArrayValue, readAwkward, readDict, readNull } from "./encoding_value.ts";
import { openSparse, storedDense } from "./matrix_stored.ts";
import type { Matrix } from "./matrix.ts";
import type { StorageArray, StorageGroup, StorageNode } from "./storage.ts";

/** What an encoding can be read as. */
type Readers = { readonly [R in keyof Roles]?: Reader<Roles[R]> };

/** An encoding. */
interface Encoding {
  /** What its node is; undefined where that may be either. */
  readonly node?: "group" | "array";
  /** What it can be read as. */
  readonly readers: Readers;
}

/** An encoding of groups. */
const group = (readers: Readers): Encoding => ({ node: "group", readers });

/** An encoding of arrays. */
const arrays = (readers: Readers): Encoding => ({ node: "array", readers });

/** Reads a sparse matrix whose shape is an attribute of its group. */
function sparse(format: "csr" | "csc", shapeName: string): Encoding {
  const matrix = async (node: StorageNode): Promise<Matrix> => {
    const shape = node.attribute(shapeName);
    if (!Array.isArray(shape)) {
      throw new FormatError(
        "missing-key",
        `Cannot read the matrix as it has no ${shapeName}`,
        node,
      );
    }
    return await openSparse(node as StorageGroup, { format, shape: shape.map(Number) });
  };
  return group({ matrix, value: matrix });
}

// deno-lint-ignore require-await -- readers reject rather than throw
const dense: Reader<Matrix> = async (node) => storedDense(node as StorageArray);

const array = arrays({ matrix: dense, column: readArrayColumn, value: readArrayValue });
const text = arrays({ column: readArrayColumn, value: readArrayValue });
const scalar = arrays({ value: readArrayValue });
const struct = arrays({ frame: readStructFrame, value: readArrayValue });
const nullable = group({ column: readNullable, value: readNullable });
const table = group({ frame: readTable, value: readTable });
const dict = group({ value: readDict });

/** Every encoding that can be read; what lacks an encoding gets its key from `legacyKey`. */
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  "array/0.2.0": array,
  "string-array/0.2.0": text,
  "nullable-string-array/0.1.0": nullable,
  "nullable-integer/0.1.0": nullable,
  "nullable-boolean/0.1.0": nullable,
  "categorical/0.2.0": group({ column: readCategorical, value: readCategorical }),
  "csr_matrix/0.1.0": sparse("csr", "shape"),
  "csc_matrix/0.1.0": sparse("csc", "shape"),
  "dataframe/0.2.0": table,
  "dataframe/0.1.0": table,
  "awkward-array/0.1.0": group({ awkward: readAwkward, value: readAwkward }),
  "dict/0.1.0": dict,
  "rec-array/0.2.0": struct,
  "string/0.2.0": scalar,
  "numeric-scalar/0.2.0": scalar,
  "null/0.1.0": { readers: { value: readNull } },
  "legacy/csr": sparse("csr", "h5sparse_shape"),
  "legacy/csc": sparse("csc", "h5sparse_shape"),
  "legacy/dict": dict,
  "legacy/table": struct,
  "legacy/array": array,
};

/** Refuses a node that is not of the kind that is needed. */
function checkKind(node: StorageNode, kind: "group" | "array"): void {
  if (kind === node.node) return;
  const [wanted, found] = kind === "group" ? ["a group", "an array"] : ["an array", "a group"];
  const reason = `Cannot read the node as it must be ${wanted}: it is ${found}`;
  throw new FormatError("encoding", reason, node);
}

/** The node as a group; throws where it is an array. */
export function asGroup(node: StorageNode): StorageGroup {
  checkKind(node, "group");
  return node as StorageGroup;
}

/** Key of the node's encoding in the registry. */
export function encodingKey(node: StorageNode): string {
  const type = node.attribute("encoding-type");
  if (type === undefined || type === "") return legacyKey(node);
  return `${type}/${node.attribute("encoding-version")}`;
}

/**
 * Reads a node as what the caller needs.
 *
 * @param role Matrix, column, frame, or any value.
 * @param node The stored node.
 * @throws {FormatError} "encoding" where the encoding is not known or is not one of that role.
 */
export const readAs: Read = async (role, node) => {
  const key = encodingKey(node);
  const reader = ENCODINGS[key]?.readers[role];
  if (reader === undefined) {
    const known = Object.keys(ENCODINGS).filter((name) =>
      ENCODINGS[name]!.readers[role] !== undefined && !name.startsWith("legacy/")
    );
    throw new FormatError(
      "encoding",
      `Cannot read a ${role} as its encoding must be one of ${known.join(", ")}: got ${key}`,
      node,
    );
  }
  const { node: kind } = ENCODINGS[key]!;
  if (kind !== undefined) checkKind(node, kind);
  return await reader(node, readAs);
};
