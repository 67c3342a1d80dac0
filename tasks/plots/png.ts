/** Raster images of figures. */
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import { refuseUnknownKeys } from "../../lib/mod.ts";

/** What the renderer is made of. A page fetches these files once; on a server they come from the npm packages by themselves. */
export interface PngAssets {
  /** Module `index_bg.wasm` of `@resvg/resvg-wasm` 2.6.2. */
  readonly wasm: BufferSource;
  /** Font files (TTF, OTF or WOFF2); the first family is the default. Those of `@fontsource/inter` suit the figures. */
  readonly fonts: readonly Uint8Array[];
}

/** Settings of {@linkcode svgToPng}. */
export interface PngOptions {
  /** Pixels of the image for one of the figure; 2 by default. */
  readonly scale?: number;
  /** Files of the renderer; required in a page. */
  readonly assets?: PngAssets;
}

let started: Promise<void> | undefined; // the renderer's module may be set up only once

/**
 * Renders a figure to a PNG file.
 *
 * @param svg SVG document, as the plots give it
 * @param options Settings
 * @returns File bytes
 * @throws {RangeError} When the scale is not positive, or the image would be larger than 16,384 pixels
 * @throws {TypeError} In a page without `assets`
 * @throws {SyntaxError} When the text is no SVG
 */
export async function svgToPng(
  svg: string,
  options: PngOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  refuseUnknownKeys(options, ["scale", "assets"], "render a PNG");
  const { scale = 2, assets = await serverAssets() } = options;
  if (!(scale > 0 && scale < Infinity)) {
    throw new RangeError(`Cannot render a PNG as scale must be > 0: got ${scale}`);
  }
  started ??= initWasm(assets.wasm);
  await started;
  const renderer = rendererOf(svg, scale, assets.fonts);
  try {
    const largest = scale * Math.max(renderer.width, renderer.height);
    if (largest > 16_384) {
      throw new RangeError(
        `Cannot render a PNG as its sides must be at most 16384 pixels: got ${Math.ceil(largest)}`,
      );
    }
    return Uint8Array.from(renderer.render().asPng());
  } finally {
    renderer.free();
  }
}

function rendererOf(
  svg: string,
  scale: number,
  fonts: readonly Uint8Array[],
): InstanceType<typeof Resvg> {
  const fitTo = { mode: "zoom", value: scale } as const;
  const font = { fontBuffers: [...fonts], defaultFontFamily: "Inter", sansSerifFamily: "Inter" };
  try {
    return new Resvg(svg, { fitTo, font });
  } catch (cause) {
    throw new SyntaxError(`Cannot render a PNG as the text must be an SVG document: ${cause}`, {
      cause,
    });
  }
}

async function serverAssets(): Promise<PngAssets> {
  if (!("Deno" in globalThis)) {
    throw new TypeError(
      "Cannot render a PNG in a page as its files must be given: pass `assets` with wasm and fonts",
    );
  }
  const { readPngAssets } = await import("./png_assets_deno.ts");
  return await readPngAssets();
}
