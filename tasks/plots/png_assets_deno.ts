/** The renderer's files from the npm packages, on a server. */
import "@fontsource/inter/package.json" with { type: "json" }; // so that Deno installs the package
import type { PngAssets } from "./png.ts";

const WASM = "@resvg/resvg-wasm/index_bg.wasm";
/** Inter 4 (SIL Open Font License 1.1): Latin and Greek, as in "γδ T cells". */
const FONTS = ["latin", "latin-ext", "greek"].flatMap((script) =>
  ["400", "600"].map((weight) => `@fontsource/inter/files/inter-${script}-${weight}-normal.woff2`)
);

let assets: Promise<PngAssets> | undefined;

/**
 * Reads module and fonts once.
 *
 * @returns Files of the renderer
 * @throws {Deno.errors.NotFound} When a package is not installed
 */
export function readPngAssets(): Promise<PngAssets> {
  assets ??= Promise.all(
    [WASM, ...FONTS].map((name) => Deno.readFile(new URL(import.meta.resolve(name)))),
  )
    .then(([wasm, ...fonts]) => ({ wasm: wasm!, fonts }));
  return assets;
}
