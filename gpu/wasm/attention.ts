/** Launches of attention, its pooled form and their gradients over the cells of a packed batch. */
import type { Kernel } from "../device.ts";
import { sizeOf } from "../dtype.ts";
import { attentionDropThreshold, attentionKeepScale } from "../ops/attention.ts";
import type { AttentionParams } from "../ops.ts";
import { seedKey } from "../random.ts";
import { addressOf, bitsOf, type WasmBuffer, type WasmEngine, type WasmView } from "./engine.ts";

/**
 * Attention runs in chunks of one cell, one head and a run of queries, the longest cells first. Each chunk packs the cell's keys and
 * values for itself, so a cell is cut only where there would be too few chunks for the threads.
 */
export function attention(engine: WasmEngine): Kernel<"attention", WasmBuffer> {
  return ({ qkv, offsets, known, row_key }, { context, lse }, { heads, dropout }) => {
    const model = context.shape[1] ?? 0;
    const width = model / heads;
    const cells = cellsOf(engine, offsets, known);
    const queries = queriesPerChunk(cells, heads, engine);
    const chunks = cells.flatMap((cell) => chunksOf(cell, heads, queries));
    const { attentionRows, attentionKeys } = engine.sizes;
    const padded = roundUp(width, 8);
    const floats = mostKeys(cells) * (width + padded) +
      attentionRows * (width + attentionKeys + padded + 2) + SMALL_PARTS;
    engine.withWords(Uint32Array.from(chunks.flat()), (table) => {
      const out = [addressOf(context), model * 4, addressOf(lse)];
      const words = [addressOf(qkv), model * 12, ...out, heads, width, table, queries];
      words.push(...dropoutWords(dropout, row_key));
      engine.launch("attention", words, chunks.length, floats * 4);
    });
  };
}

/** The gradient runs in chunks of one cell and one head, as the keys' gradients are sums over all queries. */
export function attentionGrad(engine: WasmEngine): Kernel<"attention_grad", WasmBuffer> {
  return (inputs, { qkv_gradient }, { heads, dropout }) => {
    const { qkv, offsets, known, row_key, context, lse, context_gradient } = inputs;
    const model = context.shape[1] ?? 0;
    const width = model / heads;
    const cells = cellsOf(engine, offsets, known);
    const chunks = cells.flatMap(({ start, tokens, known }) =>
      Array.from({ length: heads }, (_, head) => [start, tokens, known, head])
    );
    engine.withWords(Uint32Array.from(chunks.flat()), (table) => {
      const words = [addressOf(qkv), model * 12, addressOf(context), model * 4, addressOf(lse)];
      words.push(heads, width, table, addressOf(context_gradient));
      words.push(...dropoutWords(dropout, row_key), addressOf(qkv_gradient));
      engine.launch(
        "attentionGrad",
        words,
        chunks.length,
        4 * gradientFloats(engine, cells, width),
      );
    });
  };
}

/** Floats of scratch memory outside the large parts that depend on sizes. */
const SMALL_PARTS = 256;

/** Floats of scratch memory that the gradient of one chunk needs. */
function gradientFloats(engine: WasmEngine, cells: readonly Cell[], width: number): number {
  const { attentionGradRows: rows, attentionGradKeys: keys } = engine.sizes;
  const padded = roundUp(width, 8);
  const ofKeys = mostKeys(cells) * 3 * width + (mostKeys(cells) + 5) * 2 * padded;
  const ofQueries = rows * (4 * width + 5 + 2 * padded + 2);
  return ofKeys + ofQueries + 2 * rows * keys + SMALL_PARTS;
}

/** Six argument words: row keys (0: no dropout), threshold, what a kept weight counts, seed, stream. */
function dropoutWords(dropout: AttentionParams["dropout"], rowKey: WasmView | undefined): number[] {
  if (dropout === undefined || rowKey === undefined) return [0, 0, 0, 0, 0, 0];
  const { p, seed, stream } = dropout;
  const draw = [attentionDropThreshold(p), bitsOf(attentionKeepScale(p))];
  return [addressOf(rowKey), ...draw, ...seedKey(seed), stream];
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

/** Most known tokens of a cell, as a multiple of 8. */
function mostKeys(cells: readonly Cell[]): number {
  return roundUp(cells.reduce((most, { known }) => Math.max(most, known), 0), 8);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Queries a chunk, a multiple of the kernel's block, so that every thread has about eight chunks. */
function queriesPerChunk(
  cells: readonly Cell[],
  heads: number,
  { threads, sizes: { attentionRows: block } }: WasmEngine,
): number {
  const queries = cells.reduce((total, { tokens }) => total + tokens, 0) * heads;
  return Math.max(10 * block, roundUp(queries / (threads * 8), block));
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

/** One softmax-weighted mean for each head and cell; a chunk is a cell. */
export function attentionPool(engine: WasmEngine): Kernel<"attention_pool", WasmBuffer> {
  return ({ query, x, offsets }, { y }, { scale }) => {
    const words = [addressOf(query), addressOf(x), addressOf(offsets), addressOf(y)];
    words.push(...query.shape, bitsOf(scale));
    engine.launch("attentionPool", words, query.shape[1] ?? 0, poolScratch(engine, offsets));
  };
}

/** The pooled form's gradients; a chunk is a cell, so that each row of x belongs to one. */
export function attentionPoolGrad(engine: WasmEngine): Kernel<"attention_pool_grad", WasmBuffer> {
  return (inputs, { query_gradient, x_gradient }, { scale }) => {
    const { query, x, offsets, y, y_gradient } = inputs;
    const words = [addressOf(query), addressOf(x), addressOf(offsets), addressOf(y)];
    words.push(...query.shape, bitsOf(scale), addressOf(y_gradient));
    words.push(addressOf(query_gradient), addressOf(x_gradient));
    engine.launch("attentionPoolGrad", words, query.shape[1] ?? 0, poolScratch(engine, offsets));
  };
}

/** Bytes for one weight a token of the longest cell. */
function poolScratch(engine: WasmEngine, offsets: WasmView): number {
  const longest = cellsOf(engine, offsets, undefined)[0]?.tokens ?? 0;
  return (longest + 4) * 4;
}
