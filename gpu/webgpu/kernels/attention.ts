/** `attention` in WGSL: blockwise softmax(q·kᵀ/√(D/H))·v of packed cells, without anything of size N x N. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, type Program, unroll, variants } from "../program.ts";
import { LOWEST, vectorElement } from "./functions.ts";

/** Keys of a tile, and quads of a head that are staged at a time for the scores. */
const KEYS = 32, SLICE = 4;
/** Smallest exponent whose power of two is normal, and log2(e). */
const UNDERFLOW = "-126.0", LOG2E = "1.4426950408889634";

interface AttentionOptions {
  /** Quads (four columns) of a head. */
  readonly quads: number;
  /** Whether keys end at known[b] and later tokens add themselves. */
  readonly masked: boolean;
  /** How qkv is read. */
  readonly qkv: Element;
}

/** The shape of the work of one of 64 invocations: 8 x 8 of them share a block of queries. */
interface Tiling extends AttentionOptions {
  /** Rows of an invocation: ty, ty + 8, ... */
  readonly rows: number;
  /** Quads of the context an invocation holds: tx, tx + 8, ... */
  readonly parts: number;
  /** Keys whose values fit the staging memory (8 KiB). */
  readonly valueKeys: number;
}

/** Queries of a workgroup; wide heads take half, so that registers suffice. */
function queriesOf(quads: number): 32 | 64 {
  return quads > 16 ? 32 : 64;
}

/**
 * One workgroup for a block of queries of one head of one cell. Blocks start at the cell's first token, and keys are taken in
 * ascending order from there, so the numbers of a cell do not depend on where it lies in the batch.
 */
const program = variants((options: AttentionOptions): Program => {
  const queries = queriesOf(options.quads);
  const tiling: Tiling = {
    ...options,
    rows: queries / 8,
    parts: Math.ceil(options.quads / 8),
    valueKeys: options.quads > 16 ? KEYS / 2 : KEYS,
  };
  return {
    label: `attention ${JSON.stringify(options)}`,
    read: { qkv: options.qkv, offsets: "u32", ...(options.masked && { known: "u32" }) },
    write: { context: "f32", lse: "f32" },
    params: { heads: "u32", B: "u32", blocks: "u32", scale: "f32" },
    threads: 64,
    globals: globals(tiling, queries),
    body: `
  let block = group % p.blocks;
  let head = group / p.blocks;
  let cell = cell_of(block);
  let start = offsets[p.offsets_at + cell];
  let tokens = offsets[p.offsets_at + cell + 1u] - start;
  let query0 = (block - first_block(cell)) * ${queries}u;
  if (query0 >= tokens) { return; }
  let seen = ${options.masked ? "min(known[p.known_at + cell], tokens)" : "tokens"};
  let tx = lid % 8u;
  let ty = lid / 8u;
${eachRow(tiling, (r) => `  var top${r} = ${LOWEST}; var sum${r} = 0.0;`)}
${eachPart(tiling, (r, c) => `  var y${r}_${c} = vec4f();`)}
  for (var key0 = 0u; key0 < seen; key0 += ${KEYS}u) {
${eachRow(tiling, (r) => `    var s${r} = vec4f();`)}
${scores(tiling, queries)}
${onlineSoftmax(tiling)}
${weightedValues(tiling)}
  }
${options.masked ? ownKey(tiling) : ""}
${store(tiling)}`,
  };
});

