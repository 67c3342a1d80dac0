/** The moves of UMAP: joined cells attract each other, random cells repel. */
import { philox, seedKey, STREAM, type Words } from "../../gpu/mod.ts";
import type { WeightedGraph } from "./neighbors.ts";
import type { UmapCurve } from "./umap_curve.ts";

/** Settings of {@linkcode optimizeLayout}. */
export interface LayoutOptions {
  /** Strength by distance. */
  readonly curve: UmapCurve;
  /** Passes. */
  readonly nEpochs: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** Awaited before each pass. */
  readonly turn: () => Promise<void>;
}

/** Random cells that a cell is pushed from, for each neighbour that it is pulled to. */
const NEGATIVE_SAMPLES = 5;
/** Longest step along an axis, before it is scaled. */
const LONGEST = 4;
/** Keeps the push from a very near cell finite. */
const SOFTENING = 1e-3;
/** Draws apart from those of other solvers with the same seed. */
const DRAWS = [3, 0] as const;

/**
 * Moves points by stochastic gradient descent on the cross-entropy of the two fuzzy sets. An edge of weight w is drawn in a share
 * w / max(w) of the passes.
 *
 * Reference: umap-learn `optimize_layout_euclidean` (move_other, gamma = 1, negative_sample_rate = 5), with Philox for its draws.
 *
 * @param graph Symmetric graph of n cells, without weights of 0
 * @param points Coordinates [n, 2], which are moved
 * @param options Settings
 */
export async function optimizeLayout(
  graph: WeightedGraph,
  points: Float64Array,
  { curve, nEpochs, seed, turn }: LayoutOptions,
): Promise<void> {
  const edges = edgesOf(graph);
  const forces = new Forces(curve), negatives = new Negatives(seed, graph.n);
  for (let epoch = 0; epoch < nEpochs; epoch++) {
    await turn();
    const rate = 1 - epoch / nEpochs;
    for (let edge = 0; edge < edges.from.length; edge++) {
      if (edges.next[edge]! > epoch) continue;
      const from = edges.from[edge]!;
      attract(points, { from, to: edges.to[edge]!, rate, forces });
      const every = edges.every[edge]! / NEGATIVE_SAMPLES;
      const count = Math.trunc((epoch - edges.nextNegative[edge]!) / every);
      repel(points, { from, count, rate, forces, negatives });
      edges.next[edge]! += edges.every[edge]!;
      edges.nextNegative[edge]! += count * every;
    }
  }
}

/** Edges in both directions, and when they are drawn; times in passes. */
interface TimedEdges {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly every: Float64Array;
  readonly next: Float64Array;
  readonly nextNegative: Float64Array;
}

function edgesOf({ n, indptr, indices, connectivities }: WeightedGraph): TimedEdges {
  const heaviest = connectivities.reduce((most, weight) => Math.max(most, weight), 0);
  const from = new Uint32Array(indices.length);
  for (let cell = 0; cell < n; cell++) from.fill(cell, indptr[cell], indptr[cell + 1]);
  const every = Float64Array.from(connectivities, (weight) => heaviest / weight);
  const nextNegative = every.map((time) => time / NEGATIVE_SAMPLES);
  return { from, to: indices, every, next: every.slice(), nextNegative };
}

/** Pulls two points together. */
function attract(
  points: Float64Array,
  { from, to, rate, forces }: { from: number; to: number; rate: number; forces: Forces },
): void {
  const i = 2 * from, j = 2 * to;
  const dx = points[i]! - points[j]!, dy = points[i + 1]! - points[j + 1]!;
  const square = dx * dx + dy * dy;
  if (square === 0) return;
  const pull = forces.pull(square);
  const stepX = clip(pull * dx) * rate, stepY = clip(pull * dy) * rate;
  points[i]! += stepX;
  points[i + 1]! += stepY;
  points[j]! -= stepX;
  points[j + 1]! -= stepY;
}

