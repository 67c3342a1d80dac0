/** The form of a command: its flags are data, from which help, `--config` and checks come. */
import { nearest } from "../../mod.ts";

/** Kinds of flag values. */
type FlagKind = "string" | "number" | "integer" | "boolean" | "strings";

/** One flag. Its name is an option's name; on the command line it is in kebab-case. */
export interface Flag<Kind extends FlagKind = FlagKind> {
  /** Kind of value. */
  readonly kind: Kind;
  /** What it is, in a few words. */
  readonly help: string;
  /** Whether the command cannot do without. */
  readonly required?: boolean;
  /** Words it may have. */
  readonly choices?: readonly string[];
  /** What the help says of the value when the flag is absent. */
  readonly byDefault?: string;
}

/** Flags by option name. */
export type Flags = Readonly<Record<string, Flag>>;

interface Values {
  string: string;
  number: number;
  integer: number;
  boolean: boolean;
  strings: readonly string[];
}

type ValueOf<F extends Flag> = Values[F["kind"]];

/** Values of flags: required ones are there, others may be undefined. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends { required: true } ? ValueOf<F[Name]>
    : ValueOf<F[Name]> | undefined;
};

/** Where a command's words go and how it is stopped. */
export interface Context {
  /** Set by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Says a line to the person, on stderr. */
  readonly say: (line: string) => void;
  /** Whether stderr is a terminal, where a progress bar can be drawn. */
  readonly terminal: boolean;
}

/** A command of the executable. */
export interface Command<F extends Flags = Flags> {
  /** Name on the command line. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly help: string;
  /** Positional arguments by name, all required. */
  readonly positional?: readonly string[];
  /** Flags. */
  readonly flags: F;
  /** Does the work; the returned summary is printed as JSON with `--json`. */
  readonly run: (
    flags: FlagValues<F>,
    context: Context,
    positional: readonly string[],
  ) => Promise<Readonly<Record<string, unknown>>>;
}

/** Keeps the types of a command's flags. */
export function command<const F extends Flags>(definition: Command<F>): Command {
  return definition as unknown as Command;
}

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  /** Tag of this class. */
  readonly tag = "UsageError";
}

/** `batchTokens` as it is written on the command line: `batch-tokens`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Checks raw values (of the command line, over those of a configuration file) against the flags.
 *
 * @throws {UsageError} For an unknown name, naming the nearest, a missing flag, or a value of the wrong kind
 */
export function parseFlags<F extends Flags>(
  flags: F,
  given: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
): FlagValues<F> {
  for (const name of Object.keys(config)) {
    if (Object.hasOwn(flags, name)) continue;
    const near = nearest(name, Object.keys(flags));
    throw new UsageError(
      `Cannot use the configuration as "${name}" is no option of this command` +
        (near === undefined ? "" : `: did you mean "${near}"?`),
    );
  }
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const raw = given[name] ?? config[name];
    if (raw === undefined && flag.required) {
      throw new UsageError(`Cannot run as --${kebab(name)} is required: ${flag.help}`);
    }
    values[name] = raw === undefined ? undefined : parseValue(name, flag, raw);
  }
  return values as FlagValues<F>;
}

function parseValue(name: string, flag: Flag, raw: unknown): unknown {
  const fail = (rule: string): never => {
    throw new UsageError(
      `Cannot run as --${kebab(name)} must be ${rule}: got ${JSON.stringify(raw)}`,
    );
  };
  if (flag.kind === "boolean") return typeof raw === "boolean" ? raw : fail("true or false");
  if (flag.kind === "strings") {
    const parts = typeof raw === "string" ? raw.split(",") : raw;
    return Array.isArray(parts) ? parts.map(String) : fail("a list");
  }
  if (flag.kind === "string") {
    if (typeof raw !== "string" || raw === "") return fail("a text");
    if (flag.choices !== undefined && !flag.choices.includes(raw)) {
      return fail(`one of ${flag.choices.join(", ")}`);
    }
    return raw;
  }
  const value = typeof raw === "number" ? raw : raw === "" ? NaN : Number(raw);
  if (!Number.isFinite(value)) return fail("a number");
  return flag.kind === "number" || Number.isInteger(value) ? value : fail("an integer");
}
