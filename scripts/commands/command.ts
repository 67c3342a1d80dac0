/** The form of a command: its flags are data, from which help, `--config` and checks come. */
import { nearest } from "../../mod.ts";

/** Kinds of flag values. */
type FlagKind = "string" | "number" | "integer" | "boolean" | "strings" | "integers" | "paths";

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
  /** Value when the flag is absent. A boolean that is true by default is turned off by `--no-name`. */
  readonly default?: Values[Kind];
  /** What the help says of the value when the flag is absent and `default` cannot say it. */
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
  integers: readonly number[];
  paths: readonly string[];
}

/** Flags that have a value in any case. */
type Certain = { readonly required: true } | { readonly default: Values[FlagKind] };

/** Values of flags: required ones and those with a default are there, others may be undefined. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends Certain ? Values[F[Name]["kind"]]
    : Values[F[Name]["kind"]] | undefined;
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
  /** Options of an earlier run that this one takes up, by the flags that were given; they stand below all others. */
  readonly earlier?: (
    given: Readonly<Record<string, unknown>>,
  ) => Promise<Readonly<Record<string, unknown>>>;
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

/** The command was interrupted, and its message says what it left: exit code 130. */
export class InterruptedError extends Error {
  /** Tag of this class. */
  readonly tag = "InterruptedError";
}

/** `batchTokens` as it is written on the command line: `batch-tokens`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `batch-tokens` as it is written in TypeScript: `batchTokens`. */
function camel(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Checks raw values (of the command line, over those of configurations, the first of which wins) against the flags.
 *
 * @throws {UsageError} For an unknown name, naming the nearest, a missing flag, or a value of the wrong kind
 */
export function parseFlags<F extends Flags>(
  flags: F,
  given: Readonly<Record<string, unknown>>,
  ...configs: readonly Readonly<Record<string, unknown>>[]
): FlagValues<F> {
  const layers = [given, ...configs.map((config) => namesOf(flags, config))];
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const raw = layers.map((layer) => layer[name]).find((value) => value != null);
    if (raw === undefined && flag.required) {
      throw new UsageError(`Cannot run as --${kebab(name)} is required: ${flag.help}`);
    }
    values[name] = raw === undefined ? flag.default : parseValue(name, flag, raw);
  }
  return values as FlagValues<F>;
}

/** The options of a configuration by their names in TypeScript. */
function namesOf(
  flags: Flags,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([written, value]) => {
      const name = camel(written);
      if (Object.hasOwn(flags, name)) return [name, value];
      const near = nearest(name, Object.keys(flags));
      throw new UsageError(
        `Cannot use the configuration as "${written}" is no option of this command` +
          (near === undefined ? "" : `: did you mean "${near}"?`),
      );
    }),
  );
}

function parseValue(name: string, flag: Flag, raw: unknown): unknown {
  const fail = (rule: string): never => {
    throw new UsageError(
      `Cannot run as --${kebab(name)} must be ${rule}: got ${JSON.stringify(raw)}`,
    );
  };
  if (flag.kind === "boolean") return typeof raw === "boolean" ? raw : fail("true or false");
  if (flag.kind === "paths") {
    const paths = typeof raw === "string" ? [raw] : raw;
    return Array.isArray(paths) && paths.length > 0 ? paths.map(String) : fail("a list of paths");
  }
  if (flag.kind === "strings" || flag.kind === "integers") {
    const parts = typeof raw === "string" ? raw.split(",") : raw;
    if (!Array.isArray(parts)) return fail("a list");
    if (flag.kind === "strings") return parts.map(String);
    const numbers = parts.map((part) => part === "" ? NaN : Number(part));
    return numbers.every(Number.isInteger) ? numbers : fail("a list of integers");
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