/** Pushes a point away from random ones. */
function repel(
  points: Float64Array,
  { from, count, rate, forces, negatives }: {
    from: number;
    count: number;
    rate: number;
    forces: Forces;
    negatives: Negatives;
  },
): void {
  let x = points[2 * from]!, y = points[2 * from + 1]!;
  negatives.restart();
  for (let sample = 0; sample < count; sample++) {
    const j = 2 * negatives.next();
    const dx = x - points[j]!, dy = y - points[j + 1]!;
    const square = dx * dx + dy * dy;
    if (square === 0) continue; // itself, or no direction
    const push = forces.push(square);
    x += clip(push * dx) * rate;
    y += clip(push * dy) * rate;
  }
  points[2 * from] = x;
  points[2 * from + 1] = y;
}

function clip(step: number): number {
  return step > LONGEST ? LONGEST : step < -LONGEST ? -LONGEST : step;
}

/** Leading bits of a float32 fraction that pick a piece of the table, and the bits that lie below them. */
const PIECE_BITS = 8, BELOW_BITS = 23 - PIECE_BITS;
const PIECES = 2 ** PIECE_BITS, BELOW = 2 ** BELOW_BITS;

/**
 * Forces by squared distance. Its power b, which would take half of the time, comes from a table: the power of the float32's exponent times
 * that of its fraction, linear between 257 points (relative error below 2e-6).
 */
class Forces {
  readonly #curve: UmapCurve;
  readonly #ofExponent: Float64Array;
  readonly #ofFraction: Float64Array;
  readonly #float = new Float32Array(1);
  readonly #bits = new Uint32Array(this.#float.buffer);

  constructor(curve: UmapCurve) {
    this.#curve = curve;
    this.#ofExponent = Float64Array.from({ length: 256 }, (_, e) => 2 ** ((e - 127) * curve.b));
    this.#ofFraction = Float64Array.from(
      { length: PIECES + 1 },
      (_, piece) => (1 + piece / PIECES) ** curve.b,
    );
  }

  /** What an offset is multiplied by to step along it: negative. */
  pull(square: number): number {
    const { a, b } = this.#curve;
    const power = this.#power(square);
    return -2 * a * b * power / (square * (a * power + 1));
  }

  /** What an offset is multiplied by to step along it: positive. */
  push(square: number): number {
    const { a, b } = this.#curve;
    return 2 * b / ((SOFTENING + square) * (a * this.#power(square) + 1));
  }

  #power(square: number): number {
    this.#float[0] = square;
    const bits = this.#bits[0]!;
    const piece = (bits >>> BELOW_BITS) & (PIECES - 1), share = (bits & (BELOW - 1)) / BELOW;
    const low = this.#ofFraction[piece]!, high = this.#ofFraction[piece + 1]!;
    return this.#ofExponent[bits >>> 23]! * (low + share * (high - low));
  }
}

/** Random cells: 64 random bits start a sequence at w0 with steps of w1 (mod 2^32), any two of which are independent. */
class Negatives {
  readonly #key: readonly [number, number];
  readonly #scale: number;
  #sequence = 0;
  #words: Words = [0, 0, 0, 0];
  #at = 0;
  #step = 0;

  constructor(seed: number, n: number) {
    this.#key = seedKey(seed);
    this.#scale = n / 2 ** 32;
  }

  /** Begins the next sequence; a block of the generator serves two. */
  restart(): void {
    const second = this.#sequence % 2 === 1;
    if (!second) {
      const block = this.#sequence / 2;
      const counter: Words = [block >>> 0, ...DRAWS, STREAM.solver];
      this.#words = philox(counter, this.#key);
    }
    this.#at = this.#words[second ? 2 : 0];
    this.#step = this.#words[second ? 3 : 1];
    this.#sequence++;
  }

  next(): number {
    const cell = Math.floor(this.#at * this.#scale);
    this.#at = (this.#at + this.#step) >>> 0;
    return cell;
  }
}
