/**
 * What the attention kernels share. A workgroup of 64 invocations, 8 x 8, takes a block of a cell's tokens as rows and walks over
 * tiles of 32 or 64 tokens as columns; an invocation holds the rows ty, ty + 8, ... and of each 32 columns 4 tx + 0..3. Blocks and
 * tiles start at the cell's first token, so the numbers of a cell do not depend on where it lies in the batch.
 */
import { type Element, unroll } from "../program.ts";

/** Columns of half a tile, and quads of a head that are staged at a time for products of rows and columns. */
export const COLUMNS = 32;
const SLICE = 4;
/** Quads of half a tile. */
const QUADS = COLUMNS / 4;
/** Invocations of a workgroup. */
export const THREADS = 64;
/** Smallest exponent whose power of two is normal, and log2(e). */
const UNDERFLOW = "-126.0", LOG2E = "1.4426950408889634";

/** What a kernel is made for. */
export interface AttentionOptions {
  /** Quads (four columns) of a head. */
  readonly quads: number;
  /** Whether keys end at known[b] and later tokens add themselves. */
  readonly masked: boolean;
  /** Whether weights are dropped. */
  readonly dropout: boolean;
  /** How qkv is read. */
  readonly qkv: Element;
}

/** The shape of the work of a workgroup. */
export interface Tiling extends AttentionOptions {
  /** Rows of a workgroup. */
  readonly block: 32 | 64;
  /** Rows of an invocation. */
  readonly rows: number;
  /** Halves of a tile, of 32 columns each: what a tile of rows is staged for. */
  readonly halves: 1 | 2;
  /** Quads of a result's row that an invocation holds: tx, tx + 8, ... */
  readonly parts: number;
  /** Columns whose quads fit the staging memory (8 KiB). */
  readonly stagedColumns: number;
}

/** A block of 32 or 64 rows, and tiles of 32 or 64 columns. */
export function tilingOf(options: AttentionOptions, block: 32 | 64, halves: 1 | 2 = 1): Tiling {
  return {
    ...options,
    block,
    rows: block / 8,
    halves,
    parts: Math.ceil(options.quads / 8),
    stagedColumns: options.quads > 16 ? COLUMNS / 2 : COLUMNS,
  };
}

/** WGSL of a quad of a token of the cell. */
export type Operand = (token: string, quad: string) => string;

/** Queries. */
export const Q: Operand = (token, quad) => `quad_of(start + ${token}, 0u, head, ${quad})`;
/** Keys. */
export const K: Operand = (token, quad) => `quad_of(start + ${token}, 1u, head, ${quad})`;
/** Values. */
export const V: Operand = (token, quad) => `quad_of(start + ${token}, 2u, head, ${quad})`;

/** Bindings that every attention kernel reads. */
export function readsOf({ qkv, masked, dropout }: AttentionOptions): Record<string, Element> {
  return {
    qkv,
    offsets: "u32",
    ...(masked && { known: "u32" }),
    ...(dropout && { row_key: "u32" }),
  };
}

/** Parameters of every attention kernel. */
export function paramsOf({ dropout }: AttentionOptions): Record<string, "u32" | "f32"> {
  return {
    heads: "u32",
    B: "u32",
    blocks: "u32",
    scale: "f32",
    ...(dropout &&
      { key0: "u32", key1: "u32", stream: "u32", threshold: "u32", gain: "f32" } as const),
  };
}

/** Workgroup memory and functions. */
export function globalsOf({ quads, qkv, block }: Tiling): string {
  return `
var<workgroup> staged: array<vec4f, 512>; // rows and columns of a slice, or partial results, or what is summed
var<workgroup> weights: array<vec4f, ${
    block * COLUMNS / 4
  }>; // [row][column / 4], the quads of a row shuffled against bank conflicts

// Quad of token row of the batch; part 0, 1, 2 is q, k, v.
fn quad_of(row: u32, part: u32, head: u32, quad: u32) -> vec4f {
  let at = (row * 3u + part) * p.heads * ${quads}u + head * ${quads}u + quad;
  ${loadQuad("qkv", qkv)}
}
// Cell b gets as many blocks as it may need: first_block(b + 1) - first_block(b) >= ceil(tokens / ${block}).
fn first_block(cell: u32) -> u32 { return offsets[p.offsets_at + cell] / ${block}u + cell; }
fn cell_of(block: u32) -> u32 {
  var low = 0u;
  var high = p.B;
  for (var step = 0u; step < 32u && high - low > 1u; step++) {
    let middle = (low + high) / 2u;
    if (first_block(middle) <= block) { low = middle; } else { high = middle; }
  }
  return low;
}`;
}

