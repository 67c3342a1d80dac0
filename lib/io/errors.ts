/** The error of checkpoints: what is wrong as data, for callers that show it or react to it. */
import type { StateDictReport } from "./checkpoint.ts";

/** What went wrong with a checkpoint. */
export type CheckpointErrorKind =
  /** The bytes are not what the format says. */
  | "format"
  /** A form of checkpoint, or of tensor in it, that is not read here. */
  | "unsupported"
  /** The file asks to call or build something that no checkpoint needs. */
  | "unsafe"
  /** The tensors are not those of the model. */
  | "mismatch"
  /** A file of a model folder is not there. */
  | "missing-file";

/** A checkpoint that cannot be read, or that does not fit the model. */
export class CheckpointError extends Error {
  /** Tag of this class, for checks across realms. */
  readonly tag = "CheckpointError";
  /** The reason as data. */
  readonly kind: CheckpointErrorKind;
  /** Every tensor that is missing, extra or misshapen, when kind is "mismatch". */
  readonly report: StateDictReport | undefined;

  /** Makes the error; `message` says the act, the rule, the value and the place. */
  constructor(
    kind: CheckpointErrorKind,
    message: string,
    options: ErrorOptions & { readonly report?: StateDictReport } = {},
  ) {
    super(message, options);
    this.name = "CheckpointError";
    this.kind = kind;
    this.report = options.report;
  }
}
