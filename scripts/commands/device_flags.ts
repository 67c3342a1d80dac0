/** Flags of the commands that compute, and the device they open. */
import { type Device, openDevice } from "../../mod.ts";
import type { Context, Flag, FlagValues } from "./command.ts";
import { settleWebGpu } from "./webgpu_env.ts";

/** Flags that choose a device. */
export const DEVICE_FLAGS = {
  device: {
    kind: "string",
    help: "engine",
    choices: ["auto", "webgpu", "wasm"],
    byDefault: "auto: a GPU that passes the self-test, else the CPU",
  },
  software: {
    kind: "boolean",
    help: "accept a GPU that is emulated on the CPU (checks numbers, slow)",
  },
  threads: { kind: "integer", help: "threads of the CPU engine", byDefault: "all" },
  memoryLimitBytes: {
    kind: "integer",
    help: "most bytes of tensors",
    byDefault: "the engine's limit",
  },
} as const satisfies Record<string, Flag>;

/** Opens the device that the flags ask for and says which it is. */
export async function openFromFlags(
  flags: FlagValues<typeof DEVICE_FLAGS>,
  { say }: Context,
): Promise<Device> {
  const { device: kind, software, threads, memoryLimitBytes } = flags;
  settleWebGpu();
  const device = await openDevice({
    kind: (kind ?? "auto") as "auto" | "webgpu" | "wasm",
    ...software !== undefined && { software },
    ...threads !== undefined && { threads },
    ...memoryLimitBytes !== undefined && { memoryLimitBytes },
  });
  say(`device: ${device.info.kind}, ${device.info.name} (${device.info.features.join(", ")})`);
  return device;
}
