/** What all evaluations do around the work: trainings and scores are shown as they come, and a report is left. */
import type { EvaluationTraining, FitEvent, MethodEvaluated, Report } from "../../mod.ts";
import type { Context } from "./command.ts";
import { writeReport } from "./evaluation_files.ts";
import { TrainProgress } from "./train_progress.ts";

/** Events of an evaluation that trains: P is what its trainings tell first, S a method's scores, R its result. */
type EvaluationEvent<P, S, R> =
  | EvaluationTraining<P | FitEvent>
  | MethodEvaluated<S>
  | { readonly kind: "annotated" | "integrated" }
  | { readonly kind: "result"; readonly result: R };

/** Shows trainings and scores as they come, and gives the result. */
export async function followTrainings<P extends { readonly kind: "prepared" }, S, R>(
  events: AsyncIterable<EvaluationEvent<P, S, R>>,
  { say, terminal }: Pick<Context, "say" | "terminal">,
  words: {
    /** Says what is learned from. */
    readonly prepared: (event: P) => void;
    /** Scores in a few words. */
    readonly scores: (result: S) => string;
  },
): Promise<R> {
  let progress: TrainProgress | undefined;
  try {
    for await (const event of events) {
      if (event.kind === "result") return event.result;
      if (event.kind === "training") {
        const { seed, event: step } = event;
        if (step.kind === "prepared") {
          say(`seed ${seed}`);
          words.prepared(step);
          progress = new TrainProgress({ say, terminal });
        } else progress!.show(step);
      }
      if (event.kind === "method") say(methodText(event, words.scores(event.result)));
    }
  } finally {
    progress?.stop();
  }
  return failWithoutResult();
}

/** A line about a method. */
export function methodText(
  { method, seconds }: Pick<MethodEvaluated<unknown>, "method" | "seconds">,
  scores: string,
): string {
  return `${method}: ${scores} (${seconds.toFixed(1)} s)`;
}

/** Accuracy and F1 in a few words. */
export function labelScores(
  { accuracy, macroF1 }: { readonly accuracy: number; readonly macroF1: number },
): string {
  return `accuracy ${accuracy.toFixed(3)}, macro F1 ${macroF1.toFixed(3)}`;
}

/** For streams that end too early, which only a fault can make. */
export function failWithoutResult(): never {
  throw new Error("Cannot evaluate as the stream gave no result");
}

/** Says the tables, writes the report's files, and gives the command's summary. */
export async function leaveReport(
  report: Report,
  output: string,
  { say, tables }: Pick<Context, "say"> & { readonly tables: readonly string[] },
): Promise<Readonly<Record<string, unknown>>> {
  for (const table of tables) say(table);
  const files = await writeReport(output, report);
  say(`wrote ${files.join(", ")}`);
  return { output, summary: report.summary, methods: report.tables[0]!.rows };
}
