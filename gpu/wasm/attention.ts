/** Launches of attention over the cells of a packed batch. */
import type { Kernel } from "../device.ts";
import { sizeOf } from "../dtype.ts";
import { addressOf, bitsOf, type WasmBuffer, type WasmEngine, type WasmView } from "./engine.ts";

/**
 * Attention runs in chunks of one cell, one head and a run of queries, the longest cells first. Each chunk packs the cell's keys and
 * values for itself, so a cell is cut only where there would be too few chunks for the threads.
 */
export function attention(engine: WasmEngine): Kernel<"attention", WasmBuffer> {
  return ({ qkv, offsets, known }, { context, lse }, { heads }) => {
    const model = context.shape[1] ?? 0;
    const width = model / heads;
    const cells = cellsOf(engine, offsets, known);
    const { attentionRows, attentionKeys } = engine.sizes;
    const queries = queriesPerChunk(cells, heads, engine);
    const chunks = cells.flatMap((cell) => chunksOf(cell, heads, queries));
    const mostKeys = Math.ceil(cells.reduce((most, { known }) => Math.max(most, known), 0) / 8) * 8;
    const padded = Math.ceil(width / 8) * 8;
    const floats = mostKeys * (width + padded) +
      attentionRows * (width + attentionKeys + padded + 2) + 64;
    engine.withWords(Uint32Array.from(chunks.flat()), (table) => {
      const out = [addressOf(context), model * 4, addressOf(lse)];
      const words = [addressOf(qkv), model * 12, ...out, heads, width, table, queries];
      engine.launch("attention", words, chunks.length, floats * 4);
    });
  };
}

/** A cell of a packed batch: first token, number of tokens, how many of them all tokens see. */
interface Cell {
  readonly start: number;
  readonly tokens: number;
  readonly known: number;
}

function cellsOf(engine: WasmEngine, offsets: WasmView, known: WasmView | undefined): Cell[] {
  const bounds = engine.integers(offsets);
  const seen = known === undefined ? undefined : engine.integers(known);
  const cells = Array.from({ length: sizeOf(offsets.shape) - 1 }, (_, b) => {
    const start = bounds[b]!;
    const tokens = bounds[b + 1]! - start;
    return { start, tokens, known: Math.min(tokens, seen?.[b] ?? tokens) };
  });
  return cells.sort((a, b) => b.tokens - a.tokens);
}

/** Queries a chunk, a multiple of the kernel's block, so that every thread has about eight chunks. */
function queriesPerChunk(
  cells: readonly Cell[],
  heads: number,
  { threads, sizes: { attentionRows: block } }: WasmEngine,
): number {
  const queries = cells.reduce((total, { tokens }) => total + tokens, 0) * heads;
  const share = Math.ceil(queries / (threads * 8) / block) * block;
  return Math.max(10 * block, share);
}

function chunksOf({ start, tokens, known }: Cell, heads: number, queries: number): number[][] {
  const chunks: number[][] = [];
  for (let head = 0; head < heads; head++) {
    for (let first = 0; first < tokens; first += queries) {
      chunks.push([start, tokens, known, head, first]);
    }
  }
  return chunks;
}

function longestCell(engine: WasmEngine, offsets: WasmView): number {
  return cellsOf(engine, offsets, undefined)[0]?.tokens ?? 0;
}

/** One softmax-weighted mean for each head and cell; a chunk is a cell. */
export function attentionPool(engine: WasmEngine): Kernel<"attention_pool", WasmBuffer> {
  return ({ query, x, offsets }, { y }, { scale }) => {
    const [H = 0, B = 0, D = 0] = query.shape;
    const words = [
      addressOf(query),
      addressOf(x),
      addressOf(offsets),
      addressOf(y),
      H,
      B,
      D,
      bitsOf(scale),
    ];
    engine.launch("attentionPool", words, B, (longestCell(engine, offsets) + 4) * 4);
  };
}
