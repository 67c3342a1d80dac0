/** `attention` in WGSL: blockwise softmax(q·kᵀ/√(D/H))·v of packed cells, without anything of size N x N. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Program, variants } from "../program.ts";
import { drawKept, drawParams, DRAWS, keptOfQuery, OWN_KEPT } from "./attention_dropout.ts";
import {
  type AttentionOptions,
  COLUMNS,
  eachHalf,
  eachPart,
  eachRow,
  globalsOf,
  insideHead,
  K,
  locate,
  ownProducts,
  paramsOf,
  power,
  products,
  Q,
  quadOf,
  readsOf,
  rowOf,
  storeWeights,
  sumOfEight,
  THREADS,
  type Tiling,
  tilingOf,
  V,
  weighted,
} from "./attention_tiles.ts";
import { LOWEST, vectorElement } from "./functions.ts";

/** Keys of a tile are 64 where the registers suffice, so that queries are staged half as often. */
function halvesOf({ quads }: AttentionOptions): 1 | 2 {
  return quads > 16 ? 1 : 2;
}

/** Queries of a workgroup; wide heads take half, so that registers suffice. */
export function queriesOf(quads: number): 32 | 64 {
  return quads > 16 ? 32 : 64;
}

/** One workgroup for a block of queries of one head of one cell, which walks over the keys in ascending order. */
const program = variants((options: AttentionOptions): Program => {
  const tiling = tilingOf(options, queriesOf(options.quads), halvesOf(options));
  return {
    label: `attention ${JSON.stringify(options)}`,
    read: readsOf(options),
    write: { context: "vec4f", lse: "f32" },
    params: paramsOf(options),
    threads: THREADS,
    globals: globalsOf(tiling) + (options.dropout ? DRAWS : ""),
    body: `
${locate(tiling)}
  let row_end = tokens;
  let column_end = seen;
${
      eachRow(tiling, (r) => `
  var top${r} = ${LOWEST}; var sum${r} = 0.0;
${eachPart(tiling, (c) => `  var y${r}_${c} = vec4f();`)}`)
    }
  for (var column0 = 0u; column0 < seen; column0 += ${COLUMNS * tiling.halves}u) {
${eachRow(tiling, (r) => eachHalf(tiling, (h) => `    var s${r}_${h} = vec4f();`))}
${products(tiling, "s", [Q, K])}
${onlineSoftmax(tiling)}
${eachHalf(tiling, (h) => weightedHalf(tiling, h))}
  }
${options.masked ? ownKey(tiling) : ""}
${store(tiling)}`,
  };
});

