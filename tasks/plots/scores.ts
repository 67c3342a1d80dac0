/** Scores of methods side by side, with their spread over seeds. */
import * as Plot from "@observablehq/plot";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { drawSheet, FONT, INK, MUTED, textLength } from "./figure.ts";
import { COLORS } from "./palette.ts";

/** The scores of one method. */
export interface MethodScores {
  /** Name of the method. */
  readonly method: string;
  /** Scores by metric, one for each seed; a metric that is not defined is left out. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
}

/** Settings of {@linkcode scoresPlot}. */
export interface ScoresPlotOptions {
  /** First line; "Scores" by default. */
  readonly title?: string;
  /** Second line, such as the task and the data. */
  readonly subtitle?: string;
  /** Method drawn in colour; the first by default. */
  readonly highlight?: string;
  /** Metrics in one row of the figure; 4 by default. */
  readonly perRow?: number;
}

/** A method's scores of one metric. */
interface Line {
  readonly method: number;
  readonly metric: number;
  readonly mean: number;
  readonly values: readonly number[];
}

/** What a panel is drawn from, in pixels of the figure. */
interface Place {
  readonly x: (score: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly ticks: readonly { readonly x: number; readonly text: string }[];
}

const OPTIONS = ["title", "subtitle", "highlight", "perRow"];
const PANEL = 176; // width of a panel, its numbers included
const NUMBER = 52; // of which the numbers and the gap to the next panel take
const LINE = 24; // height of a method's line
const HEAD = 26; // above the lines: the metric
const FOOT = 30; // below the lines: the scale

/**
 * Draws a panel for each metric and in it a line for each method: the seeds as small dots, from least to largest, and their mean with its
 * number. Panels have their own scales, as the differences are what is looked at; all start below the least score.
 *
 * @example
 * ```ts
 * import { scoresPlot } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const ours = { method: "scGPT", scores: { accuracy: [0.94, 0.95, 0.96] } };
 * const theirs = { method: "kNN", scores: { accuracy: [0.93] } };
 * assert.match(scoresPlot([ours, theirs]), /0\.950/);
 * ```
 *
 * @param methods Scores by method, in the order of the lines
 * @param options Settings
 * @returns SVG document
 * @throws {RangeError} When there is no score, a score is not finite, or `highlight` is no method
 */
export function scoresPlot(
  methods: readonly MethodScores[],
  options: ScoresPlotOptions = {},
): string {
  refuseUnknownKeys(options, OPTIONS, "draw scores");
  const { title = "Scores", subtitle = "", perRow = 4, highlight = methods[0]?.method } = options;
  const metrics = [...new Set(methods.flatMap(({ scores }) => Object.keys(scores)))];
  const lines = linesOf(methods, metrics);
  if (!methods.some(({ method }) => method === highlight)) {
    throw new RangeError(`Cannot draw scores as a method must be named: got "${highlight}"`);
  }
  const most = Math.max(...lines.map(({ values }) => values.length));
  const says = most > 1 ? `mean, and each of ${most} seeds` : "one seed";
  const names = methods.map(({ method }) => method);
  const left = Math.ceil(Math.max(...names.map((name) => textLength(name, 12)))) + 14;
  const columns = Math.min(perRow, metrics.length), rows = Math.ceil(metrics.length / columns);
  return drawSheet({
    title,
    subtitle: subtitle === "" ? says : `${subtitle} · ${says}`,
    main: {
      width: left + columns * PANEL + 8,
      height: rows * (HEAD + names.length * LINE + FOOT),
      plot: {
        margin: 0,
        x: { type: "identity", axis: null },
        y: { type: "identity", axis: null },
        marks: metrics.flatMap((name, metric) => {
          const own = lines.filter((line) => line.metric === metric);
          const column = metric % columns, row = Math.floor(metric / columns);
          const corner = {
            left: left + column * PANEL,
            top: row * (HEAD + names.length * LINE + FOOT),
          };
          const place = placeOf(own, corner, names.length);
          const marked = names.indexOf(highlight!);
          return [
            ...frameMarks(name, place),
            ...(column === 0 ? [nameMark(names, place)] : []),
            ...scoreMarks(own, place, marked),
          ];
        }),
      },
    },
  });
}

function linesOf(methods: readonly MethodScores[], metrics: readonly string[]): Line[] {
  const lines = methods.flatMap(({ method: name, scores }, method) =>
    metrics.flatMap((key, metric) => {
      const values = scores[key] ?? [];
      const strange = values.find((value) => !Number.isFinite(value));
      if (strange !== undefined) {
        throw new RangeError(
          `Cannot draw scores as they must be finite: got ${strange} for ${key} of ${name}`,
        );
      }
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return values.length === 0 ? [] : [{ method, metric, mean, values }];
    })
  );
  if (lines.length > 0) return lines;
  throw new RangeError("Cannot draw scores as a method must have one: got none");
}

function placeOf(
  lines: readonly Line[],
  { left, top }: { left: number; top: number },
  nMethods: number,
): Place {
  const all = lines.flatMap(({ values }) => values);
  const least = Math.min(...all), most = Math.max(...all);
  const span = most - least || Math.abs(most) / 10 || 1;
  const low = least - 0.1 * span, high = most + 0.1 * span;
  const right = left + PANEL - NUMBER;
  const x = (score: number) => left + (score - low) / (high - low) * (right - left);
  const ticks = niceNumbers(low, high).map((value) => ({ x: x(value), text: String(value) }));
  return { x, left, right, top: top + HEAD, bottom: top + HEAD + nMethods * LINE, ticks };
}

/** Two or three round numbers inside an interval. */
function niceNumbers(low: number, high: number): number[] {
  const rough = (high - low) / 3, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough)!;
  const numbers: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    numbers.push(Number((k * step).toPrecision(6)));
  }
  return numbers;
}

