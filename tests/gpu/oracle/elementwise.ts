/** Oracles of the ops that compute each element alone. */
import type { Activation } from "../../../gpu/ops.ts";
import { philox } from "../../../gpu/random.ts";
import { at, fill, type Oracle } from "./host.ts";

/** The error function to 1e-15: its series near 0, its continued fraction elsewhere. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = z, total = z;
    for (let n = 1; n < 100; n++) {
      term *= -z * z / n;
      total += term / (2 * n + 1);
    }
    return Math.sign(x) * total * 2 / Math.sqrt(Math.PI);
  }
  let fraction = z;
  for (let n = 120; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction);
}

/** The elementwise functions in float64. */
export const FUNCTIONS: { readonly [F in Activation | "log1p"]: (x: number) => number } = {
  none: (x) => x,
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => x > 0 ? x : 0.01 * x,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  log1p: Math.log1p,
};

/** y = fn(x). */
export const unary: Oracle<"unary"> = ({ x }, { fn }) => ({
  y: fill(x.shape, (...position) => FUNCTIONS[fn](at(x, ...position))),
});

/** y = a ∘ b. */
export const binary: Oracle<"binary"> = ({ a, b }, { fn }) => {
  const same = b.shape.join() === a.shape.join();
  const other = (m: number, d: number) =>
    same ? at(b, m, d) : b.shape.length === 1 ? at(b, d) : at(b, m, 0);
  const join = {
    add: (u: number, v: number) => u + v,
    sub: (u: number, v: number) => u - v,
    mul: (u: number, v: number) => u * v,
  }[fn];
  return { y: fill(a.shape, (m, d) => join(at(a, m!, d!), other(m!, d!))) };
};

/** y = alpha * x + beta * z. */
export const scaleAdd: Oracle<"scale_add"> = ({ x, z }, { alpha, beta }) => ({
  y: fill(
    x.shape,
    (...position) => alpha * at(x, ...position) + (z ? beta * at(z, ...position) : 0),
  ),
});

/** y = [a | b]. */
export const concat: Oracle<"concat"> = ({ a, b }) => {
  const [M, L] = a.shape as [number, number];
  return {
    y: fill([M, L + b.shape[1]!], (m, d) => d! < L ? at(a, m!, d!) : at(b, m!, d! - L)),
  };
};

/** y = columns start .. end of x. */
export const sliceColumns: Oracle<"slice_columns"> = ({ x }, { start, end }) => ({
  y: fill([x.shape[0]!, end - start], (m, d) => at(x, m!, start + d!)),
});

/** y[b,a] = x[a,b]. */
export const swapAxes: Oracle<"swap_axes"> = ({ x }) => {
  const [A, B, D] = x.shape as [number, number, number];
  return { y: fill([B, A, D], (b, a, d) => at(x, a!, b!, d!)) };
};

/** y[t] = base[t] + table[index[t]]. */
export const gatherRows: Oracle<"gather_rows"> = ({ table, index, base }) => ({
  y: fill(
    [index.shape[0]!, table.shape[1]!],
    (t, d) => at(table, at(index, t!), d!) + (base ? at(base, t!, d!) : 0),
  ),
});

/** y = x * keep/(1-p). */
export const dropout: Oracle<"dropout"> = ({ x, row_key }, { p, seed, stream }) => {
  const key = [seed % 4294967296, Math.floor(seed / 4294967296)] as const;
  return {
    y: fill(x.shape, (m, d) => {
      const entity = row_key ? [at(row_key, m!, 0), at(row_key, m!, 1)] as const : [m!, 0] as const;
      const words = philox([d! >> 2, ...entity, stream], key);
      return words[d! % 4]! >= p * 2 ** 32 ? at(x, m!, d!) / (1 - p) : 0;
    }),
  };
};
