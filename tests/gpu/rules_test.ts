import assert from "node:assert/strict";
import type { OpName } from "../../gpu/ops.ts";
import type { Spec } from "../../gpu/rule.ts";
import { RULES } from "../../gpu/rules.ts";
import type { OpCase } from "./ops_cases/draw.ts";
import { CASES } from "./ops_cases/table.ts";
import { UPDATE_CASES } from "./ops_cases/updates.ts";
import type { RunName } from "./oracle/host.ts";
import { ORACLE } from "./oracle/table.ts";

const f32 = (...shape: number[]): Spec => ({ shape, dtype: "f32" });
const u32 = (...shape: number[]): Spec => ({ shape, dtype: "u32" });

function specsOf(tensors: object): { [name: string]: Spec } {
  const entries = Object.entries(tensors) as [string, Spec][];
  return Object.fromEntries(entries.map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
}

function check<K extends RunName>(op: K): void {
  for (const { name, inputs, params } of CASES[op] as readonly OpCase<K>[]) {
    const expected = specsOf(ORACLE[op](inputs, params));
    assert.deepEqual(RULES[op].outputs(inputs, params), expected, `${op}: ${name}`);
  }
}

for (const op of Object.keys(CASES) as RunName[]) {
  Deno.test(`RULES.${op}.outputs() gives the shapes that the oracle gives`, () => check(op));
}

Deno.test("RULES of the ops in place give the shapes of what they change", () => {
  for (const { inputs, targets, params } of UPDATE_CASES.accumulate) {
    assert.deepEqual(RULES.accumulate.outputs(inputs, params), specsOf(targets));
  }
  for (const { inputs, targets, params } of UPDATE_CASES.accumulate_squares) {
    assert.deepEqual(RULES.accumulate_squares.outputs(inputs, params), specsOf(targets));
  }
  for (const { inputs, targets, params } of UPDATE_CASES.adam) {
    assert.deepEqual(RULES.adam.outputs(inputs, params), specsOf(targets));
  }
});

Deno.test("RULES have no gradient exactly for choices, gradients themselves and ops in place", () => {
  const without = (Object.keys(RULES) as OpName[]).filter((op) => RULES[op].gradient === "none");
  const expected = Object.keys(RULES).filter((op) =>
    op === "top_k" || op === "scatter_rows" || op.endsWith("_grad") || op in UPDATE_CASES
  );
  assert.deepEqual(without, expected);
});

Deno.test("outputs() names the op, the input, the rule and the value", () => {
  const { linear, attention, binary, dropout, layer_norm, top_k, unary } = RULES;
  const act = { activation: "none" } as const;
  const qkv = f32(7, 48), offsets = u32(3);
  const heads = { heads: 1 };
  const drop = { p: 0.1, seed: 1, stream: 5 };
  const cases: [() => unknown, typeof RangeError | typeof TypeError, string][] = [
    [
      () => linear.outputs({ x: f32(2, 3), weight: f32(4, 5) }, act),
      RangeError,
      "Cannot run linear as weight must have shape [N,K] with M = 2, K = 3: got [4,5]",
    ],
    [
      () => linear.outputs({ x: f32(2), weight: f32(4, 5) }, act),
      RangeError,
      "x must have shape [M,K]: got [2]",
    ],
    [
      () => attention.outputs({ qkv, offsets: f32(3) }, heads),
      TypeError,
      "Cannot run attention as offsets must be u32 [B+1]: got f32 [3]",
    ],
    [
      () => attention.outputs({ qkv, offsets: u32(0) }, heads),
      RangeError,
      "offsets must have shape [B+1]",
    ],
    [
      () => attention.outputs({ qkv: f32(7, 47), offsets }, heads),
      RangeError,
      "qkv must have shape [T,3D]",
    ],
    [
      () => attention.outputs({ qkv, offsets, known: u32(3) }, heads),
      RangeError,
      "known must have shape [B] with T = 7, D = 16, B = 2: got [3]",
    ],
    [
      () => attention.outputs({ qkv, offsets }, { heads: 8 }),
      RangeError,
      "multiple of 4 up to 128: got 16 / 8",
    ],
    [
      () => attention.outputs({ qkv, offsets }, { heads: 0 }),
      RangeError,
      "heads must be an integer >= 1: got 0",
    ],
    [
      () => binary.outputs({ a: f32(2, 3), b: f32(2) }, { fn: "add" }),
      RangeError,
      "Cannot run binary as b must have shape [2,3], [3] or [2,1]: got [2]",
    ],
    [() => unary.outputs({ x: u32(2) }, { fn: "relu" }), TypeError, "x must be f32: got u32"],
    [
      () => dropout.outputs({ x: f32(2, 3), row_key: u32(2, 3) }, drop),
      RangeError,
      "row_key must have shape [M,2]",
    ],
    [() => dropout.outputs({ x: f32(2, 3) }, { ...drop, p: 1 }), RangeError, "p must be"],
    [() => dropout.outputs({ x: f32(2, 3) }, { ...drop, seed: -1 }), RangeError, "seed"],
    [
      () => dropout.outputs({ x: f32(2, 3) }, { ...drop, stream: 2 ** 32 }),
      RangeError,
      "stream must be",
    ],
    [
      () => layer_norm.outputs({ x: f32(2, 3), weight: f32(3), bias: f32(3) }, { eps: 0 }),
      RangeError,
      "Cannot run layer_norm as eps must be > 0: got 0",
    ],
    [
      () => top_k.outputs({ x: f32(2, 3) }, { k: 4 }),
      RangeError,
      "k must be an integer from 1 to N = 3: got 4",
    ],
  ];
  for (const [act, kind, part] of cases) {
    assert.throws(
      act,
      (error: Error) => error instanceof kind && error.message.includes(part),
      part,
    );
  }
});
