/** `gather_rows` in WGSL. */
import type { Kernel } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { elementGroups, elementwise } from "./elementwise.ts";

const program = variants(({ base }: { base: boolean }) =>
  elementwise({
    label: `gather_rows${base ? " base" : ""}`,
    read: { table: "f32", index: "u32", ...(base && { base: "f32" }) },
    write: { y: "f32" },
    params: { D: "u32" },
    body: `
  let row = index[p.index_at + i / p.D];
  let value = table[p.table_at + row * p.D + i % p.D];
  y[p.y_at + i] = ${base ? "base[p.base_at + i] + value" : "value"};`,
  })
);

/** y[t] = base[t] + table[index[t]]. */
export function gatherRows(gpu: Dispatcher): Kernel<"gather_rows", WebGpuBuffer> {
  return ({ table, index, base }, { y }) => {
    const count = sizeOf(y.shape);
    const views = { table, index, y, ...(base && { base }) };
    const params = { count, D: table.shape[1]! };
    gpu.dispatch(program({ base: base !== undefined }), {
      views,
      params,
      groups: elementGroups(count),
    });
  };
}
