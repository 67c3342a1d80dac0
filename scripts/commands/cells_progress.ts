/** How many cells are done: a bar on a terminal, a line now and then elsewhere. */
import { SingleBar } from "cli-progress";
import type { Context } from "./command.ts";

/** Seconds between two lines where there is no bar. */
const LINE_EVERY = 10;

/** Shows progress through cells whose number is known. */
export class CellsProgress {
  readonly #what: string;
  readonly #cells: number;
  readonly #context: Pick<Context, "say" | "terminal">;
  readonly #bar: SingleBar;
  readonly #began = performance.now();
  #told = 0;

  /** `what` is done to the cells, such as "annotated". */
  constructor(what: string, cells: number, context: Pick<Context, "say" | "terminal">) {
    this.#what = what;
    this.#cells = cells;
    this.#context = context;
    const format = `${what} {bar} {value}/{total} cells | {speed} cells/s | {eta_formatted} left`;
    this.#bar = new SingleBar({ format, clearOnComplete: true });
    if (context.terminal && cells > 0) this.#bar.start(cells, 0, { speed: "-" });
  }

  /** Shows the number of cells that are done. */
  show(done: number): void {
    const { say, terminal } = this.#context;
    const seconds = (performance.now() - this.#began) / 1000;
    const speed = (done / seconds).toPrecision(3);
    if (terminal) this.#bar.update(done, { speed });
    else if (done < this.#cells && seconds - this.#told > LINE_EVERY) {
      this.#told = seconds;
      say(`${this.#what} ${done} of ${this.#cells} cells (${speed} cells/s)`);
    }
    if (done < this.#cells) return;
    this.stop();
    say(`${this.#what} ${done} cells in ${seconds.toFixed(1)} s (${speed} cells/s)`);
  }

  /** Takes the bar off, also where the work ends by an error. */
  stop(): void {
    if (this.#context.terminal) this.#bar.stop();
  }
}
