/** The register-tiled matrix product behind `linear` and `matmul`. */
import type { Activation } from "../../ops.ts";
import { type Element, type Program, unroll, variants } from "../program.ts";
import { activationFunction } from "./functions.ts";

/** A variant of the product. */
export interface ProductOptions {
  /** `rows`: a is [M,K]; `columns`: a is [K,M]. */
  readonly aLayout: Layout;
  /** `rows`: b is [N,K]; `columns`: b is [K,N]. */
  readonly bLayout: Layout;
  /** How a is read. */
  readonly a: Element;
  /** How b is read. */
  readonly b: Element;
  /** How y is written. */
  readonly y: Element;
  /** Whether a row [N] is added. */
  readonly bias: boolean;
  /** Function of the sum. */
  readonly activation: Activation;
  /** Elements of y a workgroup computes along each side. */
  readonly tile: 64 | 128;
}

/** Values of k in one turn of the innermost loop. */
const UNROLLED = 4;

/** Whether the depth K runs along the rows of a stored matrix, or down its columns. */
export type Layout = "rows" | "columns";

/** Workgroups for y [G,M,N], and the tile: large ones where they fill a GPU. `G` counts the parts of a sum as well. */
export function productGrid(
  G: number,
  M: number,
  N: number,
): { tile: 64 | 128; groups: number; tilesM: number; tilesN: number } {
  const tilesOf = (tile: number) => G * Math.ceil(M / tile) * Math.ceil(N / tile);
  const tile = Math.min(M, N) >= 128 && tilesOf(128) >= 128 ? 128 : 64;
  return { tile, groups: tilesOf(tile), tilesM: Math.ceil(M / tile), tilesN: Math.ceil(N / tile) };
}

/**
 * 256 invocations, 16 x 16, each with 4 x 4 elements of y (8 x 8 in a large tile). Every element is one chain of fused
 * multiply-adds over k in ascending order, so it depends neither on the tile nor on what else is computed. Where `parts` is more than
 * one, y has the sums over `depth` values of k each, a multiple of 32.
 */
export const product: (options: ProductOptions) => Program = variants((options: ProductOptions) => {
  const { tile, bias } = options;
  const depth = tile === 128 ? 16 : 32; // of a tile: 16 KiB for both sides
  const quads = tile / 4;
  return {
    label: `product ${JSON.stringify(options)}`,
    read: { a: options.a, b: options.b, ...(bias && { bias: "f32" }) },
    write: { y: options.y },
    params: {
      M: "u32",
      N: "u32",
      K: "u32",
      tilesM: "u32",
      tilesN: "u32",
      parts: "u32",
      depth: "u32",
    },
    threads: 256,
    globals: `
var<workgroup> tile_a: array<vec4f, ${depth * quads}>; // [depth][tile / 4]
var<workgroup> tile_b: array<vec4f, ${depth * quads}>;
${readFunction("a", options.a)}
${readFunction("b", options.b)}
${activationFunction(options.activation, "vec4f")}
${writeFunction(options)}`,
    body: `
  let row0 = (group / p.tilesN) % p.tilesM * ${tile}u;
  let column0 = group % p.tilesN * ${tile}u;
  let result = group / (p.tilesN * p.tilesM);
  let batch = result / p.parts;
  let start = result % p.parts * p.depth;
  let end = min(p.K, start + p.depth);
  let tx = lid % 16u;
  let ty = lid / 16u;
${unroll(tile / 16, (r) => unroll(tile / 64, (j) => `  var y${r}_${j} = vec4f();`))}
  for (var k0 = start; k0 < end; k0 += ${depth}u) {
    if (lid < 128u) {
${stage("a", { layout: options.aLayout, depth, quads })}
    } else {
${stage("b", { layout: options.bLayout, depth, quads })}
    }
    workgroupBarrier();
    for (var k = 0u; k < ${depth}u; k += ${UNROLLED}u) {
${unroll(UNROLLED, (k) => multiply(k, tile))}
    }
    workgroupBarrier();
  }
${unroll(tile / 16, (r) => unroll(tile / 64, (j) => storeQuad(r, j)))}`,
  };
});

