/** How much of a file is here: a bar on a terminal, a line now and then elsewhere. */
import { SingleBar } from "cli-progress";
import type { Context } from "./command.ts";

/** Seconds between two lines where there is no bar. */
const LINE_EVERY = 10;

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** A number of bytes as people read it: 1,234,567 is "1.23 MB". */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  // From 999.5 on, three digits would be written as 1.00e+3.
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

/** Shows progress of a download. */
export class BytesProgress {
  readonly #context: Pick<Context, "say" | "terminal">;
  readonly #bar = new SingleBar({
    format: "downloaded {bar} {done} of {all} | {speed}/s | {eta_formatted} left",
    clearOnComplete: true,
  });
  #began: { readonly at: number; readonly done: number } | undefined;
  #told = 0;

  constructor(context: Pick<Context, "say" | "terminal">) {
    this.#context = context;
  }

  /** Shows the number of bytes that are here; the speed is of those since the first call. */
  show(done: number, total: number): void {
    const now = performance.now();
    const words = { done: bytesText(done), all: bytesText(total), speed: "-" };
    if (this.#began === undefined) {
      this.#began = { at: now, done };
      return this.#begin(done, total, words);
    }
    const { say, terminal } = this.#context;
    const seconds = (now - this.#began.at) / 1000;
    words.speed = bytesText(Math.round((done - this.#began.done) / Math.max(seconds, 1e-3)));
    if (terminal) this.#bar.update(done, words);
    else if (done < total && seconds - this.#told > LINE_EVERY) {
      this.#told = seconds;
      say(`downloaded ${words.done} of ${words.all} (${words.speed}/s)`);
    }
  }

  #begin(
    done: number,
    total: number,
    words: { readonly done: string; readonly all: string },
  ): void {
    const here = done === 0 ? "" : `, of which ${words.done} are here already`;
    this.#context.say(`downloading ${words.all}${here}`);
    if (this.#context.terminal) this.#bar.start(total, done, words);
  }

  /** Takes the bar off, also where the work ends by an error. */
  stop(): void {
    if (this.#context.terminal) this.#bar.stop();
  }
}
