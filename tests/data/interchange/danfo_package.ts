/**
 * danfojs, installed into a cache folder of its own: it asks for a package by the address of an archive, which needs an
 * override, and brings 300 MB, so that it must not be among this project's imports.
 */

const FOLDER = new URL("../../../.cache/danfojs/", import.meta.url);

const PACKAGE = {
  private: true,
  dependencies: { danfojs: "1.2.0" },
  // The reader of spreadsheets, which is not used here; npm has an older one.
  overrides: { xlsx: "0.18.5" },
};

/** Installs the package with npm; says why where that is impossible. */
async function install(): Promise<string | undefined> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(new URL("package.json", FOLDER), JSON.stringify(PACKAGE));
  try {
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    const command = new Deno.Command("npm", { args, cwd: FOLDER, stderr: "piped", stdout: "null" });
    const { success, stderr } = await command.output();
    return success ? undefined : new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  } catch (error) {
    return (error as Error).message;
  }
}

/** The real danfojs, or undefined where it cannot be had. */
export async function loadDanfo<T>(): Promise<T | undefined> {
  const entry = new URL("node_modules/danfojs/dist/danfojs-browser/src/index.js", FOLDER);
  const there = await Deno.stat(entry).then(() => true, () => false);
  const problem = there ? undefined : await install();
  if (problem === undefined) {
    const { createRequire } = await import("node:module");
    return createRequire(FOLDER)("danfojs") as T;
  }
  console.log(`skipped: danfojs, as it cannot be installed: ${problem}`);
  return undefined;
}
