/** Checks of numbers: every case of every op against the oracle. */
import type { Device } from "../../../gpu/device.ts";
import { RandomStream, STREAM } from "../../../gpu/random.ts";
import type { UpdateName } from "../../../gpu/ops.ts";
import {
  normal,
  offsetsOf,
  type OpCase,
  rowKeys,
  type UpdateCase,
  words,
} from "../ops_cases/draw.ts";
import { CASES } from "../ops_cases/table.ts";
import { UPDATE_CASES } from "../ops_cases/updates.ts";
import type { HostTensor, RunName } from "../oracle/host.ts";
import { ORACLE, UPDATE_ORACLE } from "../oracle/table.ts";
import {
  assertEqual,
  assertSameBits,
  compute,
  computeUpdate,
  fail,
  relativeError,
  TOLERANCE,
} from "./check.ts";

/** A check of a device by name. */
export type DeviceCheck = readonly [name: string, check: (device: Device) => Promise<void>];

/** One check a case. */
export function agreementChecks(): DeviceCheck[] {
  const checks: DeviceCheck[] = [];
  for (const op of Object.keys(CASES) as RunName[]) addCases(op, checks);
  for (const op of Object.keys(UPDATE_CASES) as UpdateName[]) addUpdateCases(op, checks);
  checks.push(["attention and its gradient agree on ragged cells, any mask and dropout", ragged]);
  checks.push(["every op gives the same bits again", sameBitsAgain]);
  return checks;
}

function addCases<K extends RunName>(op: K, checks: DeviceCheck[]): void {
  for (const given of CASES[op] as readonly OpCase<K>[]) {
    const expected = () => ORACLE[op](given.inputs, given.params);
    const check = (device: Device) => agrees(device, () => compute(device, op, given), expected);
    checks.push([`${op}: ${given.name}`, check]);
  }
}

function addUpdateCases<K extends UpdateName>(op: K, checks: DeviceCheck[]): void {
  for (const given of UPDATE_CASES[op] as readonly UpdateCase<K>[]) {
    const { inputs, targets, params } = given;
    const expected = () => UPDATE_ORACLE[op](inputs, targets, params);
    const check = (device: Device) =>
      agrees(device, () => computeUpdate(device, op, given), expected);
    checks.push([`${op}: ${given.name}`, check]);
  }
}

type Results = Record<string, HostTensor>;

async function agrees(
  device: Device,
  actual: () => Promise<Results>,
  expected: () => Results,
): Promise<void> {
  const before = device.memory.liveBuffers;
  const results = await actual();
  assertEqual(device.memory.liveBuffers, before, "live buffers");
  for (const [name, { dtype, shape, data }] of Object.entries(expected())) {
    const result = results[name]!;
    assertEqual(result.shape.join(), shape.join(), `shape of ${name}`);
    assertEqual(result.dtype, dtype, `element type of ${name}`);
    const error = relativeError(result.data, data);
    if (!(error <= (dtype === "u32" ? 0 : TOLERANCE))) fail(`${name} is off by ${error}`);
  }
}

async function ragged(device: Device): Promise<void> {
  const draws = new RandomStream(11, STREAM.sampling), heads = 2, D = 32;
  for (let round = 0; round < 8; round++) {
    const lengths = Array.from(
      { length: 1 + draws.below(6) },
      () => Math.max(0, draws.below(160) - 20),
    );
    const known = lengths.map((length) => draws.below(length + 1));
    const offsets = offsetsOf(lengths), T = offsets.data.at(-1)!;
    const dropout = { p: round / 16, seed: round, stream: STREAM.dropout };
    const inputs = {
      qkv: normal([T, 3 * D], 2),
      offsets,
      ...(round % 4 > 0 && { known: words([known.length], known) }),
      ...(round % 2 > 0 && { row_key: rowKeys(T) }),
    };
    const params = { heads, ...(round % 2 > 0 && { dropout }) };
    const forward = await compute(device, "attention", { inputs, params });
    const given = { inputs: { ...inputs, ...forward, context_gradient: normal([T, D]) }, params };
    const backward = await compute(device, "attention_grad", given);
    const errors = [
      relativeError(forward.context.data, ORACLE.attention(inputs, params).context.data),
      relativeError(
        backward.qkv_gradient.data,
        ORACLE.attention_grad(given.inputs, params).qkv_gradient.data,
      ),
    ];
    if (!errors.every((error) => error <= TOLERANCE)) {
      fail(`round ${round}: cells [${lengths}] with known [${known}] are off by ${errors}`);
    }
  }
}

async function sameBitsAgain(device: Device): Promise<void> {
  for await (const { name, results } of allResults(device)) {
    const again = await results();
    for (const [output, { data }] of Object.entries(await results())) {
      assertSameBits(again[output]!.data, data, `${output} of ${name}`);
    }
  }
}

/** The results of every case of every op on a device. */
export function* allResults(
  device: Device,
): Generator<{ name: string; results: () => Promise<Results> }> {
  for (const op of Object.keys(CASES) as RunName[]) yield* resultsOf(device, op);
  for (const op of Object.keys(UPDATE_CASES) as UpdateName[]) yield* updatesOf(device, op);
}

function* resultsOf<K extends RunName>(device: Device, op: K) {
  for (const given of CASES[op] as readonly OpCase<K>[]) {
    yield { name: `${op}: ${given.name}`, results: () => compute(device, op, given) };
  }
}

function* updatesOf<K extends UpdateName>(device: Device, op: K) {
  for (const given of UPDATE_CASES[op] as readonly UpdateCase<K>[]) {
    yield { name: `${op}: ${given.name}`, results: () => computeUpdate(device, op, given) };
  }
}
