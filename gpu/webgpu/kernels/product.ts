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
 *
 * The next tiles are fetched into registers while these are multiplied. All of a tile's depth is unrolled, so that the first index of a
 * tile's memory is a constant and the check of the second, which naga writes, is the same for all of them and done once.
 */
export const product: (options: ProductOptions) => Program = variants((options: ProductOptions) => {
  const { tile, bias } = options;
  const tiling = tilingOf(tile);
  const memory = `array<array<vec4f, ${tiling.quads}>, ${tiling.depth}>`;
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
var<workgroup> tile_a: ${memory}; // [depth][tile / 4]
var<workgroup> tile_b: ${memory};
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
${unroll(4, (i) => `  var next${i} = vec4f();`)}
${fetch("start", options, tiling)}
  for (var k0 = start; k0 < end; k0 += ${tiling.depth}u) {
${put(options, tiling)}
    workgroupBarrier();
    if (k0 + ${tiling.depth}u < end) {
${fetch(`k0 + ${tiling.depth}u`, options, tiling)}
    }
${unroll(tiling.depth, (k) => multiply(k, tile))}
    workgroupBarrier();
  }
${unroll(tile / 16, (r) => unroll(tile / 64, (j) => storeQuad(r, j)))}`,
  };
});

/** How deep a tile is, and the quads of one of its sides. */
interface Tiling {
  readonly depth: number;
  readonly quads: number;
}

/** 16 KiB for both sides: half the invocations bring a 4 x 4 block of each. */
function tilingOf(tile: 64 | 128): Tiling {
  return { depth: tile === 128 ? 16 : 32, quads: tile / 4 };
}

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

/** The place of an invocation's block in the tile of its side: `k` along the depth, `quad` along the side. */
function placeOf(worker: string, layout: Layout, { depth, quads }: Tiling): string {
  return layout === "columns"
    ? `let k = ${worker} / ${quads}u * 4u; let quad = ${worker} % ${quads}u;`
    : `let k = ${worker} % ${depth / 4}u * 4u; let quad = ${worker} / ${depth / 4}u;`;
}

/** The lower half of the invocations does it for a, the upper for b. */
function eachSide(text: (name: "a" | "b", worker: string) => string): string {
  return `
    if (lid < 128u) {
${text("a", "lid")}
    } else {
${text("b", "(lid - 128u)")}
    }`;
}

/** Brings a 4 x 4 block of the tile at depth `k0` into the registers next0..3. */
function fetch(k0: string, options: ProductOptions, tiling: Tiling): string {
  return eachSide((name, worker) => {
    const layout = name === "a" ? options.aLayout : options.bLayout;
    const [length, origin] = name === "a" ? ["p.M", "row0"] : ["p.N", "column0"];
    const along = `${origin} + quad * 4u`, down = `${k0} + k`;
    const [row, column, limits] = layout === "columns"
      ? [down, along, `p.K, ${length}`]
      : [along, down, `${length}, p.K`];
    const read = (i: number) =>
      `      next${i} = read_${name}(batch * ${length} * p.K, ${row} + ${i}u, ${column}, ${limits});`;
    return `      ${placeOf(worker, layout, tiling)}\n${unroll(4, read)}`;
  });
}

/** Puts the block into workgroup memory, with the depth outermost. */
function put(options: ProductOptions, tiling: Tiling): string {
  return eachSide((name, worker) => {
    const layout = name === "a" ? options.aLayout : options.bLayout;
    const value = (i: number) => {
      const lane = "xyzw"[i];
      return layout === "columns"
        ? `next${i}`
        : `vec4f(next0.${lane}, next1.${lane}, next2.${lane}, next3.${lane})`;
    };
    const store = (i: number) => `      tile_${name}[k + ${i}u][quad] = ${value(i)};`;
    return `      ${placeOf(worker, layout, tiling)}\n${unroll(4, store)}`;
  });
}

/** All multiply-adds of depth k of the tile. */
function multiply(k: number, tile: number): string {
  const parts = tile / 64;
  const load = (name: string, lane: string) =>
    unroll(parts, (i) => `    let ${name}${k}_${i} = tile_${name}[${k}][${lane} + ${16 * i}u];`);
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