/** Turns scores into weights against the running maximum of each row, and shrinks what was summed before. */
function onlineSoftmax(tiling: Tiling): string {
  const largest = (r: number) => {
    const part = (i: number) => `staged[${THREADS * r}u + ty * 8u + ${i}u].x`;
    const pair = (i: number) => `max(${part(i)}, ${part(i + 1)})`;
    return `max(max(${pair(0)}, ${pair(2)}), max(${pair(4)}, ${pair(6)}))`;
  };
  const over = (r: number, merge: (a: string, b: string) => string) =>
    Array.from({ length: tiling.halves }, (_, h) => `s${r}_${h}`).reduce(merge);
  return `
${
    eachHalf(tiling, (h) => `
    let left${h} = vec4u(column0 + ${
      COLUMNS * h
    }u + tx * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(seen);`)
  }
    workgroupBarrier();
${
    eachRow(tiling, (r) => `
${
      eachHalf(
        tiling,
        (h) => `    s${r}_${h} = select(vec4f(${LOWEST}), s${r}_${h} * p.scale, left${h});`,
      )
    }
    let m${r} = ${over(r, (a, b) => `max(${a}, ${b})`)};
    staged[${THREADS * r}u + lid].x = max(max(m${r}.x, m${r}.y), max(m${r}.z, m${r}.w));`)
  }
    workgroupBarrier();
${
    eachRow(tiling, (r) => `
    {
      let next = max(top${r}, ${largest(r)});
      let shrink = ${power(`top${r} - next`)};
${
      eachHalf(
        tiling,
        (h) =>
          `      s${r}_${h} = select(vec4f(), ${power(`s${r}_${h} - next`, "vec4f")}, left${h});`,
      )
    }
      let w = ${over(r, (a, b) => `${a} + ${b}`)};
      top${r} = next;
      sum${r} = fma(sum${r}, shrink, (w.x + w.y) + (w.z + w.w));
${eachPart(tiling, (c) => `      y${r}_${c} *= shrink;`)}
    }`)
  }`;
}

/** The values of half a tile, by its weights. */
function weightedHalf(tiling: Tiling, half: number): string {
  const weight = (r: number) =>
    tiling.dropout ? `select(vec4f(), s${r}_${half}, ${keptOfQuery(r, half)})` : `s${r}_${half}`;
  return `
${tiling.dropout ? drawKept(tiling, "queries", half) : ""}
${half > 0 ? "    workgroupBarrier();" : ""}
${eachRow(tiling, (r) => storeWeights(r, weight(r)))}
${weighted(tiling, "y", V, half)}`;
}

/** Rows that are not among the known keys add their own key as one more term. */
function ownKey(tiling: Tiling): string {
  const kept = tiling.dropout ? `select(0.0, 1.0, ${OWN_KEPT})` : "1.0";
  return `${ownProducts(tiling, [[Q, K]], `own = vec2f(p.scale * sums.x, ${kept});`)}
${
    eachRow(tiling, (r) => `
  if (${rowOf(r)} >= seen && ${rowOf(r)} < tokens) {
    let own = staged[${THREADS * r}u + lid].xy;
    let next = max(top${r}, own.x);
    let shrink = ${power(`top${r} - next`)};
    let w = ${power("own.x - next")};
    top${r} = next;
    sum${r} = sum${r} * shrink + select(0, w, tx == 0u);
${
      eachPart(tiling, (c) =>
        insideHead(
          tiling,
          c,
          `y${r}_${c} = y${r}_${c} * shrink + w * own.y * ${V(rowOf(r), quadOf(c))};`,
        ))
    }
  }`)
  }`;
}

/** Divides by the sums, whose eighths lie in the invocations of a row, and writes context and lse. */
function store(tiling: Tiling): string {
  const { quads, dropout } = tiling;
  return `
  workgroupBarrier();
${eachRow(tiling, (r) => `  staged[${THREADS * r}u + lid].x = sum${r};`)}
  workgroupBarrier();
${
    eachRow(tiling, (r) => `
  if (${rowOf(r)} < tokens) {
    let row = (start + ${rowOf(r)}) * p.heads + head;
    let all = ${sumOfEight(`${THREADS * r}u + ty * 8u`)}.x;
    if (tx == 0u) { lse[p.lse_at + row] = top${r} + log(all); }
${
      eachPart(tiling, (c) =>
        insideHead(
          tiling,
          c,
          `context[p.context_at + row * ${quads}u + ${quadOf(c)}] = y${r}_${c}${
            dropout ? " * p.gain" : ""
          } / all;`,
        ))
    }
  }`)
  }`;
}

/** Attention of packed cells. */
export function attention(gpu: Dispatcher): Kernel<"attention", WebGpuBuffer> {
  return ({ qkv, offsets, known, row_key }, { context, lse }, { heads, dropout }) => {
    const [T, D] = context.shape as [number, number];
    const B = offsets.shape[0]! - 1;
    const quads = D / heads / 4;
    const blocks = Math.floor(T / queriesOf(quads)) + B;
    const scale = 1 / Math.sqrt(D / heads);
    const drawn = dropout && row_key && { row_key };
    const variant = program({
      quads,
      masked: known !== undefined,
      dropout: drawn !== undefined,
      qkv: vectorElement(qkv),
    });
    gpu.dispatch(variant, {
      views: { qkv, offsets, ...(known && { known }), ...drawn, context, lse },
      params: { heads, B, blocks, scale, ...(dropout && drawParams(dropout)) },
      groups: heads * blocks,
    });
  };
}
