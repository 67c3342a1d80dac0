/** Refusal of misspelt options: JavaScript callers and JSON files get the safety that types alone cannot give. */

/**
 * Throws when an object has a key that nobody reads.
 *
 * @param given Object from a caller
 * @param known Keys that are read
 * @param act What cannot be done, such as "load batches"
 * @throws {TypeError} Naming the unknown key and the nearest known one
 */
export function refuseUnknownKeys(
  given: object,
  known: readonly string[],
  act: string,
): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const advice = near === undefined
      ? `known options are ${known.join(", ")}`
      : `did you mean "${near}"?`;
    throw new TypeError(`Cannot ${act} as the option "${key}" is not known: ${advice}`);
  }
}

/**
 * The word that is nearest to `word` by edit distance, if it is near enough to be meant.
 *
 * @param word What was written
 * @param known What exists
 * @returns The nearest, or undefined when more than 40 % of its letters would have to change
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const distance = editDistance(fold(word), fold(candidate));
    if (distance < least && distance <= 0.4 * candidate.length) {
      [best, least] = [candidate, distance];
    }
  }
  return best;
}

/** Letters alone, so that `d_hid` and `dHid` are the same word. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[_\- ]/g, "");
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