/** Returns quad `at` of a binding. */
export function loadQuad(name: string, element: Element): string {
  return element === "vec4f"
    ? `return ${name}[p.${name}_at + at];`
    : `let e = p.${name}_at + 4u * at;
  return vec4f(${name}[e], ${name}[e + 1u], ${name}[e + 2u], ${name}[e + 3u]);`;
}

/** Finds the block: its head, its cell's tokens, of which `seen` are seen by all, and its first row. */
export function locate({ block, masked }: Tiling): string {
  return `
  let block = group % p.blocks;
  let head = group / p.blocks;
  let cell = cell_of(block);
  let start = offsets[p.offsets_at + cell];
  let tokens = offsets[p.offsets_at + cell + 1u] - start;
  let row0 = (block - first_block(cell)) * ${block}u;
  if (row0 >= tokens) { return; }
  let seen = ${masked ? "min(known[p.known_at + cell], tokens)" : "tokens"};
  let tx = lid % 8u;
  let ty = lid / 8u;`;
}

/** The number of row r of an invocation in its cell. */
export function rowOf(r: number): string {
  return `row0 + ${8 * r}u + ty`;
}

/** sum[r][half] += row (of `left`) · columns (of `right`) column0 + 32 half + 4 tx + 0..3, slice by slice of the head. */
export function products(tiling: Tiling, sum: string, sides: readonly [Operand, Operand]): string {
  const { quads, block, halves } = tiling;
  const width = quads % SLICE === 0 ? `${SLICE}u` : `min(${SLICE}u, ${quads}u - slice)`;
  const row = (r: number) => `
        let l${r} = staged[quad * ${block}u + ${8 * r}u + (ty ^ shuffle)];
${
    [..."xyzw"].map((c, j) =>
      eachHalf(tiling, (h) => {
        const name = `${sum}${r}_${h}`;
        return `        ${name} = fma(vec4f(l${r}.${c}), r${j}_${h}, ${name});`;
      })
    ).join("\n")
  }`;
  const column = (j: number, h: number) =>
    `        let r${j}_${h} = staged[at + ${(j * halves + h) * QUADS}u];`;
  return `
    for (var slice = 0u; slice < ${quads}u; slice += ${SLICE}u) {
      let width = ${width};
      workgroupBarrier();
${stageSlice(tiling, sides)}
      workgroupBarrier();
      for (var quad = 0u; quad < width; quad++) {
        let shuffle = 2u * quad;
        let at = ${SLICE * block}u + quad * ${COLUMNS * halves}u + (tx ^ shuffle);
${unroll(4, (j) => eachHalf(tiling, (h) => column(j, h)))}
${eachRow(tiling, row)}
      }
    }`;
}

/**
 * Rows as [quad][row]; columns, transposed, as [column of the head][column / 4] behind them. Places are shuffled by the quad, so that
 * neighbouring invocations, which bring neighbouring quads, write into different banks.
 */
function stageSlice({ block, halves }: Tiling, [left, right]: readonly [Operand, Operand]): string {
  const column = (j: number) => `column0 + place * 4u + ${j}u`;
  return `
      for (var i = lid; i < width * ${block}u; i += ${THREADS}u) {
        let quad = i % width;
        let place = i / width;
        var value = vec4f();
        if (row0 + place < row_end) { value = ${left("row0 + place", "slice + quad")}; }
        staged[quad * ${block}u + (place ^ (2u * quad))] = value;
      }
      if (lid < width * ${QUADS * halves}u) {
        let quad = lid % width;
        let place = lid / width;
        let at = ${SLICE * block}u + quad * ${COLUMNS * halves}u + (place ^ (2u * quad));
${
    unroll(4, (j) =>
      `        var c${j} = vec4f();
        if (${column(j)} < column_end) { c${j} = ${right(column(j), "slice + quad")}; }`)
  }
${
    [..."xyzw"].map((c, j) =>
      `        staged[at + ${j * QUADS * halves}u] = vec4f(c0.${c}, c1.${c}, c2.${c}, c3.${c});`
    ).join("\n")
  }
      }`;
}

/** e to a difference of scores. The difference is taken before the change of base, so that large scores cost no precision. */
export function power(difference: string, type: "f32" | "vec4f" = "f32"): string {
  return `exp2(max((${difference}) * ${LOG2E}, ${type}(${UNDERFLOW})))`;
}

/** Puts the weights of row r, of half a tile, where `weighted` reads them. */
export function storeWeights(r: number, value: string): string {
  return `weights[${8 * r * COLUMNS / 4}u + ty * ${COLUMNS / 4}u + (tx ^ ty)] = ${value};`;
}

