/** What any device must hold, as named checks that run in Deno and in a page. */
import type { Device } from "../../gpu/device.ts";
import { agreementChecks, type DeviceCheck } from "./suite/agreement.ts";
import { aloneChecks } from "./suite/alone.ts";
import { type Check, throwsSync } from "./suite/check.ts";
import { limitIsHeld, queueChecks } from "./suite/queue.ts";

/**
 * All checks of one device.
 *
 * @param open Opens a device with 1 GiB of memory, or the limit given; the checks share one but for the limit's
 * @param more Checks beside, on the same device and the kernels that it has compiled
 */
export function deviceSuite(
  open: (options?: { memoryLimitBytes: number }) => Promise<Device>,
  more: readonly DeviceCheck[] = [],
): Check[] {
  let shared: Promise<Device> | undefined;
  const device = () => shared ??= open();
  const checks = [...agreementChecks(), ...aloneChecks(), ...queueChecks(), ...more];
  return [
    ...checks.map(([name, check]) => ({ name, run: async () => await check(await device()) })),
    { name: "the memory limit is held", run: async () => await limitIsHeld(open) },
    {
      name: "dispose ends the device",
      run: async () => {
        const opened = await device();
        await opened[Symbol.asyncDispose]();
        await opened[Symbol.asyncDispose]();
        throwsSync(() => opened.alloc(4), Error);
      },
    },
  ];
}
