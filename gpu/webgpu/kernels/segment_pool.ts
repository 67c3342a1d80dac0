/** `segment_pool` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { OpParams } from "../../ops.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { unroll, variants } from "../program.ts";

/** Columns of a workgroup, and invocations that share the rows of a column. */
const COLUMNS = 32, LANES = 8;
/** Rows a lane sums before it adds them to its total: short chains keep the error of long cells small. */
const RUN = 16;

const program = variants((
  { mode, weighted }: OpParams<"segment_pool"> & { weighted: boolean },
) => ({
  label: `segment_pool ${mode}${weighted ? " weighted" : ""}`,
  read: { x: "f32", offsets: "u32", ...(weighted && { weight: "f32" as const }) },
  write: { y: "f32" },
  params: { D: "u32", blocks: "u32" },
  threads: COLUMNS * LANES,
  globals: `var<workgroup> totals: array<f32, ${COLUMNS * LANES}>;`,
  body: `
  let cell = group / p.blocks;
  let column = group % p.blocks * ${COLUMNS}u + lid % ${COLUMNS}u;
  let start = offsets[p.offsets_at + cell];
  let end = offsets[p.offsets_at + cell + 1u];
  var total = 0.0;
  for (var run = start + lid / ${COLUMNS}u; run < end; run += ${LANES * RUN}u) {
    var part = 0.0;
    for (var t = run; t < min(end, run + ${LANES * RUN}u); t += ${LANES}u) {
      let value = x[p.x_at + t * p.D + min(column, p.D - 1u)];
      part += ${weighted ? "value * weight[p.weight_at + t]" : "value"};
    }
    total += part;
  }
  totals[lid] = total;
  workgroupBarrier();
${
    unroll(Math.log2(LANES), (step) => {
      const half = (COLUMNS * LANES) >> (step + 1);
      return `
  if (lid < ${half}u) { totals[lid] += totals[lid + ${half}u]; }
  workgroupBarrier();`;
    })
  }
  if (lid < ${COLUMNS}u && column < p.D) {
    y[p.y_at + cell * p.D + column] = totals[lid]${
    mode === "mean" ? " / f32(max(end - start, 1u))" : ""
  };
  }`,
}));

/** Mean, or sum, of a cell's rows. */
export function segmentPool(gpu: Dispatcher): Kernel<"segment_pool", WebGpuBuffer> {
  return ({ x, offsets, weight }, { y }, { mode }) => {
    const [B, D] = y.shape as [number, number];
    const blocks = Math.ceil(D / COLUMNS);
    const views = { x, offsets, y, ...(weight && { weight }) };
    const variant = program({ mode, weighted: weight !== undefined });
    gpu.dispatch(variant, { views, params: { D, blocks }, groups: B * blocks });
  };
}
