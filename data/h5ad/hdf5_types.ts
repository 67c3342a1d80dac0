/** Element types as h5wasm describes them. */

/** The WebAssembly module inside h5wasm. */
export type H5Module = Awaited<typeof import("h5wasm")["ready"]>;

/** Description of an element type and, for data sets, of shape and chunks. */
export type H5Type = ReturnType<H5Module["get_dataset_metadata"]>;

/** `H5T_class_t` of hdf5.h. */
export const H5T = { integer: 0, float: 1, string: 3, compound: 6 } as const;

/** Whether elements hold texts of any length. */
export function holdsPointers(type: Partial<H5Type>): boolean {
  return type.vlen === true || (type.compound_type?.members ?? []).some(holdsPointers);
}
