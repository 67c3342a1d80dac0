/**
 * `attention_grad` in WGSL: the weights are computed again from lse, once by blocks of queries for their gradient and once by blocks
 * of keys for those of keys and values, so that every number is summed by one invocation, in order and without atomics.
 */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, type Program, variants } from "../program.ts";
import { queriesOf } from "./attention.ts";
import {
  drawKept,
  drawParams,
  DRAWS,
  keptOfKey,
  keptOfQuery,
  OWN_KEPT,
} from "./attention_dropout.ts";
import {
  type AttentionOptions,
  COLUMNS,
  eachPart,
  eachRow,
  globalsOf,
  insideHead,
  K,
  loadQuad,
  locate,
  type Operand,
  ownProducts,
  paramsOf,
  power,
  products,
  Q,
  quadOf,
  readsOf,
  rowOf,
  storeWeights,
  THREADS,
  type Tiling,
  tilingOf,
  V,
  weighted,
} from "./attention_tiles.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { vectorElement } from "./functions.ts";

/** Keys of a workgroup: half of what the registers would take for one result, as there are two. */
const KEYS = 32;

interface GradientOptions extends AttentionOptions {
  /** How the gradient of the context is read. */
  readonly dy: Element;
}

/** The gradient of the context. */
const DY: Operand = (token, quad) => `slope_of(start + ${token}, head, ${quad})`;

/** slope[t,h] = context · context_gradient: the mean slope of a row's weights. */
const SLOPES = elementwise({
  label: "attention_grad slopes",
  read: { context: "f32", dy: "f32" },
  write: { slope: "f32" },
  params: { width: "u32" },
  body: `
  var sum = 0.0;
  for (var d = i * p.width; d < (i + 1u) * p.width; d++) {
    sum = fma(context[p.context_at + d], dy[p.dy_at + d], sum);
  }
  slope[p.slope_at + i] = sum;`,
});

const program = variants((options: GradientOptions & { by: "queries" | "keys" }): Program => {
  const { by, quads, dy, dropout } = options;
  const tiling = tilingOf(options, by === "keys" ? KEYS : queriesOf(quads));
  return {
    label: `attention_grad ${JSON.stringify(options)}`,
    read: { ...readsOf(options), dy, lse: "f32", slope: "f32" },
    write: { qkv_gradient: "vec4f" },
    params: paramsOf(options),
    threads: THREADS,
    globals: `${globalsOf(tiling)}
fn slope_of(row: u32, head: u32, quad: u32) -> vec4f {
  let at = (row * p.heads + head) * ${quads}u + quad;
  ${loadQuad("dy", dy)}
}
fn store(token: u32, head: u32, part: u32, quad: u32, value: vec4f) {
  let row = (token * 3u + part) * p.heads + head;
  qkv_gradient[p.qkv_gradient_at + row * ${quads}u + quad] = value;
}
${dropout ? DRAWS : ""}`,
    body: by === "keys" ? keys(tiling) : queries(tiling),
  };
});

/** `lse` or `slope` of a token. */
function statistic(name: "lse" | "slope", token: string): string {
  return `${name}[p.${name}_at + (start + ${token}) * p.heads + head]`;
}

/** Rows are queries, columns are keys: q_gradient = scale · Σ w (kept · dy·v - slope) k. */
function queries(tiling: Tiling): string {
  const token = (r: number) => `min(${rowOf(r)}, tokens - 1u)`;
  const slope = (r: number) =>
    tiling.dropout ? `select(vec4f(), d${r}_0 * p.gain, ${keptOfQuery(r)})` : `d${r}_0`;
  return `
${locate(tiling)}
  let row_end = tokens;
  let column_end = seen;
${
    eachRow(tiling, (r) => `
  let lse${r} = ${statistic("lse", token(r))};
  let slope${r} = ${statistic("slope", token(r))};
${eachPart(tiling, (c) => `  var y${r}_${c} = vec4f();`)}`)
  }
  for (var column0 = 0u; column0 < seen; column0 += ${COLUMNS}u) {
${eachRow(tiling, (r) => `    var s${r}_0 = vec4f(); var d${r}_0 = vec4f();`)}
${products(tiling, "s", [Q, K])}
${products(tiling, "d", [DY, V])}
${tiling.dropout ? drawKept(tiling, "queries") : ""}
    let left = ${TILE} < vec4u(seen);
${
    eachRow(tiling, (r) => `
    {
      let w = ${power(`s${r}_0 * p.scale - lse${r}`, "vec4f")};
      ${storeWeights(r, `select(vec4f(), w * (${slope(r)} - slope${r}), left)`)}
    }`)
  }
${weighted(tiling, "y", K)}
  }
${own(tiling)}
${
    storeRows(tiling, (r, c) => {
      const ownPart = tiling.masked ? ` + own.x * ${K(rowOf(r), quadOf(c))}` : "";
      return `store(token, head, 0u, ${quadOf(c)}, p.scale * (y${r}_${c}${ownPart}));`;
    })
  }`;
}

/**
 * Rows are keys, columns are queries: v_gradient = Σ w kept dy and k_gradient = scale · Σ w (kept · dy·v - slope) q. Keys that are not
 * known are seen by their own query alone, whatever the tiles say.
 */
