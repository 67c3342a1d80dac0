/** Cases of every op, for any device: odd sizes, edge tiles, cells without tokens, known masks, dropout. Runs in a page, too. */
import type { RunName } from "../oracle/host.ts";
import { CELL_CASES } from "./cells.ts";
import type { Cases } from "./draw.ts";
import { ELEMENT_CASES } from "./elementwise.ts";
import { GRADIENT_CASES } from "./gradients.ts";
import { LOSS_CASES } from "./losses.ts";
import { PRODUCT_CASES } from "./products.ts";
import { ROW_CASES } from "./rows.ts";

/** Cases by op: leaving one out does not compile. */
export const CASES: Cases<RunName> = {
  ...PRODUCT_CASES,
  ...ROW_CASES,
  ...ELEMENT_CASES,
  ...CELL_CASES,
  ...LOSS_CASES,
  ...GRADIENT_CASES,
};
