import assert from "node:assert/strict";
import { BytesProgress, bytesText } from "../../../scripts/commands/bytes_progress.ts";

/** What is said of numbers of bytes that come so many seconds apart. */
function said(numbers: readonly number[], total: number, secondsEach: number): string[] {
  const lines: string[] = [], { now } = performance;
  let clock = 0;
  performance.now = () => clock;
  try {
    const progress = new BytesProgress({ say: (line) => lines.push(line), terminal: false });
    for (const done of numbers) {
      progress.show(done, total);
      clock += secondsEach * 1000;
    }
    progress.stop();
  } finally {
    performance.now = now;
  }
  return lines;
}

Deno.test("bytesText() writes three digits with the unit that fits", () => {
  const numbers = [0, 999, 1000, 123_456, 999_499, 999_500, 8_388_608, 2e9, 12_345e11];
  assert.deepEqual(numbers.map(bytesText), [
    ...["0 B", "999 B", "1.00 kB", "123 kB", "999 kB", "1.00 MB", "8.39 MB", "2.00 GB"],
    "1.23e+3 TB",
  ]);
});

Deno.test("BytesProgress says what is here at the start, then a line every ten seconds", () => {
  assert.deepEqual(said([0, 10e6, 20e6, 30e6, 40e6], 40e6, 6), [
    "downloading 40.0 MB",
    "downloaded 20.0 MB of 40.0 MB (1.67 MB/s)",
  ]);
  assert.deepEqual(said([30e6, 35e6, 40e6], 40e6, 20), [
    "downloading 40.0 MB, of which 30.0 MB are here already",
    "downloaded 35.0 MB of 40.0 MB (250 kB/s)",
  ]);
});
