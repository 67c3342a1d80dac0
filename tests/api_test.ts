import assert from "node:assert/strict";
import * as sdk from "../mod.ts";

Deno.test("mod.ts exports these values and no others", () => {
  assert.deepEqual(Object.keys(sdk).sort(), [
    "LIMIT",
  ]);
});