function keys(tiling: Tiling): string {
  const kept = (r: number, value: string) =>
    tiling.dropout ? `select(vec4f(), ${value} * p.gain, ${keptOfKey(r)})` : value;
  const each = (name: "lse" | "slope") =>
    [..."xyzw"].map((c) => statistic(name, `queries.${c}`)).join(", ");
  return `
${locate(tiling)}
  let row_end = seen;
  let column_end = select(0u, tokens, row0 < seen);
${
    eachRow(
      tiling,
      (r) => eachPart(tiling, (c) => `  var k${r}_${c} = vec4f(); var v${r}_${c} = vec4f();`),
    )
  }
  for (var column0 = 0u; column0 < column_end; column0 += ${COLUMNS}u) {
${eachRow(tiling, (r) => `    var s${r}_0 = vec4f(); var d${r}_0 = vec4f();`)}
${products(tiling, "s", [K, Q])}
${products(tiling, "d", [V, DY])}
${tiling.dropout ? drawKept(tiling, "keys") : ""}
    let left = ${TILE} < vec4u(tokens);
    let queries = min(${TILE}, vec4u(tokens - 1u));
    let lse4 = vec4f(${each("lse")});
    let slope4 = vec4f(${each("slope")});
${
    eachRow(tiling, (r) => `
    {
      let w = ${power(`s${r}_0 * p.scale - lse4`, "vec4f")};
      d${r}_0 = select(vec4f(), w * (${kept(r, `d${r}_0`)} - slope4), left);
      ${storeWeights(r, `select(vec4f(), ${kept(r, "w")}, left)`)}
    }`)
  }
${weighted(tiling, "v", DY)}
    workgroupBarrier();
${eachRow(tiling, (r) => `    ${storeWeights(r, `d${r}_0`)}`)}
${weighted(tiling, "k", Q)}
  }
${own(tiling)}
${
    storeRows(tiling, (r, c) => {
      const part = (sum: string, ownPart: string) =>
        tiling.masked ? `select(${sum}, ${ownPart}, ${rowOf(r)} >= seen)` : sum;
      const k = part(`k${r}_${c}`, `own.x * ${Q(rowOf(r), quadOf(c))}`);
      const v = part(`v${r}_${c}`, `own.y * ${DY(rowOf(r), quadOf(c))}`);
      return `store(token, head, 1u, ${quadOf(c)}, p.scale * ${k});
      store(token, head, 2u, ${quadOf(c)}, ${v});`;
    })
  }`;
}

/** Numbers of an invocation's columns in their cell. */
const TILE = "(vec4u(column0 + tx * 4u) + vec4u(0u, 1u, 2u, 3u))";

/** What rows that are not among the known get of themselves: the slope of the score, and the weight as it was kept. */
function own(tiling: Tiling): string {
  if (!tiling.masked) return "";
  const kept = tiling.dropout ? `select(0.0, p.gain, ${OWN_KEPT})` : "1.0";
  return ownProducts(
    tiling,
    [[Q, K], [DY, V]],
    `
      let w = ${power(`sums.x * p.scale - ${statistic("lse", "row")}`)};
      let kept = ${kept};
      own = vec2f(w * (kept * sums.y - ${statistic("slope", "row")}), w * kept);`,
  );
}

/** Writes what an invocation holds of the rows that have a token. */
function storeRows(tiling: Tiling, each: (r: number, c: number) => string): string {
  return eachRow(tiling, (r) => `
  if (${rowOf(r)} < tokens) {
    let token = start + ${rowOf(r)};
    ${tiling.masked ? `let own = staged[${THREADS * r}u + lid].xy;` : ""}
${eachPart(tiling, (c) => insideHead(tiling, c, each(r, c)))}
  }`);
}

/** Gradient of attention by q, k and v. */
export function attentionGrad(gpu: Dispatcher): Kernel<"attention_grad", WebGpuBuffer> {
  return (inputs, { qkv_gradient }, { heads, dropout }) => {
    const { qkv, offsets, known, row_key, context, lse, context_gradient: dy } = inputs;
    const [T, D] = context.shape as [number, number];
    const B = offsets.shape[0]! - 1, quads = D / heads / 4;
    const drawn = dropout && row_key && { row_key };
    const options = {
      quads,
      masked: known !== undefined,
      dropout: drawn !== undefined,
      qkv: vectorElement(qkv),
      dy: vectorElement(dy),
    };
    const params = {
      heads,
      B,
      scale: 1 / Math.sqrt(D / heads),
      ...(dropout && drawParams(dropout)),
    };
    gpu.scratch([[T, heads]], (slope) => {
      gpu.dispatch(SLOPES, {
        views: { context, dy, slope },
        params: { count: T * heads, width: D / heads },
        groups: elementGroups(T * heads),
      });
      const views = {
        qkv,
        offsets,
        ...(known && { known }),
        ...drawn,
        dy,
        lse,
        slope,
        qkv_gradient,
      };
      for (const by of ["queries", "keys"] as const) {
        const blocks = Math.floor(T / (by === "keys" ? KEYS : queriesOf(quads))) + B;
        const work = { views, params: { ...params, blocks }, groups: heads * blocks };
        gpu.dispatch(program({ ...options, by }), work);
      }
    });
  };
}
