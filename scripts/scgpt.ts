/**
 * The one executable: `deno task scgpt COMMAND`; `deno task train TASK` and `deno task evaluate TASK` are its groups of those names. Results go to files, words for people to stderr, one JSON summary to stdout with
 * `--json`. Exit codes: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted.
 */
import { Command as Program, CommanderError, Option } from "@commander-js/extra-typings";
import { VERSION } from "../mod.ts";
import {
  type Command,
  type Flag,
  InterruptedError,
  kebab,
  parseFlags,
  UsageError,
} from "./commands/command.ts";
import { annotateCommand } from "./commands/annotate.ts";
import { censusEmbedding } from "./commands/census_embedding.ts";
import { censusGet } from "./commands/census_get.ts";
import { censusObs } from "./commands/census_obs.ts";
import { censusSource } from "./commands/census_source.ts";
import { censusSummary } from "./commands/census_summary.ts";
import { convert } from "./commands/convert.ts";
import { doctor } from "./commands/doctor.ts";
import { embedCommand } from "./commands/embed.ts";
import { evaluateAnnotate } from "./commands/evaluate_annotate.ts";
import { evaluateIntegrate } from "./commands/evaluate_integrate.ts";
import { evaluateMap } from "./commands/evaluate_map.ts";
import { forward } from "./commands/forward.ts";
import { generateCommand } from "./commands/generate.ts";
import { init } from "./commands/init.ts";
import { readJsonObject } from "./commands/inputs.ts";
import { integrateCommand } from "./commands/integrate.ts";
import { inspect } from "./commands/inspect.ts";
import { map } from "./commands/map.ts";
import { proxy } from "./commands/proxy.ts";
import { trainAnnotate } from "./commands/train_annotate.ts";
import { trainIntegrate } from "./commands/train_integrate.ts";
import { trainPretrain } from "./commands/train_pretrain.ts";
import { INTERRUPTED, interruptible } from "./interrupt.ts";

const COMMANDS: readonly Command[] = [
  embedCommand,
  map,
  annotateCommand,
  integrateCommand,
  generateCommand,
  init,
  inspect,
  convert,
  forward,
  doctor,
  proxy,
];

/** Commands under a common word. */
const GROUPS: Readonly<Record<string, { readonly help: string; readonly tasks: Command[] }>> = {
  train: {
    help: "train a model for a task",
    tasks: [trainAnnotate, trainIntegrate, trainPretrain],
  },
  evaluate: {
    help: "measure a task beside its baselines, with several seeds",
    tasks: [evaluateAnnotate, evaluateIntegrate, evaluateMap],
  },
  census: {
    help: "ask the CELLxGENE Census, or a store that is laid out like it",
    tasks: [censusSummary, censusObs, censusGet, censusEmbedding, censusSource],
  },
};

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: INTERRUPTED } as const;

/** Runs the executable with arguments and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  return await interruptible(async (signal) => {
    try {
      await program(signal).parseAsync([...args], { from: "user" });
      return EXIT.done;
    } catch (error) {
      return report(error, signal);
    }
  });
}

function program(signal: AbortSignal): Program {
  const root = new Program("scgpt")
    .description("scGPT in TypeScript: single cells in, answers out, on WebGPU or on the CPU")
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: writeError, writeErr: writeError });
  for (const command of COMMANDS) addCommand(root, command, signal);
  for (const [name, { help, tasks }] of Object.entries(GROUPS)) {
    const group = root.command(name).description(help).exitOverride();
    for (const task of tasks) addCommand(group, task, signal);
  }
  return root;
}

/** Help and complaints: stdout belongs to the JSON summary. */
function writeError(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

function addCommand(parent: Program, command: Command, signal: AbortSignal): void {
  const sub = parent.command(command.name).description(command.help).exitOverride();
  for (const name of command.positional ?? []) sub.argument(`<${name}>`);
  for (const [name, flag] of Object.entries(command.flags)) sub.addOption(optionOf(name, flag));
  sub.option(
    "--config <file>",
    "JSON file with the same options, names as here or as in TypeScript; flags win",
  );
  sub.option("--json", "print one JSON summary to stdout");
  sub.action(async (...args: unknown[]) => {
    const positional = args.slice(0, command.positional?.length ?? 0) as string[];
    const written = Object.entries(sub.opts() as Record<string, unknown>)
      .filter(([name]) => sub.getOptionValueSource(name) === "cli");
    const { config, json, ...given } = Object.fromEntries(written);
    const values = parseFlags(
      command.flags,
      given,
      typeof config === "string" ? await readJsonObject(config) : {},
      await command.earlier?.(given) ?? {},
    );
    const context = {
      signal,
      say: (line: string) => console.error(line),
      terminal: Deno.stderr.isTerminal(),
    };
    const summary = await command.run(values, context, positional);
    if (json === true) console.log(JSON.stringify(summary));
  });
}

const PLACEHOLDERS: Readonly<Partial<Record<Flag["kind"], string>>> = {
  boolean: "",
  strings: " <a,b>",
  integers: " <1,2>",
  paths: " <path...>",
};

function optionOf(name: string, flag: Flag): Option {
  const isOff = flag.kind === "boolean" && flag.default === true;
  const value = PLACEHOLDERS[flag.kind] ?? ` <${flag.kind}>`;
  const choices = flag.choices === undefined ? "" : ` (${flag.choices.join(" | ")})`;
  const byDefault = flag.byDefault ?? (flag.kind === "boolean" ? undefined : flag.default);
  const notes = flag.required ? " [required]" : byDefault === undefined ? "" : ` [${byDefault}]`;
  return new Option(
    `--${isOff ? "no-" : ""}${kebab(name)}${value}`,
    `${flag.help}${choices}${notes}`,
  );
}

/** Tells what went wrong and says which exit code that is. */
function report(error: unknown, signal: AbortSignal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (signal.aborted) {
    const left = error instanceof InterruptedError ? error.message : undefined;
    console.error(left ?? "Interrupted: no unfinished file was left.");
    return EXIT.interrupted;
  }
  console.error(
    error instanceof Error
      ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}`
      : String(error),
  );
  return isWrongInput(error) ? EXIT.usage : EXIT.failed;
}

/** Errors that the caller can mend by other arguments or other files. */
function isWrongInput(error: unknown): boolean {
  if (error instanceof UsageError || error instanceof Deno.errors.NotFound) return true;
  if (error instanceof Deno.errors.AlreadyExists) return true;
  const tag = error instanceof Error && "tag" in error ? error.tag : undefined;
  if (tag === "FormatError" || tag === "CheckpointError") return true;
  return error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
