/** Scatter plot of a two-dimensional embedding. */
import * as Plot from "@observablehq/plot";
import { RandomStream, STREAM } from "../../gpu/mod.ts";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import { UNKNOWN } from "../analysis/prediction.ts";
import { drawSheet, INK, type LegendEntry, legendPanel, thousands } from "./figure.ts";
import { COLORS, NEUTRAL, stylesOf } from "./palette.ts";

/** Cells to draw. */
export interface EmbeddingPlotData {
  /** Horizontal coordinates [n]. */
  readonly x: ArrayLike<number>;
  /** Vertical coordinates [n]. */
  readonly y: ArrayLike<number>;
  /** Class of each cell [n]. */
  readonly labels: readonly string[];
  /** What is shown, such as "PBMC, 10x 68k". */
  readonly title: string;
}

/** Settings of {@linkcode embeddingPlot}. */
export interface EmbeddingPlotOptions {
  /** Second line, which should say what the embedding is, such as "UMAP of scGPT embeddings, random weights"; the number of cells follows it. */
  readonly subtitle?: string;
  /** Classes in the order of the legend; by default sorted, with `unknown` last. */
  readonly classes?: readonly string[];
  /** Class drawn in grey; "unknown" by default. */
  readonly unknown?: string;
  /** Name of the axes, "UMAP" by default: "UMAP 1" and "UMAP 2". */
  readonly axis?: string;
  /** Side of the square plot in pixels; 520 by default. */
  readonly size?: number;
  /** Radius of a cell in pixels; by default chosen from the number of cells. */
  readonly radius?: number;
  /** Writes each class's number at its centre; by default when there are more classes than colours. */
  readonly numbers?: boolean;
}

const OPTIONS = ["subtitle", "classes", "unknown", "axis", "size", "radius", "numbers"];

/** A cell as it is drawn. */
interface Dot {
  readonly x: number;
  readonly y: number;
  readonly color: string;
  readonly symbol: string;
}

/**
 * Draws cells in their classes' colours. Cells are drawn in a shuffled order that depends on their number alone, so that no class hides
 * another by coming last.
 *
 * @example
 * ```ts
 * import { embeddingPlot } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const cells = { x: [0, 1], y: [1, 0], labels: ["B", "T"], title: "Two cells" };
 * const svg = embeddingPlot(cells, { subtitle: "UMAP of scGPT embeddings" });
 * assert.match(svg, /^<svg .*<\/svg>$/s);
 * ```
 *
 * @param data Coordinates and labels
 * @param options Settings
 * @returns SVG document
 * @throws {RangeError} When lengths differ, a coordinate is not finite, or a label is not among `classes`
 */
export function embeddingPlot(
  data: EmbeddingPlotData,
  options: EmbeddingPlotOptions = {},
): string {
  refuseUnknownKeys(options, OPTIONS, "draw an embedding");
  const { unknown = UNKNOWN, axis = "UMAP", size = 520, subtitle = "" } = options;
  checkPoints(data);
  const n = data.labels.length;
  const classes = options.classes ?? sortedClasses(data.labels, unknown);
  const numbered = options.numbers ?? classes.length > COLORS.length;
  const entries = entriesOf(data.labels, classes, { unknown, numbered });
  const { radius = Math.min(3.4, Math.max(1.1, 90 / Math.sqrt(n))) } = options;
  const cells = `${thousands(n)} cell${n === 1 ? "" : "s"}`;
  return drawSheet({
    title: data.title,
    subtitle: subtitle === "" ? cells : `${subtitle} · ${cells}`,
    main: {
      width: size,
      height: size,
      plot: {
        ...squareAxes(axis),
        marks: [
          Plot.frame({ stroke: "#d0d0d0" }),
          Plot.dot(dotsOf(data, entries), {
            x: "x",
            y: "y",
            fill: "color",
            symbol: "symbol",
            r: radius,
            fillOpacity: 0.85,
          }),
          ...(numbered ? [numberMark(data, entries)] : []),
        ],
      },
    },
    legend: legendPanel(entries, size),
  });
}

function checkPoints({ x, y, labels }: EmbeddingPlotData): void {
  if (x.length !== labels.length || y.length !== labels.length) {
    throw new RangeError(
      `Cannot draw an embedding as each cell needs x, y and a label: got ${x.length}, ${y.length} and ${labels.length}`,
    );
  }
  for (let cell = 0; cell < labels.length; cell++) {
    if (!Number.isFinite(x[cell]) || !Number.isFinite(y[cell])) {
      throw new RangeError(
        `Cannot draw cell ${cell} as coordinates must be finite: got ${x[cell]}, ${y[cell]}`,
      );
    }
  }
}

