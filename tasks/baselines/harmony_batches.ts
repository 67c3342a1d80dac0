/** Batches of cells by one or more variables, such as donor and technology. */

/** Cells of n names of batches, one of each variable. */
export interface Batches {
  /** Group of each cell [n]: the cells of a group share their batches in every variable. */
  readonly group: Uint32Array;
  /** Batches of each group, one of each variable [G, V]. */
  readonly levels: Uint32Array;
  /** V. */
  readonly nVariables: number;
  /** Share of the cells by batch [B]; the batches of a variable stand together, in the order of their names. */
  readonly shares: Float64Array;
  /** θ of each batch [B]. */
  readonly theta: Float64Array;
  /** λ of each batch [B]. */
  readonly lambda: Float64Array;
}

/** Settings of variables: one number for all, or one of each. */
export interface BatchSettings {
  /** θ. */
  readonly theta: number | readonly number[];
  /** λ. */
  readonly lambda: number | readonly number[];
}

/**
 * Sorts cells into batches and groups.
 *
 * @param variables Names of the cells' batches by variable [V][n]
 * @param settings θ and λ
 * @throws {RangeError} When a variable has fewer than two batches, or another number of cells or settings
 */
export function batchesOf(
  variables: readonly (readonly string[])[],
  settings: BatchSettings,
): Batches {
  const nVariables = variables.length, n = variables[0]!.length;
  const codes = new Uint32Array(n * nVariables);
  const theta: number[] = [], lambda: number[] = [], counts: number[] = [];
  variables.forEach((names, v) => {
    if (names.length !== n) {
      refuse(`variable ${v} must name the batches of ${n} cells`, names.length);
    }
    const levels = [...new Set(names)].sort();
    if (levels.length < 2) refuse(`variable ${v} must have two batches`, levels.length);
    const place = new Map(levels.map((name, at) => [name, counts.length + at]));
    for (const _ of levels) {
      counts.push(0);
      theta.push(settingOf(settings.theta, v, nVariables));
      lambda.push(settingOf(settings.lambda, v, nVariables));
    }
    names.forEach((name, i) => {
      const b = place.get(name)!;
      codes[i * nVariables + v] = b;
      counts[b]!++;
    });
  });
  return {
    ...groupsOf(codes, nVariables),
    nVariables,
    shares: Float64Array.from(counts, (count) => count / n),
    theta: Float64Array.from(theta),
    lambda: Float64Array.from(lambda),
  };
}

function settingOf(given: number | readonly number[], v: number, nVariables: number): number {
  if (typeof given === "number") return given;
  if (given.length !== nVariables) {
    refuse(
      `theta and lambda must be one number, or one of each of ${nVariables} variables`,
      given.length,
    );
  }
  return given[v]!;
}

/** The different rows of codes [n, V], and which of them each cell has. */
function groupsOf(codes: Uint32Array, nVariables: number): Pick<Batches, "group" | "levels"> {
  const places = new Map<string, number>(), levels: number[] = [];
  const group = Uint32Array.from({ length: codes.length / nVariables }, (_, i) => {
    const own = codes.subarray(i * nVariables, (i + 1) * nVariables), key = own.join();
    const place = places.get(key) ?? places.size;
    if (place === places.size) {
      places.set(key, place);
      levels.push(...own);
    }
    return place;
  });
  return { group, levels: Uint32Array.from(levels) };
}

/** Refuses with the act, the rule and the value. */
export function refuse(rule: string, value: number): never {
  throw new RangeError(`Cannot run Harmony as ${rule}: got ${value}`);
}
