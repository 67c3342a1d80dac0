/** Shape rule and gradient of `gather_rows`. */
import { given, type OpRule } from "../rule.ts";
import { assertParam, bindAxes, f32 } from "./axes.ts";

/** y[t] = base[t] + table[index[t]]: an embedding lookup, added to what a token already has. */
export const gatherRows: OpRule<"gather_rows"> = {
  outputs(inputs, { paddingIdx }) {
    const { T, D } = bindAxes("gather_rows", inputs, { table: "V D", index: "u32 T", base: "T D" });
    assertParam(
      Number.isInteger(paddingIdx) && paddingIdx >= -1,
      "gather_rows",
      `paddingIdx must be a row, or -1 for none: got ${paddingIdx}`,
    );
    return { y: f32(T, D) };
  },
  gradient: {
    into: ["table", "base"],
    saves: (_, wanted) => wanted.has("table") ? ["index"] : [],
    backward({ run, params: { paddingIdx }, specs, saved, gradients, wanted }) {
      const values = given(gradients.y, "the gradient of y");
      if (!wanted.has("table")) return { base: values };
      const rows = specs.table.shape[0] ?? 0;
      const index = given(saved.index, "index");
      const { table } = run("scatter_rows", { values, index }, { rows, paddingIdx });
      return { table, base: values };
    },
  },
};
