/** Every forward case of the reference on the CPU engine and on WebGPU; the page runs the same (tests/browser). */
import assert from "node:assert/strict";
import { type Device, openWasmDevice, openWebGpuDevice } from "../../mod.ts";
import type { ParityRow } from "./case.ts";
import { forwardParity } from "./forward.ts";
import { readRecorded } from "./fixtures.ts";
import { writeLedger } from "./ledger.ts";

const required = Deno.env.get("CI") === "true";

const DEVICES: Readonly<Record<string, () => Promise<Device>>> = {
  "WASM, Deno": () => openWasmDevice({ threads: 2 }),
  "WebGPU on software Vulkan, Deno": () => openWebGpuDevice({ software: true }),
};

for (const [name, open] of Object.entries(DEVICES)) {
  const opened = await open().catch((error: Error) => error);
  const missing = opened instanceof Error;
  if (missing) console.log(`parity on ${name} is skipped: ${opened.message}`);
  else await opened[Symbol.asyncDispose]();
  Deno.test({
    name: `parity on ${name}`,
    ignore: missing && !required,
    fn: (t) => compare(t, name, open),
  });
}

async function compare(
  t: Deno.TestContext,
  name: string,
  open: () => Promise<Device>,
): Promise<void> {
  await using device = await open();
  const { liveBuffers } = device.memory;
  const rows: ParityRow[] = [];
  for await (const row of forwardParity(device, readRecorded)) {
    rows.push(row);
    await t.step(`${row.case}: ${row.output} is within ${row.bar}`, () => {
      assert.ok(row.error <= row.bar, `largest relative error ${row.error}`);
    });
  }
  assert.ok(rows.length > 20, `only ${rows.length} outputs were compared`);
  assert.equal(device.memory.liveBuffers, liveBuffers, "buffers were not freed");
  await writeLedger(name, rows);
}
