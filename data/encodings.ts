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
type Encoding = { readonly [R in keyof Roles]?: Reader<Roles[R]> };

/** Reads a sparse matrix whose shape is an attribute of its group. */
function sparse(format: "csr" | "csc", shapeName: string): Encoding {
  const matrix = async (node: StorageNode): Promise<Matrix> => {
    const group = asGroup(node);
    const shape = node.attribute(shapeName);
    if (!Array.isArray(shape)) {
      throw new FormatError(
        "missing-key",
        `Cannot read the matrix as it has no ${shapeName}`,
        node,
      );
    }
    return await openSparse(group, { format, shape: shape.map(Number) });
  };
  return { matrix, value: matrix };
}

// deno-lint-ignore require-await -- readers reject rather than throw
const dense: Reader<Matrix> = async (node) => storedDense(asArray(node));

const text: Encoding = { column: readArrayColumn, value: readArrayValue };
const nullable: Encoding = { column: readNullable, value: readNullable };

/** Every encoding that can be read; what lacks an encoding gets its key from `legacyKey`. */
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  "array/0.2.0": { matrix: dense, column: readArrayColumn, value: readArrayValue },
  "string-array/0.2.0": text,
  "nullable-string-array/0.1.0": nullable,
  "nullable-integer/0.1.0": nullable,
  "nullable-boolean/0.1.0": nullable,
  "categorical/0.2.0": { column: readCategorical, value: readCategorical },
  "csr_matrix/0.1.0": sparse("csr", "shape"),
  "csc_matrix/0.1.0": sparse("csc", "shape"),
  "dataframe/0.2.0": { frame: readTable, value: readTable },
  "dataframe/0.1.0": { frame: readTable, value: readTable },
  "awkward-array/0.1.0": { awkward: readAwkward, value: readAwkward },
  "dict/0.1.0": { value: readDict },
  "rec-array/0.2.0": { frame: readStructFrame, value: readArrayValue },
  "string/0.2.0": { value: readArrayValue },
  "numeric-scalar/0.2.0": { value: readArrayValue },
  "null/0.1.0": { value: readNull },
  "legacy/csr": sparse("csr", "h5sparse_shape"),
  "legacy/csc": sparse("csc", "h5sparse_shape"),
  "legacy/dict": { value: readDict },
  "legacy/table": { frame: readStructFrame, value: readArrayValue },
  "legacy/array": { matrix: dense, column: readArrayColumn, value: readArrayValue },
};

/** The node as a group; throws where it is an array. */
export function asGroup(node: StorageNode): StorageGroup {
  if (node.node === "group") return node;
  throw new FormatError(
    "encoding",
    "Cannot read the node as it must be a group: it is an array",
    node,
  );
}

/** The node as an array; throws where it is a group. */
function asArray(node: StorageNode): StorageArray {
  if (node.node === "array") return node;
  throw new FormatError(
    "encoding",
    "Cannot read the node as it must be an array: it is a group",
    node,
  );
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
  const reader = ENCODINGS[key]?.[role];
  if (reader === undefined) {
    const known = Object.keys(ENCODINGS).filter((name) =>
      ENCODINGS[name]![role] !== undefined && !name.startsWith("legacy/")
    );
    throw new FormatError(
      "encoding",
      `Cannot read a ${role} as its encoding must be one of ${known.join(", ")}: got ${key}`,
      node,
    );
  }
  return await reader(node, readAs);
};
