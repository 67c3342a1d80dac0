import assert from "node:assert/strict";
import "node:worker_threads"; // once it is there (the HDF5 library loads it), messages come before 60 turns of the timers
import { eventTurn } from "../../lib/event_turn.ts";

Deno.test("eventTurn() lets a timer that is due come at once", async () => {
  let due = false, turns = 0;
  setTimeout(() => due = true);
  while (!due && turns < 50) {
    for (const end = performance.now() + 5; performance.now() < end;); // the timer is due after this
    await eventTurn();
    turns++;
  }
  assert.ok(turns < 4, `${turns} turns`);
});