function globals({ quads, qkv }: Tiling, queries: number): string {
  const load = qkv === "vec4f"
    ? "return qkv[p.qkv_at + at];"
    : "let e = p.qkv_at + 4u * at; return vec4f(qkv[e], qkv[e + 1u], qkv[e + 2u], qkv[e + 3u]);";
  return `
var<workgroup> staged: array<vec4f, 512>; // queries and keys of a slice, or partial results, or values
var<workgroup> weights: array<vec4f, ${
    queries * KEYS / 4
  }>; // [query][key / 4], the quads of a row shuffled against bank conflicts

// Quad of token row of the batch; part 0, 1, 2 is q, k, v.
fn quad_of(row: u32, part: u32, head: u32, quad: u32) -> vec4f {
  let at = (row * 3u + part) * p.heads * ${quads}u + head * ${quads}u + quad;
  ${load}
}
// Cell b gets as many blocks as it may need: first_block(b + 1) - first_block(b) >= ceil(tokens / ${queries}).
fn first_block(cell: u32) -> u32 { return offsets[p.offsets_at + cell] / ${queries}u + cell; }
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

/** s[r] += scores of rows ty + 8 r and keys key0 + 4 tx + 0..3, slice by slice of the head. */
function scores(tiling: Tiling, queries: number): string {
  const { quads } = tiling;
  const width = quads % SLICE === 0 ? `${SLICE}u` : `min(${SLICE}u, ${quads}u - slice)`;
  const row = (r: number) => `
        let q${r} = staged[quad * ${queries}u + ${8 * r}u + ty];
${[..."xyzw"].map((c, j) => `        s${r} = fma(vec4f(q${r}.${c}), k${j}, s${r});`).join("\n")}`;
  return `
    for (var slice = 0u; slice < ${quads}u; slice += ${SLICE}u) {
      let width = ${width};
      workgroupBarrier();
${stageSlice(queries)}
      workgroupBarrier();
      for (var quad = 0u; quad < width; quad++) {
        let key = ${SLICE * queries}u + quad * ${KEYS}u + tx;
${unroll(4, (c) => `        let k${c} = staged[key + ${c * KEYS / 4}u];`)}
${eachRow(tiling, row)}
      }
    }`;
}

/** Queries as [quad][query]; keys, transposed, as [column][key / 4] behind them. */
function stageSlice(queries: number): string {
  return `
      for (var i = lid; i < width * ${queries}u; i += 64u) {
        let query = query0 + i / width;
        var quad = vec4f();
        if (query < tokens) { quad = quad_of(start + query, 0u, head, slice + i % width); }
        staged[i % width * ${queries}u + i / width] = quad;
      }
      if (lid < width * ${KEYS / 4}u) {
        let column = lid % width;
        let key = lid / width * 4u;
        let at = ${SLICE * queries}u + column * ${KEYS}u + key / 4u;
${
    unroll(4, (j) =>
      `        var k${j} = vec4f();
        if (key0 + key + ${j}u < seen) { k${j} = quad_of(start + key0 + key + ${j}u, 1u, head, slice + column); }`)
  }
${
    [..."xyzw"].map((c, j) =>
      `        staged[at + ${j * KEYS / 4}u] = vec4f(k0.${c}, k1.${c}, k2.${c}, k3.${c});`
    ).join("\n")
  }
      }`;
}

/** e to a difference of scores. The difference is taken before the change of base, so that large scores cost no precision. */
function power(difference: string): string {
  return `exp2(max((${difference}) * ${LOG2E}, ${UNDERFLOW}))`;
}

/** Turns scores into weights against the running maximum of each row, and shrinks what was summed before. */
function onlineSoftmax(tiling: Tiling): string {
  const here = (r: number) => `${64 * r}u + ty * 8u`; // eight partial maxima of row ty + 8 r
  return `
    let left = vec4u(key0 + tx * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(seen);
    workgroupBarrier();
${
    eachRow(tiling, (r) => `
    s${r} = select(vec4f(${LOWEST}), s${r} * p.scale, left);
    staged[${here(r)} + tx].x = max(max(s${r}.x, s${r}.y), max(s${r}.z, s${r}.w));`)
  }
    workgroupBarrier();
${
    eachRow(tiling, (r) => {
      const part = (i: number) => `staged[${here(r)} + ${i}u].x`;
      const pair = (i: number) => `max(${part(i)}, ${part(i + 1)})`;
      return `    {
      let next = max(top${r}, max(max(${pair(0)}, ${pair(2)}), max(${pair(4)}, ${pair(6)})));
      let shrink = ${power(`top${r} - next`)};
      let w = select(vec4f(), exp2(max((s${r} - next) * ${LOG2E}, vec4f(${UNDERFLOW}))), left);
      top${r} = next;
      sum${r} = fma(sum${r}, shrink, (w.x + w.y) + (w.z + w.w));
${unroll(tiling.parts, (c) => `      y${r}_${c} *= shrink;`)}
      weights[${8 * r * KEYS / 4}u + ty * ${KEYS / 4}u + (tx ^ ty)] = w;
    }`;
    })
  }`;
}

/** y[r] += weights · values, a part of the tile's keys at a time. */
function weightedValues(tiling: Tiling): string {
  const { quads, valueKeys } = tiling;
  return `
    for (var key1 = 0u; key1 < ${KEYS}u; key1 += ${valueKeys}u) {
      workgroupBarrier();
      for (var i = lid; i < ${valueKeys * quads}u; i += 64u) {
        let key = key0 + key1 + i / ${quads}u;
        var value = vec4f();
        if (key < seen) { value = quad_of(start + key, 2u, head, i % ${quads}u); }
        staged[i] = value;
      }
      workgroupBarrier();
      for (var key = 0u; key < ${valueKeys}u; key += 4u) {
${valueQuads(tiling)}
      }
    }`;
}

/** Four keys of the staged values. Invocations beyond the last quad of a head read a neighbour's and store nothing. */
function valueQuads(tiling: Tiling): string {
  const { quads, parts } = tiling;
  const value = (j: number, c: number) => {
    const at = `(key + ${j}u) * ${quads}u + ${8 * c}u + tx`;
    return quads % 8 === 0 ? `staged[${at}]` : `staged[min(${at}, 511u)]`;
  };
  const row = (r: number) => `
      let w${r} = weights[${8 * r * KEYS / 4}u + ty * ${KEYS / 4}u + (((key1 + key) / 4u) ^ ty)];
${
    [..."xyzw"].map((c, j) =>
      unroll(
        parts,
        (part) => `      y${r}_${part} = fma(vec4f(w${r}.${c}), v${j}_${part}, y${r}_${part});`,
      )
    ).join("\n")
  }`;
  return `${unroll(4, (j) => unroll(parts, (c) => `      let v${j}_${c} = ${value(j, c)};`))}
${eachRow(tiling, row)}`;
}

/** Rows that are not among the known keys add their own key as one more term. */
function ownKey(tiling: Tiling): string {
  const quad = (c: number) => `tx + ${8 * c}u`;
  const row = (r: number) => `query0 + ${8 * r}u + ty`;
  const inside = (r: number, c: number) => `${row(r)} < tokens && ${quad(c)} < ${tiling.quads}u`;
  return `
  workgroupBarrier();
${
    eachRow(tiling, (r) =>
      `  {
    var own = 0.0;
${
        unroll(tiling.parts, (c) =>
          `    if (${inside(r, c)}) { own += dot(quad_of(start + ${row(r)}, 0u, head, ${
            quad(c)
          }), quad_of(start + ${row(r)}, 1u, head, ${quad(c)})); }`)
      }
    staged[${64 * r}u + lid].x = own;
  }`)
  }
  workgroupBarrier();
${
    eachRow(tiling, (r) =>
      `  if (${row(r)} >= seen) {
    let own = p.scale * ${sumOfEight(r)};
    let next = max(top${r}, own);
    let shrink = ${power(`top${r} - next`)};
    let w = ${power("own - next")};
    top${r} = next;
    sum${r} = sum${r} * shrink + select(0, w, tx == 0u);
${
        unroll(tiling.parts, (c) =>
          `    if (${inside(r, c)}) { y${r}_${c} = y${r}_${c} * shrink + w * quad_of(start + ${
            row(r)
          }, 2u, head, ${quad(c)}); }`)
      }
  }`)
  }`;
}

/** Divides by the sums, whose eighths lie in the invocations of a row, and writes context and lse. */
function store(tiling: Tiling): string {
  const { quads, parts } = tiling;
  return `
  workgroupBarrier();
${eachRow(tiling, (r) => `  staged[${64 * r}u + lid].x = sum${r};`)}
  workgroupBarrier();
${
    eachRow(tiling, (r) =>
      `  if (query0 + ${8 * r}u + ty < tokens) {
    let row = start + query0 + ${8 * r}u + ty;
    let all = ${sumOfEight(r)};
    if (tx == 0u) { lse[p.lse_at + row * p.heads + head] = top${r} + log(all); }
${
        unroll(parts, (c) => `
    if (tx + ${8 * c}u < ${quads}u) {
      let at = p.context_at + ((row * p.heads + head) * ${quads}u + tx + ${8 * c}u) * 4u;
      let value = y${r}_${c} / all;
${unroll(4, (i) => `      context[at + ${i}u] = value[${i}];`)}
    }`)
      }
  }`)
  }`;
}

function sumOfEight(r: number): string {
  const part = (i: number) => `staged[${64 * r}u + ty * 8u + ${i}u].x`;
  const pair = (i: number) => `(${part(i)} + ${part(i + 1)})`;
  return `((${pair(0)} + ${pair(2)}) + (${pair(4)} + ${pair(6)}))`;
}

function eachRow({ rows }: Tiling, text: (r: number) => string): string {
  return unroll(rows, text);
}

function eachPart({ rows, parts }: Tiling, text: (r: number, c: number) => string): string {
  return unroll(rows, (r) => unroll(parts, (c) => text(r, c)));
}

/** Attention of packed cells. */
export function attention(gpu: Dispatcher): Kernel<"attention", WebGpuBuffer> {
  return ({ qkv, offsets, known }, { context, lse }, { heads }) => {
    const [T, D] = context.shape as [number, number];
    const B = offsets.shape[0]! - 1;
    const quads = D / heads / 4;
    const blocks = Math.floor(T / queriesOf(quads)) + B;
    const scale = 1 / Math.sqrt(D / heads);
    const variant = program({ quads, masked: known !== undefined, qkv: vectorElement(qkv) });
    const views = { qkv, offsets, context, lse, ...(known && { known }) };
    const params = { heads, B, blocks, scale };
    gpu.dispatch(variant, { views, params, groups: heads * blocks });
  };
}
