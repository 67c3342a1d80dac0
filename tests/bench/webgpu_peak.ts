/** What a GPU's float32 units can do through WebGPU: fused multiply-adds in registers, nothing else. */

const GROUPS = 4096, THREADS = 256, ROUNDS = 4096, CHAINS = 8;

/** Eight independent chains of vec4 multiply-adds an invocation. */
const SHADER = `
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(f32(id.x % 7u) * 0.1, 0.2, 0.3, 0.4);
${Array.from({ length: CHAINS }, (_, i) => `  var y${i} = x + ${i}.0;`).join("\n")}
  for (var i = 0u; i < ${ROUNDS / 16}u; i++) {
${
  Array.from(
    { length: 16 * CHAINS },
    (_, i) => `    y${i % CHAINS} = fma(y${i % CHAINS}, x, x);`,
  ).join("\n")
}
  }
  y[id.x] = ${Array.from({ length: CHAINS }, (_, i) => `y${i}`).join(" + ")};
}`;

/** FLOP/s of the best of five runs. */
export async function gpuPeak(): Promise<number> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  const device = await adapter!.requestDevice();
  const size = GROUPS * THREADS * 16;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const y = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size: 16, usage: COPY_DST | MAP_READ });
  const module = device.createShaderModule({ code: SHADER });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const entries = [{ binding: 0, resource: { buffer: y } }];
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const run = async (times: number) => {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(GROUPS);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, staging, 0, 16);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    staging.unmap();
    return (performance.now() - start) / 1000;
  };
  await run(1);
  // The difference of two lengths: what a submission costs by itself falls out.
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push((await run(24) - await run(4)) / 20);
  device.destroy();
  return GROUPS * THREADS * ROUNDS * CHAINS * 8 / Math.min(...times);
}
