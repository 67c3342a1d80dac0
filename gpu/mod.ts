/**
 * Numbers to numbers, on any device: tensors, the ops table, the WebGPU and the WASM engine, and the random generator.
 *
 * @module
 */
export type { Device, DeviceBuffer, DeviceInfo, DeviceKind, MemoryStats, View } from "./device.ts";
export type { Dtype, HostArrays, Shape } from "./dtype.ts";
export { DeviceError, type DeviceErrorKind } from "./errors.ts";
export { openDevice, type OpenOptions } from "./open.ts";
export type {
  Activation,
  AdamParams,
  AttentionParams,
  Op,
  OpInputs,
  OpName,
  OpOutputs,
  OpParams,
  Ops,
  PointwiseLoss,
  UnaryFunction,
  UpdateName,
} from "./ops.ts";
export { philox, RandomStream, seedKey, STREAM, uniform53, type Words } from "./random.ts";
export type {
  BackwardContext,
  Gradient,
  InputName,
  OpRule,
  OutputName,
  Run,
  Spec,
} from "./rule.ts";
export { RULES } from "./rules.ts";
export { selfTest, type SelfTestReport } from "./self_test.ts";
export { run, update } from "./run.ts";
export { checkpoint, detach, scaleGradient, Tape } from "./tape.ts";
export { scope, Tensor } from "./tensor.ts";
export { openWasmDevice, type WasmDeviceOptions } from "./wasm/device.ts";
export { type Float64Factors, type Float64Matrix, Float64Space } from "./wasm/float64.ts";
export { openWebGpuDevice, type WebGpuOptions } from "./webgpu/device.ts";
export type { Simd } from "./wasm/module.ts";
