import assert from "node:assert/strict";
import { tensorboardRecord } from "../../../lib/train/tensorboard.ts";

// Bytes of tensorboard 2's own RecordWriter and event.proto.
const FIRST = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c";
const SCALARS =
  "31000000000000009d8383e90900001040fc54d94110ac022a230a110a0a747261696e2f6c6f737315cdcccc3d" +
  "0a0e0a07737465702f6c7215000000c02563ccd6";
const RESTART = "14000000000000005e3d2915090000000000000040108580808080203a0208013f3ccc16";

Deno.test("tensorboardRecord() gives the bytes of TensorBoard's writer", () => {
  assert.equal(tensorboardRecord({ wallTime: 1.5, first: true }).toHex(), FIRST);
  const scalars = { "train/loss": 0.1, "step/lr": -2 };
  const event = { wallTime: 1700000000.25, step: 300, scalars };
  assert.equal(tensorboardRecord(event).toHex(), SCALARS);
  const restart = { wallTime: 2, step: 2 ** 40 + 5, restart: true };
  assert.equal(tensorboardRecord(restart).toHex(), RESTART);
});

Deno.test("tensorboardRecord() refuses a step that is no count", () => {
  for (const step of [-1, 0.5, NaN]) {
    assert.throws(() => tensorboardRecord({ wallTime: 0, step }), RangeError);
  }
});
