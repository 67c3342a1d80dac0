/** One MatMul as an ONNX model, and its run in onnxruntime-web: the peer of our matrix product. */
import * as ort from "onnxruntime-web/wasm";

/** Protocol-buffer bytes, as far as a MatMul needs them. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value;; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push(rest % 128 + 128);
  }
}
const integer = (field: number, value: number) => [...varint(field << 3), ...varint(value)];
const bytes = (
  field: number,
  value: readonly number[],
) => [...varint(field << 3 | 2), ...varint(value.length), ...value];
const text = (field: number, value: string) => bytes(field, [...new TextEncoder().encode(value)]);

/** A float tensor's name and shape (ValueInfoProto). */
function valueInfo(name: string, shape: readonly number[]): number[] {
  const dims = shape.flatMap((length) => bytes(1, integer(1, length)));
  return [...text(1, name), ...bytes(2, bytes(1, [...integer(1, 1), ...bytes(2, dims)]))];
}

/** ModelProto of y = a · b. */
function matMulModel(M: number, K: number, N: number): Uint8Array {
  const node = [...text(1, "a"), ...text(1, "b"), ...text(2, "y"), ...text(4, "MatMul")];
  const graph = [
    ...bytes(1, node),
    ...text(2, "graph"),
    ...bytes(11, valueInfo("a", [M, K])),
    ...bytes(11, valueInfo("b", [K, N])),
    ...bytes(12, valueInfo("y", [M, N])),
  ];
  return Uint8Array.from([
    ...integer(1, 8),
    ...bytes(7, graph),
    ...bytes(8, [...text(1, ""), ...integer(2, 17)]),
  ]);
}

/** Prepares the product in onnxruntime-web (WASM, one thread); each call runs it once and returns its seconds. */
export async function ortMatMul(M: number, K: number, N: number): Promise<() => Promise<number>> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const { Worker } = globalThis; // onnxruntime-web puts Node's in its place
  const session = await ort.InferenceSession.create(matMulModel(M, K, N), {
    executionProviders: ["wasm"],
  });
  globalThis.Worker = Worker;
  const filled = (rows: number, columns: number) =>
    new ort.Tensor(
      "float32",
      Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
      [rows, columns],
    );
  const feeds = { a: filled(M, K), b: filled(K, N) };
  return async () => {
    const start = performance.now();
    await session.run(feeds);
    return (performance.now() - start) / 1000;
  };
}
