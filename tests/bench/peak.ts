/** The most a thread of this machine can do in 128-bit WebAssembly: twelve independent chains of fused multiply-add in registers. */
import asc from "assemblyscript/asc";

const CHAINS = 12;

/** Floating-point operations a second of one thread, the best of several runs. */
export async function wasmPeak(): Promise<number> {
  const chains = Array.from({ length: CHAINS }, (_, i) => `c${i}`);
  const source = `export function peak(n: i32): f32 {
    ${chains.map((c, i) => `let ${c} = f32x4.splat(${i});`).join(" ")}
    const a = f32x4.splat(0.9999), b = f32x4.splat(0.0001);
    for (let k = 0; k < n; k++) { ${
    chains.map((c) => `${c} = f32x4.relaxed_madd(${c}, a, b);`).join(" ")
  } }
    return f32x4.extract_lane(${chains.reduce((sum, c) => `f32x4.add(${sum}, ${c})`)}, 0);
  }`;
  let binary = new Uint8Array();
  await asc.main([
    "peak.ts",
    "--outFile=peak.wasm",
    "-O1",
    "--noAssert",
    "--runtime=stub",
    "--enable=simd,relaxed-simd",
  ], {
    readFile: (name: string) => name.endsWith("peak.ts") ? source : null,
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (contents instanceof Uint8Array) binary = contents.slice();
    },
    listFiles: () => [],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  const peak = exports.peak as (n: number) => number;
  const steps = 5_000_000;
  let best = Infinity;
  for (let run = 0; run < 12; run++) {
    const start = performance.now();
    peak(steps);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return steps * CHAINS * 8 / best;
}
