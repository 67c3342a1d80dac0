/** Dropout of attention weights, drawn by what query and key are: the same in the forward pass and in both gradients. */
import type { AttentionParams } from "../../ops.ts";
import { attentionDropThreshold } from "../../ops/attention.ts";
import { seedKey } from "../../random.ts";
import { COLUMNS, eachRow, THREADS, type Tiling } from "./attention_tiles.ts";
import { PHILOX } from "./philox.ts";

/** Octets of keys, one draw of the generator each, of half a tile. */
const OCTETS = COLUMNS / 8;

/**
 * `fn kept_of(row, head, octet) -> u32`: bit i says whether the weight of query `row` for key 8 octet + i of its cell is kept. A word
 * of the generator is for two keys, the lower half for the even one.
 */
export const DRAWS = `${PHILOX}
fn kept_of(row: u32, head: u32, octet: u32) -> u32 {
  let key = p.row_key_at + 2u * row;
  let words = philox(
    vec4u((head << 24u) | octet, row_key[key], row_key[key + 1u], p.stream), vec2u(p.key0, p.key1));
  let even = select(vec4u(), vec4u(1, 4, 16, 64), (words & vec4u(0xffffu)) >= vec4u(p.threshold));
  let odd = select(vec4u(), vec4u(2, 8, 32, 128), (words >> vec4u(16u)) >= vec4u(p.threshold));
  let bits = even | odd;
  return (bits.x | bits.y) | (bits.z | bits.w);
}`;

/** Values of the parameters that a kernel with dropout is told; `gain` makes up for the dropped weights. */
export function drawParams(
  { p, seed, stream }: NonNullable<AttentionParams["dropout"]>,
): Record<string, number> {
  const [key0, key1] = seedKey(seed);
  const threshold = attentionDropThreshold(p);
  return { key0, key1, stream, threshold, gain: 65536 / (65536 - threshold) };
}

/**
 * Draws for a block and a tile, eight keys at a time and each once, and hands each invocation the bits of its weights as
 * `kept0_0`, ... A block of keys has 32 rows, so it has as many octets as half a tile.
 */
export function drawKept(tiling: Tiling, rows: "queries" | "keys", half = 0): string {
  const columns = `column0 + ${COLUMNS * half}u`;
  const [count, query, octet] = rows === "queries"
    ? [tiling.block, "row0", columns]
    : [COLUMNS, columns, "row0"];
  return `
    workgroupBarrier();
    for (var i = lid; i < ${count * OCTETS}u; i += ${THREADS}u) {
      let query = start + ${query} + i / ${OCTETS}u;
      staged[i].x = f32(kept_of(query, head, (${octet}) / 8u + i % ${OCTETS}u));
    }
    workgroupBarrier();
${eachRow(tiling, (r) => rows === "queries" ? bitsOfQuery(r, half) : bitsOfKey(r, half))}`;
}

/** Row r is a query: four bits of an octet. */
function bitsOfQuery(r: number, half: number): string {
  return `    let kept${r}_${half} = u32(staged[(${
    8 * r
  }u + ty) * ${OCTETS}u + tx / 2u].x) >> (tx % 2u * 4u);`;
}

/** Row r is key ty of octet r: one bit for each of four queries. */
function bitsOfKey(r: number, half: number): string {
  const bit = (j: number) => `u32(staged[(4u * tx + ${j}u) * ${OCTETS}u + ${r}u].x)`;
  return `    let kept${r}_${half} = (vec4u(${bit(0)}, ${bit(1)}, ${bit(2)}, ${
    bit(3)
  }) >> vec4u(ty)) & vec4u(1u);`;
}

/** Which of the four weights of row r, a query, are kept. */
export function keptOfQuery(r: number, half = 0): string {
  return `((vec4u(kept${r}_${half}) & vec4u(1u, 2u, 4u, 8u)) != vec4u())`;
}

/** Which of the four weights of row r, a key, are kept. */
export function keptOfKey(r: number): string {
  return `(kept${r}_0 != vec4u())`;
}

/** Whether the weight of `row` for itself is kept. */
export const OWN_KEPT = "((kept_of(start + row, head, row / 8u) >> (row % 8u)) & 1u) == 1u";
