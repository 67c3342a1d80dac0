import assert from "node:assert/strict";
import { nearest, refuseUnknownKeys } from "../../lib/options.ts";

Deno.test("refuseUnknownKeys() names the key and the nearest known one", () => {
  refuseUnknownKeys({ seed: 1 }, ["seed", "layer"], "load");
  assert.throws(() => refuseUnknownKeys({ sed: 1 }, ["seed", "layer"], "load"), {
    name: "TypeError",
    message: 'Cannot load as the option "sed" is not known: did you mean "seed"?',
  });
  assert.throws(() => refuseUnknownKeys({ zzz: 1 }, ["seed", "layer"], "load"), {
    message: 'Cannot load as the option "zzz" is not known: known options are seed, layer',
  });
});

Deno.test("nearest() sees through case and separators and gives up on other words", () => {
  assert.equal(nearest("d_hid", ["dHid", "dropout"]), "dHid");
  assert.equal(nearest("batch-tokens", ["batchTokens"]), "batchTokens");
  assert.equal(nearest("epochs", ["dHid", "dropout"]), undefined);
});
