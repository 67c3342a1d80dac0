/** Colours and marks that tell classes apart, also for colour-blind readers. */

/**
 * Ten colours in the order of use: Okabe and Ito's without yellow and with a softer black, and three more. Any two differ by at least
 * 16 (CIE 1976 ΔE) to normal eyes and under protanopia, deuteranopia and tritanopia (Machado et al. 2009).
 *
 * Reference: Okabe and Ito 2008, "Color universal design".
 */
export const COLORS: readonly string[] = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#d55e00",
  "#56b4e9",
  "#4d4d4d",
  "#8000e0",
  "#a8cf7a",
  "#602000",
];

/** Colour of cells that were rejected or have no label. */
export const NEUTRAL = "#b8b8b8";

/** Marks in the order of use: each round of colours has its own. */
export const SYMBOLS = ["circle", "triangle", "square", "diamond", "cross", "star"] as const;

/** How a class looks. */
export interface ClassStyle {
  /** Class. */
  readonly label: string;
  /** CSS colour. */
  readonly color: string;
  /** Mark. */
  readonly symbol: typeof SYMBOLS[number];
}

/**
 * A look for each class: colours first, then the same colours with another mark, so that 60 classes stay apart.
 *
 * @param classes Classes in order
 * @param neutral Class shown in grey, such as "unknown"
 * @returns Looks in the same order
 */
export function stylesOf(classes: readonly string[], neutral: string): readonly ClassStyle[] {
  let used = 0;
  return classes.map((label) => {
    if (label === neutral) return { label, color: NEUTRAL, symbol: "circle" };
    const round = Math.floor(used / COLORS.length) % SYMBOLS.length;
    const color = COLORS[used++ % COLORS.length]!;
    return { label, color, symbol: SYMBOLS[round]! };
  });
}