function sortedClasses(labels: readonly string[], unknown: string): string[] {
  const classes = [...new Set(labels)].sort();
  return [
    ...classes.filter((label) => label !== unknown),
    ...classes.filter((label) => label === unknown),
  ];
}

function entriesOf(
  labels: readonly string[],
  classes: readonly string[],
  { unknown, numbered }: { unknown: string; numbered: boolean },
): LegendEntry[] {
  const counts = new Map(classes.map((label) => [label, 0]));
  for (const label of labels) {
    const count = counts.get(label);
    if (count === undefined) {
      throw new RangeError(
        `Cannot draw an embedding as each label must be one of ${
          classes.join(", ")
        }: got "${label}"`,
      );
    }
    counts.set(label, count + 1);
  }
  return stylesOf(classes, unknown).map((style, at) => ({
    ...style,
    count: counts.get(style.label)!,
    number: numbered && style.label !== unknown ? at + 1 : undefined,
  }));
}

/** No ticks: the coordinates of such an embedding mean nothing by themselves. */
function squareAxes(axis: string): Plot.PlotOptions {
  const side = { ticks: [], labelArrow: "none", inset: 12, nice: false } as const;
  return {
    margin: 4,
    marginLeft: 24,
    marginBottom: 28,
    x: { ...side, label: `${axis} 1`, labelAnchor: "center", labelOffset: 22 },
    y: { ...side, label: `${axis} 2`, labelAnchor: "center", labelOffset: 18 },
    color: { type: "identity" },
    symbol: { type: "identity" },
  };
}

/** Cells in a shuffled order (Fisher-Yates). */
function dotsOf({ x, y, labels }: EmbeddingPlotData, entries: readonly LegendEntry[]): Dot[] {
  const styles = new Map(entries.map((entry) => [entry.label, entry]));
  const dots = labels.map((label, cell) => {
    const { color, symbol } = styles.get(label)!;
    return { x: x[cell]!, y: y[cell]!, color, symbol };
  });
  const random = new RandomStream(0, STREAM.sampling);
  for (let last = dots.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [dots[last], dots[other]] = [dots[other]!, dots[last]!];
  }
  return dots;
}

/** Numbers at the medians of the classes, moved apart until they can be read, with a halo. */
function numberMark(
  { x, y, labels }: EmbeddingPlotData,
  entries: readonly LegendEntry[],
): Plot.Markish {
  const own = entries.filter(({ count = 0, color }) => count > 0 && color !== NEUTRAL);
  const centres = own.map(({ label, number }) => {
    const cells = labels.flatMap((name, cell) => name === label ? [cell] : []);
    return { number, x: median(cells, x), y: median(cells, y) };
  });
  moveApart(centres, { x: 0.034 * extent(x), y: 0.03 * extent(y) }); // about the size of two digits
  return Plot.text(centres, {
    x: "x",
    y: "y",
    text: (centre) => String(centre.number),
    fontSize: 13,
    fontWeight: 600,
    fill: INK,
    stroke: "#ffffff",
    strokeWidth: 4,
  });
}

/** Pushes points that are nearer than a box apart along the axis where they overlap least, some rounds. */
function moveApart(points: { x: number; y: number }[], box: { x: number; y: number }): void {
  for (let round = 0; round < 60; round++) {
    for (const [at, a] of points.entries()) {
      for (const b of points.slice(at + 1)) {
        const overlap = { x: 1 - Math.abs(a.x - b.x) / box.x, y: 1 - Math.abs(a.y - b.y) / box.y };
        if (overlap.x <= 0 || overlap.y <= 0) continue;
        const axis = overlap.x < overlap.y ? "x" : "y";
        const push = (a[axis] <= b[axis] ? 0.5 : -0.5) * overlap[axis] * box[axis];
        a[axis] -= push;
        b[axis] += push;
      }
    }
  }
}

function median(cells: readonly number[], values: ArrayLike<number>): number {
  const sorted = cells.map((cell) => values[cell]!).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function extent(values: ArrayLike<number>): number {
  let low = Infinity, high = -Infinity;
  for (let cell = 0; cell < values.length; cell++) {
    low = Math.min(low, values[cell]!);
    high = Math.max(high, values[cell]!);
  }
  return high - low;
}