/** Four neighbours of a stored row, zeros outside the matrix. */
function readFunction(name: "a" | "b", element: Element): string {
  const value = element === "vec4f"
    ? `return ${name}[p.${name}_at + (start + row * columns + column) / 4u];`
    : `
  let at = p.${name}_at + start + row * columns + column;
  let left = columns - column;
  var quad = vec4f(${name}[at], 0, 0, 0);
  if (left > 1u) { quad.y = ${name}[at + 1u]; }
  if (left > 2u) { quad.z = ${name}[at + 2u]; }
  if (left > 3u) { quad.w = ${name}[at + 3u]; }
  return quad;`;
  return `
fn read_${name}(start: u32, row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  if (row >= rows || column >= columns) { return vec4f(); }
  ${value}
}`;
}

/** One invocation of 128 brings a 4 x 4 block into workgroup memory, with the depth outermost. */
function stage(
  name: "a" | "b",
  { layout, depth, quads }: { layout: Layout; depth: number; quads: number },
): string {
  const [length, origin, worker] = name === "a"
    ? ["p.M", "row0", "lid"]
    : ["p.N", "column0", "(lid - 128u)"];
  const read = (row: string, column: string, limits: string) =>
    unroll(
      4,
      (i) =>
        `      let v${i} = read_${name}(batch * ${length} * p.K, ${row} + ${i}u, ${column}, ${limits});`,
    );
  if (layout === "columns") {
    return `
      let quad = ${worker} % ${quads}u;
      let k = ${worker} / ${quads}u * 4u;
${read("k0 + k", `${origin} + quad * 4u`, `p.K, ${length}`)}
${unroll(4, (i) => `      tile_${name}[(k + ${i}u) * ${quads}u + quad] = v${i};`)}`;
  }
  return `
      let k = ${worker} % ${depth / 4}u * 4u;
      let quad = ${worker} / ${depth / 4}u;
${read(`${origin} + quad * 4u`, "k0 + k", `${length}, p.K`)}
${
    ["x", "y", "z", "w"].map((c, i) =>
      `      tile_${name}[(k + ${i}u) * ${quads}u + quad] = vec4f(v0.${c}, v1.${c}, v2.${c}, v3.${c});`
    ).join("\n")
  }`;
}

/** All multiply-adds of k + `k`. */
function multiply(k: number, tile: number): string {
  const parts = tile / 64;
  const load = (name: string, lane: string) =>
    unroll(
      parts,
      (i) =>
        `    let ${name}${k}_${i} = tile_${name}[k * ${tile / 4}u + ${
          k * tile / 4 + 16 * i
        }u + ${lane}];`,
    );
  return `
${load("a", "ty")}
${load("b", "tx")}
${
    unroll(4 * parts, (r) =>
      unroll(parts, (j) => {
        const a = `a${k}_${Math.floor(r / 4)}.${"xyzw"[r % 4]}`;
        return `    y${r}_${j} = fma(vec4f(${a}), b${k}_${j}, y${r}_${j});`;
      }))
  }`;
}

/** Row r and quad j of an invocation: rows are 4 ty + 0..3 (+ 64), quads are tx (+ 16). */
function storeQuad(r: number, j: number): string {
  const row = `row0 + ty * 4u + ${64 * Math.floor(r / 4) + r % 4}u`;
  return `  store(result, ${row}, column0 + tx * 4u + ${64 * j}u, y${r}_${j});`;
}

function writeFunction({ y, bias }: ProductOptions): string {
  const biased = bias
    ? "sum + vec4f(bias[first], bias[min(first + 1u, last)], bias[min(first + 2u, last)], bias[min(first + 3u, last)])"
    : "sum";
  const put = y === "vec4f"
    ? "y[p.y_at + at / 4u] = value;"
    : unroll(4, (i) => `  if (column + ${i}u < p.N) { y[p.y_at + at + ${i}u] = value[${i}]; }`);
  return `
fn store(result: u32, row: u32, column: u32, sum: vec4f) {
  if (row >= p.M || column >= p.N) { return; }
${bias ? "  let first = p.bias_at + column;\n  let last = p.bias_at + p.N - 1u;" : ""}
  let value = act(${biased});
  let at = (result * p.M + row) * p.N + column;
  ${put}
}`;
}