/** sum[r] += stored weights · columns of an operand, of a half of the tile and a part of its columns at a time. */
export function weighted(tiling: Tiling, sum: string, operand: Operand, half = 0): string {
  const { quads, stagedColumns } = tiling;
  return `
    for (var part = 0u; part < ${COLUMNS}u; part += ${stagedColumns}u) {
      workgroupBarrier();
      for (var i = lid; i < ${stagedColumns * quads}u; i += ${THREADS}u) {
        let column = column0 + ${COLUMNS * half}u + part + i / ${quads}u;
        var value = vec4f();
        if (column < column_end) { value = ${operand("column", `i % ${quads}u`)}; }
        staged[i] = value;
      }
      workgroupBarrier();
      for (var column = 0u; column < ${stagedColumns}u; column += 4u) {
${weightedQuads(tiling, sum)}
      }
    }`;
}

/** Four staged columns. Invocations beyond the last quad of a head read a neighbour's and store nothing. */
function weightedQuads(tiling: Tiling, sum: string): string {
  const { quads, parts } = tiling;
  const value = (j: number, c: number) => {
    const at = `(column + ${j}u) * ${quads}u + ${8 * c}u + tx`;
    return quads % 8 === 0 ? `staged[${at}]` : `staged[min(${at}, 511u)]`;
  };
  const add = (r: number, j: number, c: number) =>
    `      ${sum}${r}_${c} = fma(vec4f(w${r}.${"xyzw"[j]}), x${j}_${c}, ${sum}${r}_${c});`;
  const row = (r: number) => `
      let w${r} = weights[${8 * r * COLUMNS / 4}u + ty * ${
    COLUMNS / 4
  }u + (((part + column) / 4u) ^ ty)];
${unroll(4, (j) => unroll(parts, (c) => add(r, j, c)))}`;
  return `${unroll(4, (j) => unroll(parts, (c) => `      let x${j}_${c} = ${value(j, c)};`))}
${eachRow(tiling, row)}`;
}

/**
 * For each row, what it has with itself: `staged[64 r + lid].x` and `.y` become `own`, which `finish` computes from `sums`, the
 * products of the pairs. A loop, as only few rows of few cells are not known: unrolled, it would be most of the kernel.
 */
export function ownProducts(
  { rows, quads }: Tiling,
  pairs: readonly (readonly [Operand, Operand])[],
  finish: string,
): string {
  const add = ([left, right]: readonly [Operand, Operand], i: number) =>
    `        part[${i}] += dot(${left("row", "quad")}, ${right("row", "quad")});`;
  return `
  workgroupBarrier();
  for (var r = 0u; r < ${rows}u; r++) {
    let row = row0 + 8u * r + ty;
    let at = ${THREADS}u * r + 8u * ty;
    var part = vec2f();
    if (row >= seen && row < tokens) {
      for (var quad = tx; quad < ${quads}u; quad += 8u) {
${pairs.map(add).join("\n")}
      }
    }
    staged[at + tx] = vec4f(part, 0, 0);
    workgroupBarrier();
    let sums = ${sumOfEight("at")}.xy;
    var own = vec2f();
    if (row >= seen && row < tokens) {
${finish}
    }
    workgroupBarrier();
    staged[at + tx] = vec4f(own, 0, 0);
  }`;
}

/** The sum of the eight parts of a row that lie in `staged` from `at`. */
export function sumOfEight(at: string): string {
  const part = (i: number) => `staged[${at} + ${i}u]`;
  const pair = (i: number) => `(${part(i)} + ${part(i + 1)})`;
  return `((${pair(0)} + ${pair(2)}) + (${pair(4)} + ${pair(6)}))`;
}

/** Statements for quad c of an invocation, if it is one of the head. */
export function insideHead({ quads }: Tiling, c: number, statements: string): string {
  return 8 * c + 8 <= quads ? statements : `if (${quadOf(c)} < ${quads}u) { ${statements} }`;
}

/** Number of quad c of an invocation. */
export function quadOf(c: number): string {
  return `tx + ${8 * c}u`;
}

/** A text for each row of an invocation. */
export function eachRow({ rows }: Tiling, text: (r: number) => string): string {
  return unroll(rows, text);
}

/** A text for each half of a tile. */
export function eachHalf({ halves }: Tiling, text: (h: number) => string): string {
  return unroll(halves, text);
}

/** A text for each quad of a row of an invocation. */
export function eachPart({ parts }: Tiling, text: (c: number) => string): string {
  return unroll(parts, text);
}
