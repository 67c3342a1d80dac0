/** Linear systems of symmetric positive definite matrices. */

/**
 * Solves matrix · x = right in place by Cholesky's decomposition. An unknown that the matrix says nothing of (a pivot of 0) becomes 0.
 *
 * @param matrix Symmetric, positive semidefinite [m, m], row-major; its lower triangle becomes the factor
 * @param right Right-hand sides [m, width], which become the solutions
 * @param m Unknowns
 */
export function solvePositive(matrix: Float64Array, right: Float64Array, m: number): void {
  factorize(matrix, m);
  const width = right.length / m;
  const take = (to: number, from: number, factor: number) => {
    for (let j = 0; j < width; j++) right[to * width + j]! -= factor * right[from * width + j]!;
  };
  const divide = (row: number) => {
    const pivot = matrix[row * m + row]!, inverse = pivot > 0 ? 1 / pivot : 0;
    for (let j = 0; j < width; j++) right[row * width + j]! *= inverse;
  };
  for (let row = 0; row < m; row++) {
    for (let before = 0; before < row; before++) take(row, before, matrix[row * m + before]!);
    divide(row);
  }
  for (let row = m - 1; row >= 0; row--) {
    for (let after = row + 1; after < m; after++) take(row, after, matrix[after * m + row]!);
    divide(row);
  }
}

/** The lower triangle of L with L Lᵀ = matrix. */
function factorize(matrix: Float64Array, m: number): void {
  for (let row = 0; row < m; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * m + column]!;
      for (let k = 0; k < column; k++) sum -= matrix[row * m + k]! * matrix[column * m + k]!;
      const pivot = matrix[column * m + column]!;
      if (column < row) matrix[row * m + column] = pivot > 0 ? sum / pivot : 0;
      else matrix[row * m + row] = Math.sqrt(Math.max(sum, 0));
    }
  }
}
