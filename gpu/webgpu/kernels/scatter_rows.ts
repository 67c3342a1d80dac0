/** `scatter_rows` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { unroll, variants } from "../program.ts";

const THREADS = 256;
/** Tokens that a workgroup looks at between two barriers: a bit each in 32 words. */
const TOKENS = 1024;
/** Rows summed before they join the total: short chains keep the error of frequent rows small. */
const RUN = 32;

/**
 * One workgroup for a row of the table. Its invocations look through the ids side by side and mark the row's tokens by a bit; then
 * each adds these tokens, in ascending order, for its own columns lid, lid + 256, ... The order of the marks does not matter, so
 * the result is the same in every run.
 */
const program = variants(({ columns }: { columns: number }) => ({
  label: `scatter_rows ${columns}`,
  read: { values: "f32", index: "u32" },
  write: { table: "f32" },
  params: { T: "u32", D: "u32", paddingIdx: "u32" },
  threads: THREADS,
  globals: `
var<workgroup> marks: array<atomic<u32>, ${TOKENS / 32}>;
var<workgroup> marked: atomic<u32>; // words of marks that are not 0`,
  body: `
${unroll(columns, (c) => `  var part${c} = 0.0; var total${c} = 0.0;`)}
  var length = 0u; // rows in the parts
  let T = select(p.T, 0u, group == p.paddingIdx);
  for (var t0 = 0u; t0 < T; t0 += ${TOKENS}u) {
    if (lid < ${TOKENS / 32}u) { atomicStore(&marks[lid], 0u); }
    if (lid == 0u) { atomicStore(&marked, 0u); }
    workgroupBarrier();
${unroll(TOKENS / THREADS, (i) => mark(i * THREADS))}
    workgroupBarrier();
    for (var words = atomicLoad(&marked); words != 0u; words &= words - 1u) {
      let word = firstTrailingBit(words);
      for (var bits = atomicLoad(&marks[word]); bits != 0u; bits &= bits - 1u) {
        let row = p.values_at + (t0 + 32u * word + firstTrailingBit(bits)) * p.D + lid;
${
    unroll(
      columns,
      (c) => `        part${c} += values[row + ${THREADS * c}u];`,
    )
  }
        length++;
        if (length == ${RUN}u) {
${unroll(columns, (c) => `          total${c} += part${c}; part${c} = 0.0;`)}
          length = 0u;
        }
      }
    }
    workgroupBarrier();
  }
${
    unroll(columns, (c) => `
  if (lid + ${THREADS * c}u < p.D) {
    table[p.table_at + group * p.D + lid + ${THREADS * c}u] = total${c} + part${c};
  }`)
  }`,
}));

/** Marks token t0 + first + lid if it belongs to the row. */
function mark(first: number): string {
  return `    {
      let place = ${first}u + lid;
      if (t0 + place < T && index[p.index_at + t0 + place] == group) {
        atomicOr(&marks[place / 32u], 1u << (place % 32u));
        atomicOr(&marked, 1u << (place / 32u));
      }
    }`;
}

/** table[v] = Σ values[t] over index[t] = v, in ascending t. */
export function scatterRows(gpu: Dispatcher): Kernel<"scatter_rows", WebGpuBuffer> {
  return ({ values, index }, { table }, { rows, paddingIdx }) => {
    const [T, D] = values.shape as [number, number];
    gpu.dispatch(program({ columns: Math.ceil(D / THREADS) }), {
      views: { values, index, table },
      params: { T, D, paddingIdx },
      groups: rows,
    });
  };
}
