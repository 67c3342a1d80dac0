/** The compiled kernels: which build this engine takes, and instances of it over a memory. */
import { PLAIN } from "./build/plain.ts";
import { RELAXED } from "./build/relaxed.ts";

/** A kernel: reads its arguments at `args`, does one of a run of independent chunks, may overwrite `scratch`. */
export type WasmKernel = (args: number, chunk: number, scratch: number) => void;

/** Names of the exported kernels. */
export type WasmKernelName =
  | "adam"
  | "addOuterProducts64"
  | "addPartials"
  | "attention"
  | "attentionGrad"
  | "attentionPool"
  | "attentionPoolGrad"
  | "batchNorm"
  | "batchNormGrad"
  | "binary"
  | "columnSums"
  | "concat"
  | "crossEntropy"
  | "crossEntropyGrad"
  | "dropout"
  | "gatherRows"
  | "gemm"
  | "l2Normalize"
  | "l2NormalizeGrad"
  | "layerNorm"
  | "layerNormGrad"
  | "multiplyRows64"
  | "pack"
  | "pointwiseLoss"
  | "pointwiseLossGrad"
  | "rowDot"
  | "scaleAdd"
  | "scatterRows"
  | "segmentPool"
  | "segmentSpread"
  | "sliceColumns"
  | "softmax"
  | "softmaxGrad"
  | "squares"
  | "swapAxes"
  | "topK"
  | "transpose"
  | "unary"
  | "unaryGrad"
  | "zero";

/** All kernels of an instance. */
export type WasmKernels = Readonly<Record<WasmKernelName, WasmKernel>>;

/** Sizes that the kernels were compiled with. */
export interface WasmSizes {
  /** Queries that attention takes at a time. */
  readonly attentionRows: number;
  /** Keys that attention takes at a time. */
  readonly attentionKeys: number;
  /** Queries that its gradient takes at a time. */
  readonly attentionGradRows: number;
  /** Keys that its gradient takes at a time. */
  readonly attentionGradKeys: number;
}

/** SIMD builds: with fused multiply-add and without. */
export type Simd = "relaxed" | "plain";

/** The fastest build that this engine accepts; throws where WASM SIMD is missing. */
export function bestSimd(): Simd {
  if (WebAssembly.validate(decode(RELAXED))) return "relaxed";
  if (WebAssembly.validate(decode(PLAIN))) return "plain";
  throw new TypeError(
    "Cannot open the WASM device as this engine has no WebAssembly SIMD with threads",
  );
}

/**
 * Compiles a build. The modules are built to import a shared memory; `shared: false` clears that flag in the import, for pages
 * that are not cross-origin isolated and so cannot share memory.
 */
export function compileKernels(simd: Simd, shared: boolean): WebAssembly.Module {
  const binary = decode(simd === "relaxed" ? RELAXED : PLAIN);
  if (!shared) binary[memoryFlagOffset(binary)] = 0x01; // 0x03: maximum and shared; 0x01: maximum
  return new WebAssembly.Module(binary);
}

/** Binds compiled kernels to a memory. */
export function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): { readonly kernels: WasmKernels; readonly sizes: WasmSizes } {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const { attentionRows, attentionKeys, attentionGradRows, attentionGradKeys, ...kernels } =
    exports;
  const size = (global: WebAssembly.ExportValue | undefined) =>
    Number((global as WebAssembly.Global).value);
  return {
    kernels: kernels as WasmKernels & WebAssembly.Exports,
    sizes: {
      attentionRows: size(attentionRows),
      attentionKeys: size(attentionKeys),
      attentionGradRows: size(attentionGradRows),
      attentionGradKeys: size(attentionGradKeys),
    },
  };
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64.replaceAll("\n", ""));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Position of the flags of the memory that is imported as env.memory: after the two names and the kind 0x02. */
function memoryFlagOffset(binary: Uint8Array): number {
  const pattern = [3, ...bytesOf("env"), 6, ...bytesOf("memory"), 0x02];
  for (let at = 8; at < binary.length - pattern.length; at++) {
    if (pattern.every((byte, i) => binary[at + i] === byte)) return at + pattern.length;
  }
  throw new Error("Cannot find the imported memory in the WASM kernels");
}

function bytesOf(text: string): number[] {
  return [...text].map((character) => character.charCodeAt(0));
}
