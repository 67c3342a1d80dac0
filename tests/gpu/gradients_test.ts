/** Every gradient rule, through the tape on the CPU engine, against central differences of the float64 oracle. */
import assert from "node:assert/strict";
import type { OpInputs } from "../../gpu/ops.ts";
import { RandomStream } from "../../gpu/random.ts";
import type { Spec } from "../../gpu/rule.ts";
import { RULES } from "../../gpu/rules.ts";
import { run } from "../../gpu/run.ts";
import { Tape } from "../../gpu/tape.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { openWasmDevice } from "../../gpu/wasm/device.ts";
import { normal, type OpCase } from "./ops_cases/draw.ts";
import { CASES } from "./ops_cases/table.ts";
import { type HostTensor, type RunName, sum } from "./oracle/host.ts";
import { ORACLE } from "./oracle/table.ts";
import { assertSameBits, upload, uploadAll } from "./suite/check.ts";

/** Elements of all inputs of a case; larger ones are left to the device suite, which compares gradients with loops. */
const MOST_ELEMENTS = 6000;
/** Elements of an input whose slopes are measured. */
const PROBES = 12;
/** Largest difference, relative to the largest magnitude of the gradient, or to 0.01 where terms cancel. */
const TOLERANCE = 1e-5;
const STEP = 1e-5;
/** Curves too sharp for the step. */
const SHARP: ReadonlySet<string> = new Set(["l2_normalize: zeros"]);

type Named<T> = { readonly [name: string]: T };

/** Σ seed · y of the first output, which is the one that gradients come from. */
function projection<K extends RunName>(op: K, given: OpCase<K>, seed: HostTensor): number {
  const [first] = Object.values<HostTensor>(ORACLE[op](given.inputs, given.params));
  return sum(0, seed.data.length, (i) => seed.data[i]! * first!.data[i]!);
}

/** Slope of the projection by one element, or undefined beside a kink. */
function slopeAt<K extends RunName>(
  op: K,
  given: OpCase<K>,
  at: { name: string; element: number; seed: HostTensor },
): number | undefined {
  const host = (given.inputs as Named<HostTensor>)[at.name]!;
  const moved = (by: number) => {
    const data = Float64Array.from(host.data);
    data[at.element]! += by;
    const inputs = { ...given.inputs, [at.name]: { ...host, data } };
    return projection(op, { ...given, inputs }, at.seed);
  };
  const [low, middle, high] = [moved(-STEP), moved(0), moved(STEP)];
  const before = (middle - low) / STEP, after = (high - middle) / STEP;
  const smooth = Math.abs(after - before) <= 1e-2 * (Math.abs(after) + Math.abs(before)) + 1e-3;
  return smooth ? (high - low) / (2 * STEP) : undefined;
}

function subsetsOf(names: readonly string[]): string[][] {
  const all: string[][] = [[]];
  for (const name of names) all.push(...all.map((subset) => [...subset, name]));
  return all.filter((subset) => subset.length > 0);
}

const device = await openWasmDevice({ threads: 1 });

/** Gradients of the projection by the named inputs. */
async function gradientsBy<K extends RunName>(
  op: K,
  given: OpCase<K>,
  at: { names: readonly string[]; seed: HostTensor },
): Promise<Named<Float32Array>> {
  const inputs = uploadAll(device, given.inputs) as Named<Tensor>;
  using seed = upload(device, at.seed);
  using tape = new Tape(device, at.names.map((name) => inputs[name]!));
  using loss = tape.record(() =>
    Object.values<Tensor>(run(op, inputs as OpInputs<K, Tensor>, given.params))[0]!
  );
  const gradients = tape.backward(loss, { seed });
  const found: { [name: string]: Float32Array } = {};
  for (const name of at.names) {
    using gradient = gradients.get(inputs[name]!)!;
    assert.deepEqual(gradient.shape, inputs[name]!.shape);
    found[name] = await gradient.data();
  }
  assert.equal(gradients.size, at.names.length);
  for (const input of Object.values(inputs)) input[Symbol.dispose]();
  return found;
}

function compareSlopes<K extends RunName>(
  op: K,
  given: OpCase<K>,
  by: { seed: HostTensor; name: string; gradient: Float32Array },
): void {
  const { seed, name, gradient } = by;
  const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const draws = new RandomStream(1, 3);
  for (let probe = 0; probe < Math.min(PROBES, gradient.length); probe++) {
    const element = gradient.length <= PROBES ? probe : draws.below(gradient.length);
    const slope = slopeAt(op, given, { name, element, seed });
    if (slope === undefined) continue;
    const error = Math.abs(gradient[element]! - slope);
    const bar = TOLERANCE * Math.max(largest, 1e-2);
    assert(error <= bar, `${name}[${element}]: ${gradient[element]}, not ${slope}`);
  }
}

async function check<K extends RunName>(op: K, given: OpCase<K>): Promise<void> {
  const { gradient } = RULES[op];
  assert(gradient !== "none");
  const names = (gradient.into as readonly string[]).filter((name) => name in given.inputs);
  const [first] = Object.values<Spec>(RULES[op].outputs(given.inputs, given.params));
  const seed = normal(first!.shape);
  const all = await gradientsBy(op, given, { names, seed });
  for (const name of names) compareSlopes(op, given, { seed, name, gradient: all[name]! });
  for (const subset of subsetsOf(names)) {
    const some = await gradientsBy(op, given, { names: subset, seed });
    for (const name of subset) assertSameBits(some[name]!, all[name]!, `${name} of ${subset}`);
  }
  assert.equal(device.memory.liveBuffers, 0);
}

function addTests<K extends RunName>(op: K): void {
  const sizeOf = ({ inputs }: OpCase<K>) =>
    Object.values<HostTensor>(inputs as Named<HostTensor>)
      .reduce((size, { data }) => size + data.length, 0);
  const cases = (CASES[op] as readonly OpCase<K>[])
    .filter((of) => sizeOf(of) <= MOST_ELEMENTS && !SHARP.has(`${op}: ${of.name}`));
  assert(cases.length > 0, `${op} has no small case`);
  for (const given of cases) {
    Deno.test({
      name: `Tape.backward() of ${op}, ${given.name}, is the slope of the oracle`,
      sanitizeResources: false,
      fn: () => check(op, given),
    });
  }
}

for (const op of Object.keys(CASES) as RunName[]) {
  if (RULES[op].gradient !== "none") addTests(op);
}
