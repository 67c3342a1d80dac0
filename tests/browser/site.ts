/** A site on localhost with the bundled test page, and a headless Chromium that opens it. */
import { chromium, type Page } from "playwright-core";
import { deno } from "../../scripts/dev/project.ts";
import { readRecorded } from "../parity/fixtures.ts";

const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-unsafe-webgpu",
  // Without zeroed workgroup memory, which no kernel may rely on, SwiftShader compiles a kernel in a tenth of the time.
  "--enable-dawn-features=disable_workgroup_init",
];

/** What makes a page cross-origin isolated, so that its threads can share memory. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** A page that hangs is closed after this long; a busy machine takes minutes for all kernels. */
const PATIENCE_MS = 15 * 60 * 1000;

const PAGE = `<!doctype html><title>tests</title><script type="module" src="/page.js"></script>`;

/** Bundles entry files for a browser; each becomes NAME.js in the folder that is returned. */
export async function bundle(entries: readonly string[]): Promise<string> {
  const folder = await Deno.makeTempDir();
  const { ok, text } = await deno([
    "bundle",
    "--platform=browser",
    "--outdir",
    folder,
    ...entries,
  ]);
  if (!ok) throw new Error(text);
  return folder;
}

/** Serves the page, the bundles and the reference's numbers on a free port. */
export function serve(
  folder: string,
  options: { isolated: boolean },
): Deno.HttpServer<Deno.NetAddr> {
  const isolation = options.isolated ? ISOLATION : {};
  return Deno.serve({ hostname: "localhost", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") {
      return new Response(PAGE, { headers: { ...isolation, "content-type": "text/html" } });
    }
    if (pathname.startsWith("/fixtures/")) {
      const recorded = await readRecorded(pathname.slice("/fixtures/".length));
      if (recorded !== undefined) return new Response(recorded, { headers: isolation });
    }
    const script = await Deno.readFile(folder + pathname).catch(() => undefined);
    if (script === undefined) return new Response("not found", { status: 404 });
    return new Response(script, { headers: { ...isolation, "content-type": "text/javascript" } });
  });
}

/** Opens a page in a Chromium with a fresh profile, hands it to `use`, and closes all. */
export async function withPage<T>(
  executablePath: string,
  url: string,
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const profile = await Deno.makeTempDir();
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: CHROMIUM_FLAGS,
  });
  const timer = setTimeout(() => context.close(), PATIENCE_MS);
  try {
    const page = await context.newPage();
    await page.goto(url);
    return await use(page);
  } finally {
    clearTimeout(timer);
    await context.close();
    await Deno.remove(profile, { recursive: true });
  }
}
