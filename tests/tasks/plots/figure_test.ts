import assert from "node:assert/strict";
import { escapeXml, legendPanel, textLength } from "../../../tasks/plots/figure.ts";
import { stylesOf } from "../../../tasks/plots/palette.ts";

Deno.test("escapeXml() leaves no markup and no forbidden characters", () => {
  assert.equal(escapeXml(`a<b> & "c"\u0000\u001f`), "a&lt;b&gt; &amp; &quot;c&quot;");
});

Deno.test("legendPanel() takes more columns when the height runs out", () => {
  const entries = stylesOf(Array.from({ length: 30 }, (_, at) => `class ${at}`), "unknown")
    .map((style) => ({ ...style, count: 10 }));
  const one = legendPanel(entries, 700), two = legendPanel(entries, 340);
  assert.ok(one.height <= 700 && two.height <= 340);
  assert.ok(two.width > 2 * one.width);
});

Deno.test("textLength() grows with text and size", () => {
  assert.ok(textLength("CD14+ Monocyte", 12) > textLength("B", 12));
  assert.equal(textLength("NK", 24), 2 * textLength("NK", 12));
});
