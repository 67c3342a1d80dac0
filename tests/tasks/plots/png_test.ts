import assert from "node:assert/strict";
import { svgToPng } from "../../../tasks/plots/png.ts";

function sheet(content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40">${content}</svg>`;
}

/** Width and height of a PNG file. */
function sizeOf(png: Uint8Array): [number, number] {
  assert.deepEqual([...png.subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

Deno.test("svgToPng() renders at the wanted scale", async () => {
  assert.deepEqual(sizeOf(await svgToPng(sheet(""))), [200, 80]);
  assert.deepEqual(sizeOf(await svgToPng(sheet(""), { scale: 3.5 })), [350, 140]);
});

Deno.test("svgToPng() has letters, Greek too", async () => {
  const empty = await svgToPng(sheet(""));
  const latin = await svgToPng(sheet(`<text y="20" font-family="Inter">T</text>`));
  const greek = await svgToPng(sheet(`<text y="20" font-family="Inter">γδ</text>`));
  assert.ok(latin.length > empty.length && greek.length > latin.length);
});

Deno.test("svgToPng() refuses what is no figure", async () => {
  await assert.rejects(svgToPng("<p>"), SyntaxError);
  await assert.rejects(svgToPng(sheet(""), { scale: 0 }), RangeError);
  await assert.rejects(svgToPng(sheet(""), { scale: 200 }), /at most 16384 pixels: got 20000/);
});
