// Eigenvalues and eigenvectors of a small symmetric matrix: Jacobi's rotations.

const SWEEPS = 30; // for a matrix of a few dozen rows a handful is enough

/** `matrix` is a list of rows and stays as it is. Returns { values, vectors }, smallest first; vectors[k] belongs to values[k]. */
export function symmetricEigen(matrix) {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const vectors = a.map((_, k) => Float64Array.from(a, (__, i) => (i === k ? 1 : 0)));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let turned = false;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) turned = rotate(a, vectors, p, q) || turned;
    if (!turned) break;
  }
  const order = vectors.map((_, k) => k).sort((i, j) => a[i][i] - a[j][j]);
  return { values: order.map((k) => a[k][k]), vectors: order.map((k) => vectors[k]) };
}

/** Make a[p][q] zero; false if it is nothing beside the diagonal. */
function rotate(a, vectors, p, q) {
  if (!(Math.abs(a[p][q]) > 1e-17 * (Math.abs(a[p][p]) + Math.abs(a[q][q])))) return false;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  const turned = (x, y) => [c * x - s * y, s * x + c * y];
  for (const row of a) [row[p], row[q]] = turned(row[p], row[q]);
  for (const rows of [a, vectors]) {
    for (let k = 0; k < a.length; k += 1) [rows[p][k], rows[q][k]] = turned(rows[p][k], rows[q][k]);
  }
  [a[p][q], a[q][p]] = [0, 0];
  return true;
}
