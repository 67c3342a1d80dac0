/** How far a training is, for a person. */
import { SingleBar } from "cli-progress";
import type { FitEpoch, FitEvent, FitStart, FitStep } from "../../mod.ts";
import type { Context } from "./command.ts";

/** Seconds between two lines where there is no bar. */
const LINE_EVERY = 10;
const FORMAT = "{bar} {value}/{total} steps | loss {loss} | {speed} cells/s | {left} left";

/** Shows the events of a run: a bar under a line for each epoch on a terminal, lines now and then elsewhere. */
export class TrainProgress {
  readonly #context: Pick<Context, "say" | "terminal">;
  readonly #bar = new SingleBar({ format: FORMAT, clearOnComplete: true });
  #start: FitStart | undefined;
  #step = 0;
  #cells = 0;
  /** Milliseconds at the start; validation and saving count as well. */
  #began = 0;
  #told = 0;
  #payload = { loss: "-", speed: "-", left: "-" };

  /** Says on `context.say` what a line says; the bar goes to stderr. */
  constructor(context: Pick<Context, "say" | "terminal">) {
    this.#context = context;
  }

  /** Shows an event. */
  show(event: FitEvent): void {
    if (event.kind === "start") this.#begin(event);
    if (event.kind === "step") this.#move(event);
    if (event.kind === "epoch") this.#line(epochLine(event));
    if (event.kind !== "end") return;
    this.stop();
    const { say } = this.#context;
    const early = event.early ? ", as the validation loss fell no more" : "";
    const loss = event.loss === undefined ? "" : `, validation loss ${figure(event.loss)}`;
    say(
      `trained ${event.step} steps in ${duration(this.#seconds())}${early}: ` +
        `weights of epoch ${event.epoch + 1}${loss}`,
    );
  }

  /** Takes the bar off, also where a run ends by an error. */
  stop(): void {
    if (this.#context.terminal) this.#bar.stop();
  }

  #begin(start: FitStart): void {
    this.#start = start;
    this.#step = start.doneSteps;
    this.#began = performance.now();
    const { trainCells, validationCells, trainableNumbers, totalSteps, doneSteps } = start;
    const { say, terminal } = this.#context;
    say(
      `training ${trainableNumbers} weights on ${trainCells} cells (${validationCells} validate), ` +
        `${totalSteps} steps` + (doneSteps > 0 ? `, going on after step ${doneSteps}` : ""),
    );
    if (terminal) this.#draw();
  }

  #move({ step, cells, loss }: FitStep): void {
    this.#step = step;
    this.#cells += cells;
    const { doneSteps, totalSteps } = this.#start!;
    const seconds = this.#seconds();
    const left = seconds / (step - doneSteps) * (totalSteps - step);
    const speed = (this.#cells / seconds).toPrecision(3);
    this.#payload = { loss: figure(loss), speed, left: duration(left) };
    if (this.#context.terminal) this.#bar.update(step, this.#payload);
    else if (seconds - this.#told > LINE_EVERY) {
      this.#told = seconds;
      this.#context.say(
        `step ${step} of ${totalSteps}: loss ${figure(loss)} (${speed} cells/s, ${
          duration(left)
        } left)`,
      );
    }
  }

  /** The bar makes room for the line and comes back below it. */
  #line(text: string): void {
    const { say, terminal } = this.#context;
    if (terminal) this.#bar.stop();
    say(text);
    if (terminal) this.#draw();
  }

  #draw(): void {
    this.#bar.start(this.#start!.totalSteps, this.#step, this.#payload);
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }
}

function epochLine({ epoch, train, validation, measured, best }: FitEpoch): string {
  const figures = [
    `loss ${figure(train.loss ?? NaN)}`,
    ...validation === undefined ? [] : [`validation ${figure(validation.loss ?? NaN)}`],
    ...Object.entries(measured).map(([name, value]) => `${name} ${figure(value)}`),
  ];
  return `epoch ${epoch + 1}: ${figures.join(", ")}${best ? " (best so far)" : ""}`;
}

function figure(value: number): string {
  return value.toPrecision(4);
}

/** "8 s", "3 min 20 s", "1 h 02 min". */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
