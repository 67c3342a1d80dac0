/**
 * `deno task test`: gets what the tests need where it can, runs them all (or the files given as arguments), and says which
 * devices were tested. With CI=true a device that was not tested counts as a failure. Last line: `N passed, N failed`.
 */
import { findChromium } from "./chromium.ts";
import { parseJunit, type TestCase } from "./junit.ts";

/** Debian packages that device tests need. */
type Package = "mesa-vulkan-drivers" | "chromium";

/** A device that tests run on, known by the file and name of its tests. */
interface DeviceTests {
  readonly name: string;
  readonly tests: RegExp;
  readonly needs?: Package;
}

const DEVICES: readonly DeviceTests[] = [
  { name: "WASM in Deno, 1 thread", tests: /gpu\/wasm_test\.ts .*\b1 thread\b/ },
  { name: "WASM in Deno, several threads", tests: /gpu\/wasm_test\.ts .*\b\d+ threads\b/ },
  {
    name: "WebGPU in Deno",
    tests: /gpu\/webgpu_test\.ts /,
    needs: "mesa-vulkan-drivers",
  },
  {
    name: "WASM in Chromium, several threads",
    tests: /browser_test\.ts chromium wasm worker isolated\b/,
    needs: "chromium",
  },
  {
    name: "WASM in Chromium, 1 thread",
    tests: /browser_test\.ts chromium wasm worker not isolated\b/,
    needs: "chromium",
  },
  {
    name: "WebGPU in Chromium",
    tests: /browser_test\.ts chromium webgpu\b/,
    needs: "chromium",
  },
];

/** wgpu may fall back to OpenGL in silence unless told not to, and Mesa complains of a folder that it does not need. */
const ENV = Deno.build.os === "linux"
  ? {
    DENO_WEBGPU_BACKEND: "vulkan",
    XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp",
  }
  : {};

/** True where Deno finds a WebGPU adapter; asked of a new process, as an answer may stick. */
async function hasWebGpu(): Promise<boolean> {
  const code = "Deno.exit(await navigator.gpu?.requestAdapter() ? 0 : 1)";
  const probe = new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    env: ENV,
    stderr: "null",
  });
  return (await probe.output()).success;
}

async function missingPackages(): Promise<Package[]> {
  const missing: Package[] = [];
  if (!await hasWebGpu()) missing.push("mesa-vulkan-drivers");
  if (findChromium() === undefined) missing.push("chromium");
  return missing;
}

/**
 * Installs what is missing on Debian as root; elsewhere prints the command. The tests run in either case.
 * Returns what is still missing.
 */
async function prepare(): Promise<Package[]> {
  const missing = await missingPackages();
  if (missing.length === 0) return missing;
  const names = missing.join(" ").replace("mesa-vulkan-drivers", "mesa-vulkan-drivers libvulkan1");
  const command = `apt-get update && apt-get install -y ${names}`;
  if (!await isRootOnDebian()) {
    console.log(`Some device tests need ${names}; on Debian: sudo sh -c "${command}"`);
    return missing;
  }
  console.log(`Installing ${names} for the device tests ...`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", command], env }).output();
  if (!success) console.log(`Cannot install them:\n${new TextDecoder().decode(stderr)}`);
  return await missingPackages();
}

async function isRootOnDebian(): Promise<boolean> {
  const isDebian = await Deno.stat("/etc/debian_version").then(() => true, () => false);
  return isDebian && Deno.uid() === 0;
}

/** Runs `deno test`; its report goes to this terminal, its results come back. */
async function runTests(paths: readonly string[]): Promise<{ ok: boolean; cases: TestCase[] }> {
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  const args = ["test", "--allow-all", `--junit-path=${junit}`, ...paths];
  const { success } = await new Deno.Command(Deno.execPath(), { args, env: ENV }).spawn().status;
  const cases = parseJunit(await Deno.readTextFile(junit));
  await Deno.remove(junit);
  return { ok: success, cases };
}

/** Prints a line per device, and returns how many were not tested. */
function reportDevices(cases: readonly TestCase[], missing: readonly Package[]): number {
  console.log("\nDevices");
  let untested = 0;
  for (const { name, tests, needs } of DEVICES) {
    const states = cases.filter((test) => tests.test(`${test.file} ${test.name}`))
      .map(({ state }) => state).filter((state) => state !== "skipped");
    if (states.length > 0) {
      const failed = states.filter((state) => state === "failed").length;
      console.log(`  ${name}: ${states.length - failed} passed, ${failed} failed`);
      continue;
    }
    untested++;
    const reason = needs && missing.includes(needs) ? `${needs} is missing` : "no test of it ran";
    console.log(`  ${name}: skipped, as ${reason}`);
  }
  return untested;
}

const missing = await prepare();
const { ok, cases } = await runTests(Deno.args.length > 0 ? Deno.args : ["tests/"]);
const untested = Deno.args.length > 0 ? 0 : reportDevices(cases, missing);
const count = (state: TestCase["state"]) => cases.filter((test) => test.state === state).length;
// A module that does not load has no test that could fail.
const failedTests = Math.max(count("failed"), ok ? 0 : 1);
const failed = failedTests + (Deno.env.get("CI") === "true" ? untested : 0);
if (count("skipped") > 0) console.log(`${count("skipped")} skipped`);
console.log(`${count("passed")} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
