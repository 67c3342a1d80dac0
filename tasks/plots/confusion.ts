/** Heat map of true against predicted labels. */
import * as Plot from "@observablehq/plot";
import { refuseUnknownKeys } from "../../lib/mod.ts";
import type { ConfusionMatrix } from "../metrics/classification.ts";
import { drawSheet, INK, textLength, thousands } from "./figure.ts";

/** Settings of {@linkcode confusionPlot}. */
export interface ConfusionPlotOptions {
  /** First line; "Predicted and true labels" by default. */
  readonly title?: string;
  /** Second line, such as the method and its accuracy; the number of cells follows it. */
  readonly subtitle?: string;
  /** Side of a cell of the heat map in pixels; 44 by default, less for many classes. */
  readonly cell?: number;
}

/** One square. */
interface Square {
  readonly truth: string;
  readonly predicted: string;
  readonly share: number;
  readonly text: string;
  readonly ink: string;
}

/**
 * Draws the rows' shares as colours and per cent; the diagonal is what was named right.
 *
 * @example
 * ```ts
 * import { confusionMatrix, confusionPlot } from "@scgpt/sdk/tasks";
 * import assert from "node:assert/strict";
 *
 * const svg = confusionPlot(confusionMatrix(["B", "T"], ["B", "B"]));
 * assert.match(svg, /Predicted label/);
 * ```
 *
 * @param confusion Counts and shares
 * @param options Settings
 * @returns SVG document
 */
export function confusionPlot(
  confusion: ConfusionMatrix,
  options: ConfusionPlotOptions = {},
): string {
  refuseUnknownKeys(options, ["title", "subtitle", "cell"], "draw a confusion matrix");
  const { rows, columns, counts } = confusion;
  const { title = "Predicted and true labels", subtitle = "" } = options;
  const { cell = Math.max(22, Math.min(44, Math.round(640 / columns.length))) } = options;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const says = `${thousands(total)} cells; per cent of each true label`;
  const side = Math.max(...rows.map((label) => textLength(rowName(confusion, label), 12)));
  const below = Math.max(...columns.map((label) => textLength(label, 12))) * Math.SQRT1_2;
  const margins = { left: Math.ceil(side) + 34, bottom: Math.ceil(below) + 44, top: 6, right: 8 };
  return drawSheet({
    title,
    subtitle: subtitle === "" ? says : `${subtitle} · ${says}`,
    main: {
      width: margins.left + columns.length * cell + margins.right,
      height: margins.top + rows.length * cell + margins.bottom,
      plot: heatMap(confusion, cell, margins),
    },
  });
}

function heatMap(
  confusion: ConfusionMatrix,
  cell: number,
  margins: { left: number; bottom: number; top: number; right: number },
): Plot.PlotOptions {
  const squares = squaresOf(confusion);
  const place = { x: "predicted", y: "truth" } as const;
  return {
    marginLeft: margins.left,
    marginBottom: margins.bottom,
    marginTop: margins.top,
    marginRight: margins.right,
    padding: 0,
    x: {
      domain: [...confusion.columns],
      label: "Predicted label",
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: margins.bottom - 6,
      tickRotate: -45,
      tickSize: 0,
    },
    y: {
      domain: [...confusion.rows],
      label: "True label",
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: margins.left - 8,
      tickFormat: (label: string) => rowName(confusion, label),
      tickSize: 0,
    },
    color: { type: "identity" },
    marks: [
      Plot.cell(squares, {
        ...place,
        fill: ({ share }: Square) => blue(share),
        stroke: "#ffffff",
        strokeWidth: 1,
      }),
      Plot.text(squares, { ...place, text: "text", fill: "ink", fontSize: cell < 30 ? 9 : 11.5 }),
    ],
  };
}

function rowName({ rows, columns, counts }: ConfusionMatrix, label: string): string {
  const row = rows.indexOf(label) * columns.length;
  const support = counts.subarray(row, row + columns.length).reduce((sum, count) => sum + count, 0);
  return `${label} (${thousands(support)})`;
}

function squaresOf({ rows, columns, shares }: ConfusionMatrix): Square[] {
  return rows.flatMap((truth, row) =>
    columns.map((predicted, column) => {
      const share = shares[row * columns.length + column]!;
      const percent = share * 100;
      const text = share === 0 ? "" : percent < 0.5 ? "<1" : percent.toFixed(0);
      return { truth, predicted, share, text, ink: share > 0.5 ? "#ffffff" : INK };
    })
  );
}

/** White to dark blue, even steps of lightness. */
function blue(share: number): string {
  const from = [247, 249, 252], to = [8, 64, 129];
  const channels = from.map((low, at) => Math.round(low + (to[at]! - low) * share));
  return `rgb(${channels.join(",")})`;
}
