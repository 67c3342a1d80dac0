/** Leading eigenpairs of a large symmetric operator that is only known by its products. */
import { RandomStream, STREAM } from "../../gpu/mod.ts";
import { type Eigen, symmetricEigen } from "./symmetric_eigen.ts";

/** Settings of {@linkcode leadingEigen}. */
export interface LeadingEigenOptions {
  /** Order of the operator. */
  readonly size: number;
  /** Eigenpairs wanted. */
  readonly count: number;
  /** Seed of the starting vectors. */
  readonly seed: number;
  /** Largest residual |C v - λ v| relative to λ. */
  readonly tolerance: number;
  /**
   * Random vectors that the space grows from, 4 by default: eigenvalues of up to this multiplicity are found. Fewer reach further for the same
   * work where the largest values lie close together.
   */
  readonly block?: number;
  /** Awaited before each product. */
  readonly turn?: () => Promise<void>;
}

/** Share of a vector below which what is left of it is rounding. */
const NOTHING = 1e-10;

/**
 * The `count` largest eigenpairs by a randomised block Krylov space with full re-orthogonalisation (band Lanczos), in float64. The space
 * grows by one product at a time until the residuals of all wanted pairs are below the tolerance, or it is the whole space.
 *
 * Reference: Musco and Musco 2015, "Randomized block Krylov methods"; Ruhe 1979 for the band form.
 *
 * @param multiply v -> C v for a symmetric positive semidefinite C; must return a new array
 * @param options Sizes and accuracy
 * @returns Values [count] and vectors as rows [count, size]; fewer when C has a smaller rank
 */
export async function leadingEigen(
  multiply: (vector: Float64Array) => Float64Array,
  { size, count, seed, tolerance, block = 4, turn }: LeadingEigenOptions,
): Promise<Eigen> {
  const basis: Float64Array[] = []; // orthonormal vectors [size]
  const projected: Float64Array[] = []; // column j: <basis[i], C basis[j]> for every i known when j was multiplied
  const random = new RandomStream(seed, STREAM.solver);
  for (let start = 0; start < Math.min(block, size); start++) {
    const vector = Float64Array.from({ length: size }, () => random.normal());
    append(basis, vector);
  }
  let next = 3 * count + block;
  for (;;) {
    const done = projected.length === basis.length; // invariant space: exact
    if (done || projected.length >= next) {
      const pairs = symmetricEigen(square(projected), projected.length);
      if (done || converged(pairs, projected, { count, tolerance, block })) {
        return combine(pairs, basis, count);
      }
      next = Math.ceil(projected.length * 1.25);
    }
    await turn?.();
    projected.push(append(basis, multiply(basis[projected.length]!)));
  }
}

/**
 * Makes `vector` orthogonal to the basis (Gram-Schmidt, twice) and appends what is left, unless it is nothing.
 * Returns its coordinates in the basis.
 */
function append(basis: Float64Array[], vector: Float64Array): Float64Array {
  const before = norm(vector);
  const coordinates = new Float64Array(basis.length + 1);
  for (let pass = 0; pass < 2; pass++) {
    for (const [i, q] of basis.entries()) {
      const along = dot(q, vector);
      coordinates[i]! += along;
      for (let d = 0; d < q.length; d++) vector[d]! -= along * q[d]!;
    }
  }
  const rest = norm(vector);
  if (rest <= NOTHING * before) return coordinates.subarray(0, -1);
  coordinates[basis.length] = rest;
  basis.push(vector.map((value) => value / rest));
  return coordinates;
}

/** C in the basis, restricted to the vectors that were multiplied: [m, m]. */
function square(projected: readonly Float64Array[]): Float64Array {
  const m = projected.length;
  const matrix = new Float64Array(m * m);
  for (const [j, column] of projected.entries()) {
    for (let i = 0; i < Math.min(column.length, m); i++) {
      matrix[i * m + j] = column[i]!;
      matrix[j * m + i] = column[i]!;
    }
  }
  return matrix;
}

/** Whether C v - λ v, which lies along the basis vectors not yet multiplied, is small for all wanted pairs. */
function converged(
  { values, vectors }: Eigen,
  projected: readonly Float64Array[],
  { count, tolerance, block }: { count: number; tolerance: number; block: number },
): boolean {
  const m = projected.length;
  for (let pair = 0; pair < count; pair++) {
    const outside = new Float64Array(block);
    for (let j = Math.max(0, m - block); j < m; j++) {
      const column = projected[j]!;
      for (let i = m; i < column.length; i++) {
        outside[i - m]! += column[i]! * vectors[pair * m + j]!;
      }
    }
    if (norm(outside) > tolerance * values[pair]!) return false;
  }
  return true;
}

/** Eigenvectors in the original coordinates. */
function combine({ values, vectors }: Eigen, basis: readonly Float64Array[], count: number): Eigen {
  const m = values.length, size = basis[0]!.length;
  const floor = Math.max(values[0] ?? 0, 0) * 1e-12; // below it lies only rounding
  const kept = Math.min(count, values.findLastIndex((value) => value > floor) + 1);
  const result = new Float64Array(kept * size);
  for (let pair = 0; pair < kept; pair++) {
    const row = result.subarray(pair * size, (pair + 1) * size);
    for (let j = 0; j < m; j++) {
      const weight = vectors[pair * m + j]!, q = basis[j]!;
      for (let d = 0; d < size; d++) row[d]! += weight * q[d]!;
    }
  }
  return { values: values.slice(0, kept), vectors: result };
}

/** Four sums side by side: one alone would wait for each addition. */
function dot(a: Float64Array, b: Float64Array): number {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, d = 0;
  for (; d + 3 < a.length; d += 4) {
    s0 += a[d]! * b[d]!;
    s1 += a[d + 1]! * b[d + 1]!;
    s2 += a[d + 2]! * b[d + 2]!;
    s3 += a[d + 3]! * b[d + 3]!;
  }
  for (; d < a.length; d++) s0 += a[d]! * b[d]!;
  return s0 + s1 + (s2 + s3);
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}
