/** A report with everything in it, and labels that try to break out. */
import { embeddingPlot } from "../../../tasks/plots/embedding.ts";
import type { Report } from "../../../tasks/report/report.ts";

/** Text that must never become markup. */
export const HOSTILE = `<script>alert(1)</script><img src=x onerror="alert(2)">&'"`;

/** The report. */
export const REPORT: Report = {
  title: `Annotation ${HOSTILE}`,
  summary: HOSTILE,
  manifest: { [HOSTILE]: HOSTILE, seeds: [1, 2, 3] },
  tables: [{
    key: "scores",
    title: HOSTILE,
    caption: HOSTILE,
    rowTitle: HOSTILE,
    columns: [
      { key: "accuracy", title: HOSTILE, better: "higher" },
      { key: "seconds", digits: 1, better: "lower" },
      { key: "ilisi" },
    ],
    rows: [
      { name: HOSTILE, cells: { accuracy: [0.955, 0.946, 0.942], seconds: [33, 36, 38] } },
      { name: "kNN", cells: { accuracy: 0.951, seconds: 2, ilisi: HOSTILE } },
      { name: "none", cells: { accuracy: null } },
    ],
  }],
  figures: [{
    key: "umap",
    title: HOSTILE,
    svg: embeddingPlot({ x: [0, 1], y: [1, 0], labels: [HOSTILE, "T"], title: HOSTILE }),
  }],
  notes: [HOSTILE],
  limits: [HOSTILE],
};
