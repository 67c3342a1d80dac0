/** Shape rule of `scatter_rows`, the gradient of a lookup. */
import type { OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** table[v] = Σ values[t] over index[t] = v, in ascending t whatever the device: the same bits in every run. */
export const scatterRows: OpRule<"scatter_rows"> = {
  outputs(inputs, { rows, paddingIdx }) {
    const { D } = bindAxes("scatter_rows", inputs, { values: "T D", index: "u32 T" });
    assertParam(
      Number.isInteger(rows) && rows >= 0,
      "scatter_rows",
      `rows must be an integer >= 0: got ${rows}`,
    );
    assertParam(
      Number.isInteger(paddingIdx) && paddingIdx >= -1,
      "scatter_rows",
      `paddingIdx must be a row, or -1 for none: got ${paddingIdx}`,
    );
    return { table: f32(rows, D) };
  },
  gradient: "none",
};
