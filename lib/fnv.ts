/** A short hash of words, to tell things apart; no more. */

/**
 * 32-bit FNV-1a over words.
 *
 * @param words Integers, of which the low 32 bits count
 * @param start Hash of the words before
 * @returns The hash, 0 .. 2³² - 1
 */
export function fnv1a(words: Iterable<number>, start = 0x811c9dc5): number {
  let hash = start;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193) >>> 0;
  return hash;
}
