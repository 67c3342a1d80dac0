/** Options objects refuse keys they do not know. */

/**
 * Throws when `options` has a key that is not in `known`.
 *
 * @param act What cannot be done then, such as "open a device"
 * @throws {TypeError} naming the key and the nearest known one
 */
export function assertKnownKeys(act: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = [...known].sort((a, b) => distance(key, a) - distance(key, b))[0];
    throw new TypeError(`Cannot ${act} as there is no option ${key}: the nearest is ${nearest}`);
  }
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a.toLowerCase()].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b.toLowerCase()].entries()) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
