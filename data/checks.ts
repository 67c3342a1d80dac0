/** Edit distance between two names, letter case ignored. */
function editDistance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substitution = from[row - 1] === to[column - 1] ? 0 : 1;
      current.push(Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + substitution,
      ));
    }
    previous = current;
  }
  return previous[to.length]!;
}

/** The known name closest to `name`, or undefined when none is near. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Says which names there are, with the nearest to `name` first: the tail of an error message. */
export function describeNames(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? "" : `did you mean ${JSON.stringify(nearest)}? `;
  const shown = known.slice(0, 20).join(", ") + (known.length > 20 ? ", ..." : "");
  return `${hint}available: ${shown || "none"}`;
}

/** Refuses keys of `options` that are not in `known`: throws `TypeError` naming the key and the nearest known one. */
export function checkOptions(act: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TypeError(
        `Cannot ${act} as the option ${JSON.stringify(key)} is not known: ${
          describeNames(key, known)
        }`,
      );
    }
  }
}

/** Refuses indices that an axis does not have and, for columns, those given twice. */
export function checkIndices(
  indices: ArrayLike<number>,
  length: number,
  options: { act: string; unique: boolean },
): void {
  const seen = new Uint8Array(options.unique ? length : 0);
  for (let k = 0; k < indices.length; k++) {
    const index = indices[k]!;
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new RangeError(
        `Cannot ${options.act} as indices must be integers in 0 .. ${length - 1}: got ${index}`,
      );
    }
    if (!options.unique) continue;
    if (seen[index]) {
      throw new RangeError(`Cannot ${options.act} as an index must not repeat: got ${index} twice`);
    }
    seen[index] = 1;
  }
}

/** Throws `RangeError` where `offset .. offset + length` is not inside the source. */
export function checkRange(
  source: { readonly size: number; readonly name: string },
  offset: number,
  length: number,
): void {
  const whole = Number.isInteger(offset) && Number.isInteger(length);
  if (!whole || offset < 0 || length < 0 || offset + length > source.size) {
    throw new RangeError(
      `Cannot read ${length} bytes at ${offset} as ${source.name} has ${source.size} bytes`,
    );
  }
}
