/** Runs cases of the reference on the CPU engine and on WebGPU, where there is one, and writes the ledger. */
import assert from "node:assert/strict";
import { type Device, openWasmDevice, openWebGpuDevice } from "../../mod.ts";
import type { ParityRow } from "./case.ts";
import { readRecorded } from "./fixtures.ts";
import { writeLedger } from "./ledger.ts";

/** Gives the figures of all cases on a device. */
export type ParityCases = (device: Device, read: typeof readRecorded) => AsyncIterable<ParityRow>;

const required = Deno.env.get("CI") === "true";

const DEVICES: Readonly<Record<string, () => Promise<Device>>> = {
  "WASM, Deno": () => openWasmDevice({ threads: 2 }),
  "WebGPU on software Vulkan, Deno": () => openWebGpuDevice({ software: true }),
};

/** One test a device, named `<what> on <device>`. */
export async function testOnEachDevice(what: string, cases: ParityCases): Promise<void> {
  for (const [name, open] of Object.entries(DEVICES)) {
    const opened = await open().catch((error: Error) => error);
    const missing = opened instanceof Error;
    if (missing) console.log(`${what} on ${name} is skipped: ${opened.message}`);
    else await opened[Symbol.asyncDispose]();
    Deno.test({
      name: `${what} on ${name}`,
      ignore: missing && !required,
      fn: (t) => compare(t, name, { open, cases }),
    });
  }
}

async function compare(
  t: Deno.TestContext,
  name: string,
  { open, cases }: { readonly open: () => Promise<Device>; readonly cases: ParityCases },
): Promise<void> {
  await using device = await open();
  const { liveBuffers } = device.memory;
  const rows: ParityRow[] = [];
  for await (const row of cases(device, readRecorded)) {
    rows.push(row);
    await t.step(`${row.case}: ${row.output} is within ${row.bar}`, () => {
      assert.ok(row.error <= row.bar, `largest relative error ${row.error}`);
    });
  }
  assert.ok(rows.length > 20, `only ${rows.length} figures were compared`);
  assert.equal(device.memory.liveBuffers, liveBuffers, "buffers were not freed");
  await writeLedger(name, rows);
}
