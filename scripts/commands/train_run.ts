/** What all training commands do around the training: the folder of the run, its log, progress, and what is left at the end. */
import {
  type AnnData,
  type Device,
  type FitEnd,
  type FitEpoch,
  type FitEvent,
  FolderStore,
  loadModel,
  lossCurves,
  lossPlot,
  RunLog,
  saveTrained,
  type ScGPT,
  type TrainedModel,
} from "../../mod.ts";
import { type Context, type FlagValues, UsageError } from "./command.ts";
import { type DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { checkInputCells, openCells } from "./cells_file.ts";
import { readJsonObject } from "./inputs.ts";
import { writeWhole } from "./outputs.ts";
import { fitOptions, type RUN_FLAGS } from "./train_flags.ts";
import { TrainProgress } from "./train_progress.ts";

/** Flags that decide where and whether, and not what: they are no part of a run's options. */
const NOT_OPTIONS = ["output", "resume", "force"];
/** Files that a run may have left; all others in its folder stay. */
const RUN_FILES =
  /^(config\.json|args\.json|vocab\.json|task\.json|(model|last|best)\.safetensors|metrics\.jsonl|losses\.svg|events\.out\.tfevents\..*)$/;

/** Where a run goes, and with which options. */
export interface RunPlace {
  /** Folder. */
  readonly output: string;
  /** Whether a run in it is taken up. */
  readonly resume: boolean;
  /** Whether a run in it is replaced. */
  readonly force: boolean;
  /** All flags of the command. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** How a run ended. */
export interface RunSummary {
  /** Folder. */
  readonly output: string;
  /** Steps done. */
  readonly steps: number;
  /** Epoch whose weights were kept, from 1. */
  readonly epoch: number;
  /** Its validation loss; null without cells that validate. */
  readonly validationLoss: number | null;
}

/** Options of the run that `--resume` takes up; none where nothing is there yet. */
export async function earlierOptions(
  given: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const { resume, output } = given;
  if (resume !== true || typeof output !== "string") return {};
  const config = `${output}/config.json`;
  return await isThere(config) ? await readJsonObject(config) : {};
}

/** Refuses a folder with something in it, unless its run is to be taken up or replaced; before any work is done. */
async function checkRunFolder({ output, resume, force }: RunPlace): Promise<void> {
  if (resume && force) {
    throw new UsageError("Cannot run as --resume and --force exclude each other");
  }
  if (!await isThere(output)) return;
  if (!(await Deno.stat(output)).isDirectory) {
    throw new UsageError(`Cannot train into ${output} as it must be a folder: it is a file`);
  }
  const names = (await Array.fromAsync(Deno.readDir(output))).map(({ name }) => name);
  if (names.length === 0 || resume || force) return;
  throw new Deno.errors.AlreadyExists(
    `Cannot train into ${output} as it is there already: give --resume to take its run up, or --force to replace it`,
  );
}

/** Loads the pretrained model of a run, if it has one; the caller frees it. */
export async function openPretrained(
  folder: string | undefined,
  device: Device,
  { signal, say }: Context,
): Promise<ScGPT | undefined> {
  if (folder === undefined) return undefined;
  const model = await loadModel(folder, device, { signal });
  say(`starting from the weights of ${folder}`);
  return model;
}

/** What a training works on; it closes all of it. */
export interface OpenRun extends AsyncDisposable {
  /** Folder and options. */
  readonly place: RunPlace;
  /** Cells of the input files, in their order. */
  readonly cells: readonly AnnData[];
  /** Device that computes. */
  readonly device: Device;
  /** Pretrained model of `--model`, as an option of the task. */
  readonly start: { readonly pretrained?: ScGPT };
  /** Settings of the training loop, with the states in the folder. */
  readonly fit: ReturnType<typeof fitOptions>;
}

/** Checks the folder and the input files, then opens files, device and pretrained model. */
export async function openRun(
  flags: FlagValues<typeof RUN_FLAGS & typeof DEVICE_FLAGS> & Parameters<typeof fitOptions>[0] & {
    readonly model: string | undefined;
  },
  inputs: readonly string[],
  context: Context,
): Promise<OpenRun> {
  const { output, resume = false, force = false } = flags;
  const place = { output, resume, force, flags };
  await checkRunFolder(place);
  for (const path of inputs) await checkInputCells(path);
  await using stack = new AsyncDisposableStack();
  const cells: AnnData[] = [];
  for (const path of inputs) cells.push(stack.use(await openCells(path)));
  const device = stack.use(await openFromFlags(flags, context));
  const pretrained = await openPretrained(flags.model, device, context);
  if (pretrained !== undefined) stack.use(pretrained);
  const fit = fitOptions(flags, { signal: context.signal, store: new FolderStore(output), resume });
  const opened = stack.move();
  return {
    place,
    cells,
    device,
    start: pretrained === undefined ? {} : { pretrained },
    fit,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The first event of a training task. */
interface Prepared {
  readonly kind: "prepared";
}

/** Its last one. */
interface Trained {
  readonly kind: "trained";
}

/**
 * Follows a training: its folder gets the options when it starts, log and states in its course, and model and loss curves at its end.
 *
 * @param events What the task tells
 * @param place Folder and options
 * @param hooks What to say of the preparation, and where the last event has the model
 * @throws What the training throws; when it was interrupted, after telling how to go on
 */
export async function followRun<P extends Prepared, T extends Trained>(
  events: AsyncIterable<FitEvent | P | T>,
  place: RunPlace,
  { context, prepared, trained }: {
    readonly context: Context;
    readonly prepared: (event: P) => void;
    readonly trained: (event: T) => TrainedModel;
  },
): Promise<{ summary: RunSummary; model: TrainedModel }> {
  const { output } = place;
  const progress = new TrainProgress(context);
  const log = new RunLog(output);
  let step = 0, end: FitEnd | undefined;
  try {
    for await (const event of events) {
      if (event.kind === "prepared") {
        prepared(event);
        continue;
      }
      if (event.kind === "trained") {
        const model = trained(event);
        return { summary: await finish(output, model, end!), model };
      }
      if (event.kind === "start") await begin(place);
      else step = event.step;
      if (event.kind === "end") end = event;
      progress.show(event);
      await log.add(event);
    }
  } catch (cause) {
    if (context.signal.aborted) sayHowToGoOn(output, step, context);
    throw cause;
  } finally {
    progress.stop();
  }
  throw new Error("Cannot train as the stream gave no model");
}

/** Makes the folder, without what an earlier run left when it is to be replaced, and writes the options down. */
async function begin({ output, resume, force, flags }: RunPlace): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  if (force && !resume) {
    for await (const { name } of Deno.readDir(output)) {
      if (RUN_FILES.test(name)) await Deno.remove(`${output}/${name}`);
    }
  }
  const options = Object.entries(flags)
    .filter(([name, value]) => value !== undefined && !NOT_OPTIONS.includes(name));
  const text = JSON.stringify(Object.fromEntries(options), null, 2);
  await writeWhole(`${output}/config.json`, `${text}\n`);
}

async function finish(
  output: string,
  model: TrainedModel,
  { step, epoch, loss }: FitEnd,
): Promise<RunSummary> {
  await saveTrained(output, model, { force: true });
  await writeWhole(`${output}/losses.svg`, await lossFigure(`${output}/metrics.jsonl`, model));
  return { output, steps: step, epoch: epoch + 1, validationLoss: loss ?? null };
}

/** The curves of all epochs, those before an interruption included. */
async function lossFigure(metrics: string, { description }: TrainedModel): Promise<string> {
  const lines = (await Deno.readTextFile(metrics)).trimEnd().split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  const epochs = lines.filter(({ kind }) => kind === "epoch") as unknown as FitEpoch[];
  return lossPlot([lossCurves(epochs)], { title: `Losses: ${description.task}` });
}

function sayHowToGoOn(output: string, step: number, { say }: Context): void {
  if (step === 0) return;
  say(`stopped after step ${step}; its state is ${output}/last.safetensors`);
  say(`to go on: the same command with --resume`);
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
