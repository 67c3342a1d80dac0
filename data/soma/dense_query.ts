/** Reads boxes of dense arrays. */
import { type Cells, repeatCell } from "./cells.ts";
import { checkMemory } from "./tile.ts";
import { corrupt } from "./bytes.ts";
import type { RawArray } from "../storage.ts";
import type { Fragment } from "./fragment_reader.ts";
import { coordinateOf, rangeOf } from "./mbrs.ts";
import type { Attribute, Order } from "./schema.ts";
import { abortable } from "./sparse_query.ts";
import { TileReader } from "./tile_reader.ts";
import type { TileDbArray } from "./tiledb_array.ts";

/** First and last coordinate of each axis, both included. */
export type Box = readonly { readonly min: number; readonly max: number }[];

/** A box of values. */
export interface DenseBox {
  /** Lengths of its axes. */
  readonly shape: readonly number[];
  /** Row-major values. */
  readonly cells: Cells;
}

/** How the tiles of a fragment lie in its array. */
interface Layout {
  /** First coordinate of the first tile, by axis. */
  readonly origin: readonly number[];
  /** Length of a tile, by axis. */
  readonly extent: readonly number[];
  /** Number of tiles, by axis. */
  readonly tiles: readonly number[];
  /** The cells that were written. */
  readonly domain: Box;
  readonly tileOrder: Order;
  readonly cellOrder: Order;
}

function product(values: readonly number[]): number {
  return values.reduce((all, value) => all * value, 1);
}

/** Distances between neighbours along each axis of a row-major or column-major block. */
function strides(lengths: readonly number[], order: Order): number[] {
  const result = lengths.map(() => 1);
  const axes = lengths.map((_, axis) => axis);
  if (order !== "column-major") axes.reverse();
  let step = 1;
  for (const axis of axes) {
    result[axis] = step;
    step *= lengths[axis]!;
  }
  return result;
}

function layoutOf(array: TileDbArray, fragment: Fragment): Layout | undefined {
  const { schema, domain } = fragment.footer;
  if (domain === undefined) return undefined;
  const place = array.files.place(fragment.name);
  const box = domain.map((range, d) => rangeOf(range, schema.dimensions[d]!)) as Box;
  const extent = schema.dimensions.map((dimension) => {
    const length = dimension.extent === undefined
      ? NaN
      : Number(coordinateOf(dimension.extent, dimension));
    if (length >= 1) return length;
    throw corrupt(`Cannot read a dense array as tiles must have a length: got ${length}`, place);
  });
  const first = schema.dimensions.map((dimension) =>
    Number(coordinateOf(dimension.domain!.subarray(0, dimension.type.size), dimension))
  );
  const origin = box.map(({ min }, d) =>
    first[d]! + Math.floor((min - first[d]!) / extent[d]!) * extent[d]!
  );
  const tiles = box.map(({ max }, d) => Math.floor((max - origin[d]!) / extent[d]!) + 1);
  const { tileOrder, cellOrder } = schema;
  return { origin, extent, tiles, domain: box, tileOrder, cellOrder };
}

/** Where two boxes meet. */
function meet(a: Box, b: Box): Box | undefined {
  const both = a.map(({ min, max }, d) => ({
    min: Math.max(min, b[d]!.min),
    max: Math.min(max, b[d]!.max),
  }));
  return both.every(({ min, max }) => min <= max) ? both : undefined;
}

/** The tiles that a box touches, in ascending order, each with its box. */
function tilesIn(layout: Layout, box: Box): { tile: number; box: Box }[] {
  const { origin, extent, tiles, tileOrder } = layout;
  const steps = strides(tiles, tileOrder);
  const first = box.map(({ min }, d) => Math.floor((min - origin[d]!) / extent[d]!));
  const last = box.map(({ max }, d) => Math.floor((max - origin[d]!) / extent[d]!));
  const found: { tile: number; box: Box }[] = [];
  const at = [...first];
  for (;;) {
    found.push({
      tile: at.reduce((sum, index, d) => sum + index * steps[d]!, 0),
      box: at.map((index, d) => {
        const min = origin[d]! + index * extent[d]!;
        return { min, max: min + extent[d]! - 1 };
      }),
    });
    let axis = at.length - 1;
    while (axis >= 0 && at[axis] === last[axis]) at[axis] = first[axis--]!;
    if (axis < 0) return found.sort((a, b) => a.tile - b.tile);
    at[axis]!++;
  }
}

