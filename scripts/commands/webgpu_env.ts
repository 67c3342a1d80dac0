/** Makes Deno's WebGPU look for Vulkan alone on Linux. */

/**
 * Unless told otherwise, wgpu may fall back to OpenGL in silence there, and Mesa complains of a folder that it does not need; a process that
 * went through OpenGL has crashed at its end.
 */
export function settleWebGpu(): void {
  if (Deno.build.os !== "linux") return;
  for (
    const [name, value] of [["DENO_WEBGPU_BACKEND", "vulkan"], ["XDG_RUNTIME_DIR", "/tmp"]] as const
  ) {
    if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
  }
}
