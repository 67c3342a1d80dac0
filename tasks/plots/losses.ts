/** Curves of training and validation losses. */
import * as Plot from "@observablehq/plot";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { drawSheet, INK, legendPanel, textLength } from "./figure.ts";
import { COLORS } from "./palette.ts";

/** A loss at a time of training. */
export interface LossPoint {
  /** Epochs, or steps, done. */
  readonly at: number;
  /** Mean loss. */
  readonly loss: number;
}

/** The losses of one run. */
export interface LossRun {
  /** Losses of training, in order. */
  readonly train: readonly LossPoint[];
  /** Losses on held-out cells, in order. */
  readonly validation?: readonly LossPoint[];
}

/** Settings of {@linkcode lossPlot}. */
export interface LossPlotOptions {
  /** First line; "Losses" by default. */
  readonly title?: string;
  /** Second line, such as the data and the model; the number of runs follows it. */
  readonly subtitle?: string;
  /** Name of the horizontal axis; "Epoch" by default. */
  readonly axis?: string;
  /** Logarithmic losses; false by default. */
  readonly log?: boolean;
  /** Width of the plot in pixels; 560 by default. */
  readonly width?: number;
  /** Height of the plot in pixels; 340 by default. */
  readonly height?: number;
}

const OPTIONS = ["title", "subtitle", "axis", "log", "width", "height"];
const TRAIN = COLORS[0]!, VALIDATION = COLORS[4]!;

/** A point of a curve. */
interface Dot extends LossPoint {
  readonly run: number;
}

/**
 * Draws the losses of one or more runs (seeds) as thin lines, training and validation in their colours, with a dot at the least validation
 * loss of each run.
 *
 * @example
 * ```ts
 * import { lossPlot } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const train = [{ at: 1, loss: 1.2 }, { at: 2, loss: 0.7 }];
 * const validation = [{ at: 1, loss: 1.1 }, { at: 2, loss: 0.9 }];
 * assert.match(lossPlot([{ train, validation }]), /Epoch/);
 * ```
 *
 * @param runs Losses by run
 * @param options Settings
 * @returns SVG document
 * @throws {RangeError} When there is no point, or a loss cannot be drawn
 */
export function lossPlot(runs: readonly LossRun[], options: LossPlotOptions = {}): string {
  refuseUnknownKeys(options, OPTIONS, "draw losses");
  const { title = "Losses", subtitle = "", width = 560, height = 340, log = false } = options;
  const train = dotsOf(runs.map((run) => run.train), log);
  const validation = dotsOf(runs.map((run) => run.validation ?? []), log);
  if (train.length + validation.length === 0) {
    throw new RangeError("Cannot draw losses as a run must have one: got none");
  }
  const says = `${runs.length} run${runs.length === 1 ? "" : "s"}`;
  const entries = [
    { label: "training", color: TRAIN, symbol: "square", shown: train },
    { label: "validation", color: VALIDATION, symbol: "square", shown: validation },
    { label: "lowest of a run", color: VALIDATION, symbol: "circle", shown: validation },
  ] as const;
  return drawSheet({
    title,
    subtitle: subtitle === "" ? says : `${subtitle} · ${says}`,
    main: { width, height, plot: curves(train, validation, options) },
    legend: legendPanel(entries.filter(({ shown }) => shown.length > 0), height),
  });
}

function dotsOf(lines: readonly (readonly LossPoint[])[], log: boolean): Dot[] {
  return lines.flatMap((line, run) =>
    line.map(({ at, loss }) => {
      if (Number.isFinite(at) && Number.isFinite(loss) && (!log || loss > 0)) {
        return { at, loss, run };
      }
      const rule = log ? "finite and > 0 on a logarithmic axis" : "finite";
      throw new RangeError(`Cannot draw losses as they must be ${rule}: got ${loss} at ${at}`);
    })
  );
}

function curves(
  train: readonly Dot[],
  validation: readonly Dot[],
  { axis = "Epoch", log = false }: LossPlotOptions,
): Plot.PlotOptions {
  const place = { x: "at", y: "loss" } as const;
  const line = { ...place, z: "run", strokeLinejoin: "round" } as const;
  const ticks = [...train, ...validation].map(({ loss }) => textLength(tick(loss), 12));
  return {
    marginTop: 24,
    marginLeft: Math.ceil(Math.max(...ticks)) + 16,
    marginBottom: 42,
    marginRight: 10,
    x: { label: axis, labelAnchor: "center", labelArrow: "none", labelOffset: 36, inset: 6 },
    y: {
      label: "Loss",
      labelArrow: "none",
      type: log ? "log" : "linear",
      nice: !log,
      inset: 4,
      tickSize: 0,
      tickFormat: tick,
      ticks: log ? 4 : 6,
    },
    marks: [
      Plot.gridY({ stroke: INK, strokeOpacity: 0.1, ticks: log ? 4 : 6 }),
      Plot.lineY(train, { ...line, stroke: TRAIN, strokeWidth: 1.3, strokeOpacity: 0.75 }),
      Plot.lineY(validation, { ...line, stroke: VALIDATION, strokeWidth: 1.8 }),
      Plot.dot(leastOf(validation), { ...place, r: 4, fill: VALIDATION, stroke: "#ffffff" }),
    ],
  };
}

/** The first least point of each run. */
function leastOf(dots: readonly Dot[]): Dot[] {
  const least = new Map<number, Dot>();
  for (const dot of dots) {
    const best = least.get(dot.run);
    if (best === undefined || dot.loss < best.loss) least.set(dot.run, dot);
  }
  return [...least.values()];
}

/** Up to three digits. */
function tick(value: number): string {
  return String(Number(value.toPrecision(3)));
}
