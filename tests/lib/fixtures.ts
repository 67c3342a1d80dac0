/** Reads the reference's recorded numbers in tests/fixtures. */
import { openSource } from "../../data/mod.ts";
import { readSafetensors } from "../../lib/io/safetensors.ts";
import type { StoredDtype } from "../../lib/io/stored_tensor.ts";

/** A recorded tensor; 64-bit integers as numbers. */
export interface Recorded {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

const FOLDER = new URL("../fixtures/", import.meta.url);

/** Path of a fixture. */
export function fixturePath(path: string): URL {
  return new URL(path, FOLDER);
}

/** Parsed JSON of a fixture. */
// deno-lint-ignore no-explicit-any
export function readJson(path: string): any {
  return JSON.parse(Deno.readTextFileSync(fixturePath(path)));
}

/** All tensors of a safetensors fixture; asking for one that is not there is an error. */
export async function readFixture(path: string): Promise<(name: string) => Recorded> {
  using source = await openSource(Deno.readFileSync(fixturePath(path)));
  const { tensors } = await readSafetensors(source);
  const recorded = new Map<string, Recorded>();
  for (const [name, { dtype, shape, read }] of tensors) {
    recorded.set(name, { shape, values: numbers(dtype, (await read()).slice().buffer) });
  }
  return (name) => {
    const one = recorded.get(name);
    if (one === undefined) throw new RangeError(`${path} has no ${name}`);
    return one;
  };
}

function numbers(dtype: StoredDtype, buffer: ArrayBuffer): Recorded["values"] {
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "F64") return new Float64Array(buffer);
  if (dtype === "U8") return Float64Array.from(new Uint8Array(buffer));
  if (dtype === "I64") return Float64Array.from(new BigInt64Array(buffer), Number);
  throw new TypeError(`no recorded tensor has dtype ${dtype}`);
}

/** Row i of a matrix. */
export function rowOf({ shape, values }: Recorded, i: number): Float64Array<ArrayBuffer> {
  const width = shape[1]!;
  return Float64Array.from(values.subarray(i * width, (i + 1) * width));
}
