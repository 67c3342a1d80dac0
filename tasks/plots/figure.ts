/** The sheet around a plot: title, subtitle, legend, and the text of an SVG file. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom/worker";
import type { ClassStyle } from "./palette.ts";

/** Typeface of all figures; the PNG writer brings Inter along. */
export const FONT = "Inter, Helvetica, Arial, sans-serif";
/** Colour of text. */
export const INK = "#222222";
/** Colour of secondary text. */
export const MUTED = "#666666";

/** A plot and its size in pixels. */
export interface Panel {
  /** Marks and scales; size, document and style are set by the sheet. */
  readonly plot: Plot.PlotOptions;
  /** Width. */
  readonly width: number;
  /** Height. */
  readonly height: number;
}

/** Parts of a figure. */
export interface Sheet {
  /** First line. */
  readonly title: string;
  /** Second line: what the picture shows and of what. */
  readonly subtitle: string;
  /** The picture. */
  readonly main: Panel;
  /** Explanation beside it. */
  readonly legend?: Panel;
}

const MARGIN = 16;
const HEADER = 60;

/**
 * Draws a figure as a complete SVG document. The same input gives the same text on every machine, as no real page is read.
 *
 * @param sheet Parts
 * @returns SVG text
 */
export function drawSheet({ title, subtitle, main, legend }: Sheet): string {
  const beside = legend === undefined ? 0 : legend.width + MARGIN;
  const text = Math.max(textLength(title, 17), textLength(subtitle, 12.5));
  const width = Math.ceil(Math.max(main.width + beside, text) + 2 * MARGIN);
  const height = Math.ceil(HEADER + Math.max(main.height, legend?.height ?? 0) + MARGIN);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="${FONT}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<desc>${escapeXml(subtitle)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="31" font-size="17" font-weight="600" fill="${INK}">${
      escapeXml(title)
    }</text>`,
    `<text x="${MARGIN}" y="50" font-size="12.5" fill="${MUTED}">${escapeXml(subtitle)}</text>`,
    drawPanel(main, MARGIN, HEADER),
    legend === undefined ? "" : drawPanel(legend, 2 * MARGIN + main.width, HEADER),
    `</svg>`,
  ].join("\n");
}

/** A plot as an SVG element at a place of the sheet. */
function drawPanel({ plot, width, height }: Panel, x: number, y: number): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const style = {
    fontFamily: FONT,
    fontSize: "12px",
    color: INK,
    background: "none",
    overflow: "visible",
  };
  const drawn = Plot.plot({ ...plot, width, height, document, style });
  drawn.querySelector("style")?.remove(); // rules for a page would reach beyond the figure
  drawn.setAttribute("x", String(x));
  drawn.setAttribute("y", String(y));
  return drawn.outerHTML;
}

/** One line of a legend. */
export interface LegendEntry extends ClassStyle {
  /** Cells of the class, when they are to be told. */
  readonly count?: number | undefined;
  /** Number that stands for the class in the picture. */
  readonly number?: number | undefined;
}

const LINE = 20;
const COUNT_SIZE = 11;
const NAME_SIZE = 12.5;

/**
 * A legend of classes, and their numbers of cells where given, in as many columns as the height asks for.
 *
 * @param entries Classes in order
 * @param height Room in pixels
 * @returns Panel
 */
export function legendPanel(entries: readonly LegendEntry[], height: number): Panel {
  const nColumns = Math.ceil(entries.length / Math.max(1, Math.floor((height - LINE) / LINE)));
  const perColumn = Math.max(1, Math.ceil(entries.length / Math.max(1, nColumns)));
  const placed: (LegendEntry & { x: number; y: number; right: number; name: string })[] = [];
  let x = 0;
  for (let first = 0; first < entries.length; first += perColumn) {
    const column = entries.slice(first, first + perColumn).map((entry, at) => {
      const name = entry.number === undefined ? entry.label : `${entry.number}  ${entry.label}`;
      return { ...entry, name, x, y: at * LINE + LINE };
    });
    const names = Math.max(...column.map(({ name }) => textLength(name, NAME_SIZE)));
    const counts = Math.max(...column.map(({ count }) => textLength(countText(count), COUNT_SIZE)));
    const right = x + 20 + names + (counts > 0 ? 14 + counts : 0);
    placed.push(...column.map((entry) => ({ ...entry, right })));
    x = right + 26;
  }
  const shared = { frameAnchor: "middle", y: "y" } as const;
  const plot: Plot.PlotOptions = {
    margin: 0,
    x: { type: "identity", axis: null },
    y: { type: "identity", axis: null },
    color: { type: "identity" },
    symbol: { type: "identity" },
    marks: [
      Plot.dot(placed, {
        ...shared,
        x: (entry) => entry.x + 7,
        r: 5,
        fill: "color",
        symbol: "symbol",
      }),
      Plot.text(placed, {
        ...shared,
        x: (entry) => entry.x + 20,
        text: "name",
        textAnchor: "start",
        fontSize: NAME_SIZE,
      }),
      Plot.text(placed, {
        ...shared,
        x: "right",
        text: (entry) => countText(entry.count),
        textAnchor: "end",
        fill: MUTED,
        fontSize: COUNT_SIZE,
      }),
    ],
  };
  return {
    plot,
    width: Math.max(1, x - 26),
    height: Math.min(entries.length, perColumn) * LINE + LINE,
  };
}

/**
 * Escapes text for an SVG file.
 *
 * @param text Any text
 * @returns Text without markup; characters that XML forbids are left out
 */
export function escapeXml(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
      '"',
      "&quot;",
    );
}

/**
 * Width of a text in pixels from Inter's usual widths, for layout without a page.
 *
 * @param text Any text
 * @param fontSize Pixels
 * @returns Pixels, rather too many than too few
 */
export function textLength(text: string, fontSize: number): number {
  let em = 0;
  for (const letter of text) {
    if (/[ilj.,:;'|!()\s]/.test(letter)) em += 0.32;
    else if (/[A-Zmw@%+–—]/.test(letter)) em += 0.72;
    else em += 0.59;
  }
  return em * fontSize;
}

function countText(count: number | undefined): string {
  return count === undefined ? "" : thousands(count);
}

/** 12345 -> "12,345", whatever the machine's language. */
export function thousands(value: number): string {
  return value.toLocaleString("en-US");
}
