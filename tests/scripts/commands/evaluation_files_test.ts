import assert from "node:assert/strict";
import type { ReportTable } from "../../../mod.ts";
import { dataNames, tableText } from "../../../scripts/commands/evaluation_files.ts";

Deno.test("tableText() gives means with their spread, one number as it is, and a dash for none", () => {
  const table: ReportTable = {
    key: "scores",
    title: "Scores",
    columns: [{ key: "accuracy", title: "Accuracy" }, { key: "seconds", digits: 1 }, {
      key: "note",
    }],
    rows: [
      { name: "scGPT", cells: { accuracy: [0.9, 0.92], seconds: 2, note: "not defined" } },
      { name: "majority", cells: { accuracy: 0.4 } },
    ],
  };
  const [, head, , ours, , majority] = tableText(table).split("\n");
  const words = (line: string | undefined) => line!.split("│").map((word) => word.trim());
  assert.deepEqual(words(head), ["", "Method", "Accuracy", "seconds", "note", ""]);
  assert.deepEqual(words(ours), ["", "scGPT", "0.910 ± 0.014", "2.0", "-", ""]);
  assert.deepEqual(words(majority), ["", "majority", "0.400", "-", "-", ""]);
  assert.deepEqual(words(tableText(table, ["note"]).split("\n")[1]), ["", "Method", "note", ""]);
});

Deno.test("dataNames() leaves folders and endings out", () => {
  assert.equal(dataNames("/data/ref.h5ad", "query.h5ad"), "ref to query");
});
