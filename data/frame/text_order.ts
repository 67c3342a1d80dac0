/** The order of texts: by code point, as Python's, where JavaScript's own is by UTF-16 unit. */

const SURROGATE = /[\ud800-\udfff]/;

/** Code units so moved that those of astral characters come after all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let k = 0; k < length; k++) {
    const [x, y] = [a.charCodeAt(k), b.charCodeAt(k)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function byUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares texts of a list by code point; the fast way where that makes no difference. */
export function textComparer(texts: readonly string[]): (a: string, b: string) => number {
  return texts.some((text) => SURROGATE.test(text)) ? byCodePoint : byUnit;
}

/** Compares texts with the numbers in them as numbers, as natsort does: "b2" before "b10". */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/(\d+)/)) as [string[], string[]];
  for (let k = 0; k < Math.min(left.length, right.length); k++) {
    const [x, y] = [left[k]!, right[k]!];
    // Every second part is a number.
    const sign = k % 2 === 1 ? Number(x) - Number(y) : byCodePoint(x, y);
    if (sign !== 0) return sign;
  }
  return left.length - right.length;
}
