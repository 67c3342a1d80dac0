/** What went wrong on a device, for code that wants to react: see {@linkcode DeviceError.kind}. */
export type DeviceErrorKind =
  /** No device of the wanted kind exists here, or it lacks a feature. */
  | "unavailable"
  /** The device gave other numbers than the CPU in the start-up self-test. */
  | "self-test"
  /** An allocation would pass the memory limit of the device. */
  | "memory"
  /** The device went away (driver reset, tab in the background). */
  | "lost";

/** A failure of a compute device that carries what a caller needs to choose another one. */
export class DeviceError extends Error {
  /** Tag of this class, for checks across realms. */
  readonly tag = "DeviceError";
  /** The reason as data. */
  readonly kind: DeviceErrorKind;

  /** Makes the error; `message` says the act, the rule, the value and the place. */
  constructor(kind: DeviceErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeviceError";
    this.kind = kind;
  }
}
