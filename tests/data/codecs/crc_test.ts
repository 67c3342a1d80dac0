import assert from "node:assert/strict";
import { crc32 as reference } from "node:zlib";
import { crc32, crc32c } from "../../../data/codecs/crc.ts";
import { seeded } from "../seeded.ts";

Deno.test("crc32() is zlib's at every length and place", () => {
  const below = seeded(9);
  const bytes = new Uint8Array(3000).map(() => below(256));
  for (let length = 0; length < 40; length++) {
    for (const part of [bytes.subarray(3, 3 + length), bytes.subarray(0, 2000 + length)]) {
      assert.equal(crc32(part), reference(part), `${part.length} bytes`);
    }
  }
});

Deno.test("crc32c() is that of RFC 3720, appendix B.4", () => {
  const cases: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [new Uint8Array(32).map((_, k) => k), 0x46dd794e],
    [new Uint8Array(32).map((_, k) => 31 - k), 0x113fdb5c],
    [new TextEncoder().encode("123456789"), 0xe3069283],
  ];
  for (const [bytes, sum] of cases) assert.equal(crc32c(bytes), sum);
});