function frameMarks(
  metric: string,
  { left, right, top, bottom, ticks }: Place,
): Plot.Markish[] {
  const text = { fontFamily: FONT, fontSize: 10.5, fill: MUTED } as const;
  return [
    Plot.text([metric], {
      x: left,
      y: top - 12,
      text: (name: string) => name,
      textAnchor: "start",
      fontSize: 12.5,
      fontWeight: 600,
    }),
    Plot.rect([0], { x1: left, x2: right, y1: top, y2: bottom, stroke: "#d0d0d0" }),
    Plot.ruleX(ticks, { x: "x", y1: top, y2: bottom, stroke: INK, strokeOpacity: 0.1 }),
    Plot.text(ticks, { ...text, x: "x", y: bottom + 10, text: "text" }),
  ];
}

function nameMark(names: readonly string[], { left, top }: Place): Plot.Markish {
  return Plot.text(names, {
    x: left - 10,
    y: (_: string, method: number) => lineAt(top, method),
    text: (name: string) => name,
    textAnchor: "end",
    fontSize: 12,
  });
}

function scoreMarks(
  lines: readonly Line[],
  { x, right, top }: Place,
  marked: number,
): Plot.Markish[] {
  const color = ({ method }: { method: number }) => method === marked ? COLORS[4]! : COLORS[0]!;
  const y = ({ method }: { method: number }) => lineAt(top, method);
  const seeds = lines.flatMap(({ method, values }) =>
    values.length === 1 ? [] : values.map((value) => ({ method, value }))
  );
  return [
    Plot.link(lines, {
      x1: ({ values }: Line) => x(Math.min(...values)),
      x2: ({ values }: Line) => x(Math.max(...values)),
      y1: y,
      y2: y,
      stroke: color,
      strokeOpacity: 0.5,
      strokeWidth: 2,
    }),
    Plot.dot(seeds, {
      x: ({ value }: { value: number }) => x(value),
      y,
      r: 2.2,
      fill: color,
      fillOpacity: 0.55,
    }),
    Plot.dot(lines, { x: ({ mean }: Line) => x(mean), y, r: 4.5, fill: color, stroke: "#ffffff" }),
    Plot.text(lines, {
      x: right + 6,
      y,
      text: ({ mean }: Line) => Math.abs(mean) < 1 ? mean.toFixed(3) : mean.toPrecision(3),
      textAnchor: "start",
      fontSize: 11,
    }),
  ];
}

function lineAt(top: number, method: number): number {
  return top + (method + 0.5) * LINE;
}
