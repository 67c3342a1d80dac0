import assert from "node:assert/strict";
import { type Flags, parseFlags, UsageError } from "../../../scripts/commands/command.ts";

const FLAGS = {
  input: { kind: "paths", help: "files", required: true },
  batchSize: { kind: "integer", help: "cells of a step", default: 32 },
  seeds: { kind: "integers", help: "seeds", default: [1, 2, 3] },
  names: { kind: "strings", help: "names" },
  keepBest: { kind: "boolean", help: "keep the last weights", default: true },
} as const satisfies Flags;

Deno.test("parseFlags() takes the first of the layers that has a name, in either spelling, then the default", () => {
  const values = parseFlags(
    FLAGS,
    { input: ["a.h5ad", "b.h5ad"], seeds: "4,5" },
    { "batch-size": 8, seeds: [9], names: null },
    { batchSize: 16, names: "x,y", "keep-best": false },
  );
  assert.deepEqual(values, {
    input: ["a.h5ad", "b.h5ad"],
    batchSize: 8,
    seeds: [4, 5],
    names: ["x", "y"],
    keepBest: false,
  });
  const { batchSize, seeds, names, keepBest } = parseFlags(FLAGS, { input: "a.h5ad" });
  assert.deepEqual([batchSize, seeds, names, keepBest], [32, [1, 2, 3], undefined, true]);
});

Deno.test("parseFlags() refuses unknown names, missing flags and values of another kind", () => {
  const faults: [Record<string, unknown>, Record<string, unknown>, RegExp][] = [
    [{}, {}, /--input is required: files/],
    [
      { input: "a" },
      { "batch-sise": 8 },
      /"batch-sise" is no option .* did you mean "batchSize"\?/,
    ],
    [{ input: "a", seeds: "1,two" }, {}, /--seeds must be a list of integers: got "1,two"/],
    [{ input: "a", seeds: "1,," }, {}, /--seeds must be a list of integers/],
    [{ input: [] }, {}, /--input must be a list of paths: got \[\]/],
    [{ input: "a" }, { keepBest: "no" }, /--keep-best must be true or false: got "no"/],
  ];
  for (const [given, config, message] of faults) {
    assert.throws(
      () => parseFlags(FLAGS, given, config),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});
