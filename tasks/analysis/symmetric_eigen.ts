/** Eigenvalues of a small dense symmetric matrix. */

/** Eigenpairs, largest value first. */
export interface Eigen {
  /** Eigenvalues [m], descending. */
  readonly values: Float64Array;
  /** Eigenvectors as rows [m, m], of unit length. */
  readonly vectors: Float64Array;
}

/** A symmetric tridiagonal matrix T = R A Rᵀ. */
interface Tridiagonal {
  /** Diagonal [m]. */
  readonly diagonal: Float64Array;
  /** Element i couples i and i+1 [m]; the last is 0. */
  readonly coupling: Float64Array;
  /** R [m, m]; turned into the eigenvectors by the QL steps. */
  readonly rows: Float64Array;
}

/**
 * All eigenpairs, by Householder reflections to tridiagonal form and implicit QL steps.
 *
 * Reference: Golub and Van Loan, Matrix Computations, section 8.3.
 *
 * @param matrix Symmetric matrix [m, m], row-major; left as it is
 * @param size m
 * @returns Eigenpairs
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const { diagonal, coupling, rows } = tridiagonalize(matrix, size);
  for (let low = 0; low < size; low++) {
    for (let step = 0; step < 60; step++) {
      const high = firstNegligible({ diagonal, coupling, rows }, low);
      if (high === low) break;
      stepQl({ diagonal, coupling, rows }, low, high);
    }
  }
  const order = Array.from({ length: size }, (_, i) => i);
  order.sort((i, j) => diagonal[j]! - diagonal[i]! || i - j);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) =>
    vectors.set(rows.subarray(from * size, (from + 1) * size), to * size)
  );
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/** Reflects the columns below the subdiagonal to zero, one after the other. */
function tridiagonalize(matrix: Float64Array, size: number): Tridiagonal {
  const a = matrix.slice();
  const rows = new Float64Array(size * size);
  for (let i = 0; i < size; i++) rows[i * size + i] = 1;
  for (let k = 0; k + 2 < size; k++) {
    const v = new Float64Array(size); // 0 .. k are zero
    let square = 0;
    for (let i = k + 1; i < size; i++) {
      v[i] = a[i * size + k]!;
      square += v[i]! ** 2;
    }
    if (square === 0) continue;
    const length = Math.sqrt(square) * (v[k + 1]! < 0 ? -1 : 1);
    const half = square + length * v[k + 1]!; // vᵀv / 2 after the next line
    v[k + 1]! += length;
    reflectBothSides(a, v, { size, half });
    reflectRows(rows, v, { size, half });
  }
  const diagonal = new Float64Array(size), coupling = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    diagonal[i] = a[i * size + i]!;
    if (i + 1 < size) coupling[i] = a[(i + 1) * size + i]!;
  }
  return { diagonal, coupling, rows };
}

/** A <- H A H with H = I - v vᵀ / half. */
function reflectBothSides(
  a: Float64Array,
  v: Float64Array,
  { size, half }: { size: number; half: number },
): void {
  const w = new Float64Array(size);
  let along = 0;
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += a[i * size + j]! * v[j]!;
    w[i] = sum / half;
    along += w[i]! * v[i]!;
  }
  for (let i = 0; i < size; i++) w[i]! -= along / (2 * half) * v[i]!;
  for (let i = 0; i < size; i++) {
    const vi = v[i]!, wi = w[i]!;
    for (let j = 0; j < size; j++) a[i * size + j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** R <- H R. */
function reflectRows(
  rows: Float64Array,
  v: Float64Array,
  { size, half }: { size: number; half: number },
): void {
  const along = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const vi = v[i]!;
    if (vi !== 0) { for (let j = 0; j < size; j++) along[j]! += vi * rows[i * size + j]!; }
  }
  for (let i = 0; i < size; i++) {
    const scale = v[i]! / half;
    if (scale !== 0) { for (let j = 0; j < size; j++) rows[i * size + j]! -= scale * along[j]!; }
  }
}

/** The first index from `low` on whose coupling to the next is below rounding. */
function firstNegligible({ diagonal, coupling }: Tridiagonal, low: number): number {
  let at = low;
  while (at + 1 < diagonal.length) {
    const scale = Math.abs(diagonal[at]!) + Math.abs(diagonal[at + 1]!);
    if (Math.abs(coupling[at]!) <= Number.EPSILON * scale) break;
    at++;
  }
  return at;
}

/** One QL step with Wilkinson's shift on low .. high; the same rotations turn the rows. */
function stepQl({ diagonal: d, coupling: e, rows }: Tridiagonal, low: number, high: number): void {
  const ratio = (d[low + 1]! - d[low]!) / (2 * e[low]!);
  const shift = d[low]! - e[low]! / (ratio + (ratio < 0 ? -1 : 1) * Math.hypot(ratio, 1));
  let cos = 1, sin = 1, carried = 0;
  let g = d[high]! - shift;
  for (let i = high - 1; i >= low; i--) {
    const f = sin * e[i]!, b = cos * e[i]!;
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) { // the matrix split: the next step works on the parts
      d[i + 1]! -= carried;
      e[high] = 0;
      return;
    }
    sin = f / r;
    cos = g / r;
    g = d[i + 1]! - carried;
    const next = (d[i]! - g) * sin + 2 * cos * b;
    carried = sin * next;
    d[i + 1] = g + carried;
    g = cos * next - b;
    rotateRows(rows, i, { size: d.length, cos, sin });
  }
  d[low]! -= carried;
  e[low] = g;
  e[high] = 0;
}

/** Turns rows i and i+1. */
function rotateRows(
  rows: Float64Array,
  i: number,
  { size, cos, sin }: { size: number; cos: number; sin: number },
): void {
  for (let at = i * size; at < (i + 1) * size; at++) {
    const lower = rows[at]!, upper = rows[at + size]!;
    rows[at + size] = sin * lower + cos * upper;
    rows[at] = cos * lower - sin * upper;
  }
}
