import assert from "node:assert/strict";
import { turns } from "../../../tasks/analysis/turns.ts";

Deno.test("turns() lets events through where a loop has held the thread for long", async () => {
  const turn = turns(undefined);
  let seen = false;
  setTimeout(() => seen = true);
  await turn();
  assert.equal(seen, false);
  for (const end = performance.now() + 60; performance.now() < end;);
  await turn();
  assert.equal(seen, true);
});

Deno.test("turns() rejects with the signal's reason, also one that comes during the pause", async () => {
  await assert.rejects(turns(AbortSignal.abort(new Error("enough")))(), /enough/);
  const controller = new AbortController();
  const turn = turns(controller.signal);
  setTimeout(() => controller.abort(new Error("late")));
  for (const end = performance.now() + 60; performance.now() < end;);
  await assert.rejects(turn(), /late/);
});