/** Reads a box; later fragments cover earlier ones, and what nobody wrote has the fill value. */
export async function readDense(
  array: TileDbArray,
  attribute: Attribute,
  options: { readonly box: Box; readonly signal: AbortSignal | undefined },
): Promise<DenseBox> {
  const { box, signal } = options;
  const { maxMemory } = array.files.settings;
  const shape = box.map(({ min, max }) => max - min + 1);
  const count = product(shape);
  checkMemory(count * attribute.fill.length, maxMemory, array.files.place(attribute.name));
  const valid = attribute.nullable ? attribute.fillValid : undefined;
  const cells = repeatCell(attribute, attribute.fill, { count, valid });
  for (const fragment of array.fragments) {
    const field = fragment.fields.get(attribute.name);
    const layout = field && layoutOf(array, fragment);
    const wanted = layout && meet(box, layout.domain);
    if (!field || !layout || !wanted) continue;
    await abortable(fragment.prepare([field], { bounds: false }), signal);
    const place = fragment.placeOf(field, "data");
    const there = await fragment.tileCount(field);
    if (there !== product(layout.tiles)) {
      throw corrupt(
        `Cannot read a dense array as ${product(layout.tiles)} tiles must be there: got ${there}`,
        place,
      );
    }
    const size = product(layout.extent);
    checkMemory(size * attribute.fill.length, maxMemory, place);
    const tiles = tilesIn(layout, wanted);
    const reader = await TileReader.open(fragment, field, {
      tiles: tiles.map(({ tile }) => tile),
      limit: maxMemory,
      files: 2,
      ahead: true,
      signal,
    });
    for (const [index, tile] of tiles.entries()) {
      signal?.throwIfAborted();
      const part = meet(tile.box, wanted)!;
      const source = {
        cells: await reader.read(index, size),
        box: tile.box,
        order: layout.cellOrder,
      };
      copyBox(source, { cells, box, order: "row-major" }, part);
    }
  }
  return { shape, cells };
}

/** Cells of a box in an order. */
interface Block {
  readonly cells: Cells;
  readonly box: Box;
  readonly order: Order;
}

/** Copies the cells of a part from one block into another. */
function copyBox(from: Block, to: Block, part: Box): void {
  if (from.cells.kind !== "fixed" || to.cells.kind !== "fixed") return;
  const lengths = (box: Box) => box.map(({ min, max }) => max - min + 1);
  const [fromSteps, toSteps] = [
    strides(lengths(from.box), from.order),
    strides(lengths(to.box), to.order),
  ];
  const placeIn = (block: Block, steps: readonly number[], at: readonly number[]) =>
    at.reduce((sum, value, d) => sum + (value - block.box[d]!.min) * steps[d]!, 0);
  const lastAxis = part.length - 1;
  const run = part[lastAxis]!.max - part[lastAxis]!.min + 1;
  const at = part.map(({ min }) => min);
  for (;;) {
    copyRun(from, to, {
      from: placeIn(from, fromSteps, at),
      to: placeIn(to, toSteps, at),
      fromStep: fromSteps[lastAxis]!,
      count: run,
    });
    let axis = lastAxis - 1;
    while (axis >= 0 && at[axis] === part[axis]!.max) at[axis] = part[axis--]!.min;
    if (axis < 0) return;
    at[axis]!++;
  }
}

function copyRun(
  from: Block,
  to: Block,
  run: {
    readonly from: number;
    readonly to: number;
    readonly fromStep: number;
    readonly count: number;
  },
): void {
  const source = from.cells as Extract<Cells, { kind: "fixed" }>;
  const target = to.cells as Extract<Cells, { kind: "fixed" }>;
  const move = <T extends RawArray | Uint8Array>(source: T, target: T) => {
    if (run.fromStep === 1) {
      (target as Uint8Array).set(
        (source as Uint8Array).subarray(run.from, run.from + run.count),
        run.to,
      );
      return;
    }
    for (let i = 0; i < run.count; i++) target[run.to + i] = source[run.from + i * run.fromStep]!;
  };
  move(source.data, target.data);
  if (target.valid) {
    move(source.valid ?? new Uint8Array(run.from + run.count * run.fromStep).fill(1), target.valid);
  }
}
