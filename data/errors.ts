/** What is wrong with stored data, for code that wants to react: see {@linkcode FormatError.kind}. */
export type FormatErrorKind =
  /** The bytes are not an HDF5 file. */
  | "not-hdf5"
  /** The store holds no zarr group, or none that can be listed. */
  | "not-zarr"
  /** The file ends before its own header says it does. */
  | "truncated"
  /** The data are compressed with a filter or codec that is not available here. */
  | "missing-filter"
  /** A key that the format requires is absent. */
  | "missing-key"
  /** The encoding or element type is not one that can be read or written. */
  | "encoding"
  /** The stored values break a rule of their encoding. */
  | "value"
  /** Reading takes more memory than is allowed. */
  | "memory";

/** Where and why a {@linkcode FormatError} happened. */
export interface FormatErrorOptions extends ErrorOptions {
  /** Path, URL or name of the file. */
  readonly file: string;
  /** Key inside the file such as `obs/cell_type`; the root is `/`. */
  readonly key: string;
}

/** A failure to read or write stored data that says which key of which file it is about. */
export class FormatError extends Error {
  /** Tag of this class, for checks across realms. */
  readonly tag = "FormatError";
  /** The reason as data. */
  readonly kind: FormatErrorKind;
  /** Path, URL or name of the file. */
  readonly file: string;
  /** Key inside the file; the root is `/`. */
  readonly key: string;

  /** Makes the error; the place is appended to `message`, which says the act, the rule and the value. */
  constructor(kind: FormatErrorKind, message: string, options: FormatErrorOptions) {
    super(`${message} (key ${options.key} of ${options.file})`, options);
    this.name = "FormatError";
    this.kind = kind;
    this.file = options.file;
    this.key = options.key;
  }
}
