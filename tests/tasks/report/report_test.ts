import assert from "node:assert/strict";
import { checkReport, type Report } from "../../../tasks/report/report.ts";
import { REPORT } from "./report.ts";

const [table] = REPORT.tables;

function withCells(cells: Record<string, number | number[]>): Report {
  return { ...REPORT, tables: [{ ...table!, rows: [{ name: "kNN", cells }] }] };
}

Deno.test("checkReport() refuses numbers that are none, and says where", () => {
  checkReport(REPORT);
  const place = /table "scores", row "kNN", column "accuracy"/;
  for (const cell of [NaN, Infinity, [0.9, NaN], []]) {
    assert.throws(() => checkReport(withCells({ accuracy: cell })), place);
  }
  assert.throws(() => checkReport(withCells({ acuracy: 1 })), /"acuracy" as it must be one of/);
});

Deno.test("checkReport() refuses keys that cannot name a file or come twice", () => {
  const [figure] = REPORT.figures;
  const odd = { ...REPORT, figures: [{ ...figure!, key: "../umap" }] };
  assert.throws(() => checkReport(odd), /got "..\/umap" at 0/);
  assert.throws(() => checkReport({ ...REPORT, tables: [table!, table!] }), /"scores" at 1/);
});
