/** The device suite in a page: WASM in a worker with and without shared memory, and WebGPU. */
import assert from "node:assert/strict";
import { findChromium } from "../../scripts/dev/chromium.ts";
import type { Suites } from "./page.ts";
import type { DeviceChoice, SuiteResult } from "./run_suite.ts";
import { writeLedger } from "../parity/ledger.ts";
import { bundle, serve, withPage } from "./site.ts";

const chromium = findChromium();
const required = Deno.env.get("CI") === "true";
if (chromium === undefined) console.log("browser tests are skipped: no Chromium on PATH");

interface Setting {
  readonly name: string;
  readonly isolated: boolean;
  readonly where: keyof Suites;
  readonly choice: DeviceChoice;
  /** Threads that the device must then have. */
  readonly threads: number;
  /** Name of the device in the parity ledger. */
  readonly ledger: string;
}

const SETTINGS: readonly Setting[] = [
  {
    name: "wasm worker isolated",
    isolated: true,
    where: "inWorker",
    choice: { kind: "wasm", threads: 2 },
    threads: 2,
    ledger: "WASM, Chromium, isolated worker",
  },
  {
    name: "wasm worker not isolated",
    isolated: false,
    where: "inWorker",
    choice: { kind: "wasm" },
    threads: 1,
    ledger: "WASM, Chromium, worker without shared memory",
  },
  {
    name: "webgpu",
    isolated: false,
    where: "inPage",
    choice: { kind: "webgpu" },
    threads: 1,
    ledger: "WebGPU on SwiftShader, Chromium",
  },
];

async function runInChromium({ isolated, where, choice }: Setting): Promise<SuiteResult> {
  assert(chromium, "no Chromium on PATH");
  const folder = await bundle(["tests/browser/page.ts", "tests/browser/worker.ts"]);
  await using server = serve(folder, { isolated });
  const result = await withPage(
    chromium,
    `http://localhost:${server.addr.port}/`,
    (page) =>
      page.evaluate(
        ([where, choice]) => (globalThis as unknown as { suites: Suites }).suites[where](choice),
        [where, choice] as const,
      ),
  );
  await Deno.remove(folder, { recursive: true });
  return result;
}

for (const setting of SETTINGS) {
  Deno.test({
    name: `chromium ${setting.name}`,
    ignore: chromium === undefined && !required,
    fn: async (t) => {
      const { crossOriginIsolated, threads, cases, parity } = await runInChromium(setting);
      assert.equal(crossOriginIsolated, setting.isolated);
      assert.equal(threads, setting.threads);
      assert(cases.length > 0, "the suite has no cases");
      for (const { name, error } of cases) await t.step(name, () => assert(!error, error));
      assert(parity.length > 20, `only ${parity.length} outputs were compared with the reference`);
      for (const row of parity) {
        await t.step(`${row.case}: ${row.output} is within ${row.bar}`, () => {
          assert.ok(row.error <= row.bar, `largest relative error ${row.error}`);
        });
      }
      await writeLedger(setting.ledger, parity);
    },
  });
}
