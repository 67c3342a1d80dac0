import assert from "node:assert/strict";
import { type ReportDocument, reportJson } from "../../../tasks/report/json.ts";
import { summarize } from "../../../tasks/report/summary.ts";
import { HOSTILE, REPORT } from "./report.ts";

Deno.test("reportJson() gives back every number unrounded", () => {
  const document: ReportDocument = JSON.parse(reportJson(REPORT));
  const [ours, knn, none] = document.tables["scores"]!.rows;
  const values = [0.955, 0.946, 0.942];
  assert.deepEqual(ours!.results["accuracy"], { ...summarize(values), values });
  assert.deepEqual(knn!.results, {
    accuracy: { mean: 0.951, sd: 0, min: 0.951, max: 0.951, n: 1, values: [0.951] },
    seconds: { mean: 2, sd: 0, min: 2, max: 2, n: 1, values: [2] },
    ilisi: HOSTILE,
  });
  assert.deepEqual(none!.results, { accuracy: null, seconds: null, ilisi: null });
});

Deno.test("reportJson() has the layout that its schema names", () => {
  const document: ReportDocument = JSON.parse(reportJson(REPORT));
  assert.equal(document.schema, "scgpt-report/1");
  assert.deepEqual(Object.keys(document), [
    "schema",
    "title",
    "summary",
    "manifest",
    "tables",
    "figures",
    "notes",
    "limits",
  ]);
  assert.deepEqual(document.manifest, REPORT.manifest);
  assert.deepEqual(document.figures, { umap: { title: HOSTILE, file: "umap.svg" } });
  assert.deepEqual(document.tables["scores"]!.columns, ["accuracy", "seconds", "ilisi"]);
});
