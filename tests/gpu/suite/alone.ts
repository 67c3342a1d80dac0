/** Checks that a row's, an element's or a cell's bits do not depend on what else is in the batch. */
import type { Device } from "../../../gpu/device.ts";
import type { OpInputs, OpParams } from "../../../gpu/ops.ts";
import { STREAM } from "../../../gpu/random.ts";
import { indices, normal, offsetsOf, rowKeys, tokensOf, words } from "../ops_cases/draw.ts";
import type { HostTensor, RunName } from "../oracle/host.ts";
import type { DeviceCheck } from "./agreement.ts";
import { assertSameBits, compute } from "./check.ts";

/** The checks. */
export function aloneChecks(): DeviceCheck[] {
  return [
    ["linear gives a row the same bits in any batch", linearRows],
    ["matmul gives an element the same bits under any tile", tilesAreAlike],
    ["ops on rows give a row the same bits in any batch", otherRows],
    ["ops on cells give a cell the same bits in any batch", cellsAreAlone],
  ];
}

/** Rows `start .. end` of a host tensor. */
function cut(host: HostTensor, start: number, end: number): HostTensor {
  const [, ...rest] = host.shape;
  const width = rest.reduce((size, length) => size * length, 1);
  const data = host.data.slice(start * width, end * width) as HostTensor["data"];
  return { ...host, shape: [end - start, ...rest], data };
}

/** An op on rows: `rows` go with the row, `shared` belong to all. */
interface RowOp<K extends RunName> {
  readonly rows: Partial<OpInputs<K, HostTensor>>;
  readonly shared?: Partial<OpInputs<K, HostTensor>>;
  readonly params: OpParams<K>;
  readonly parts: readonly (readonly [number, number])[];
}

async function rowsAreAlone<K extends RunName>(
  device: Device,
  op: K,
  { rows, shared, params, parts }: RowOp<K>,
): Promise<void> {
  const given = { ...shared, ...rows } as OpInputs<K, HostTensor>;
  const all = await compute(device, op, { inputs: given, params });
  for (const [start, end] of parts) {
    const entries = Object.entries<HostTensor>(rows as Record<string, HostTensor>);
    const part = Object.fromEntries(entries.map(([name, host]) => [name, cut(host, start, end)]));
    const inputs = { ...shared, ...part } as OpInputs<K, HostTensor>;
    const alone = await compute(device, op, { inputs, params });
    for (const [name, output] of Object.entries<HostTensor>(alone)) {
      const expected = cut((all as Record<string, HostTensor>)[name]!, start, end).data;
      assertSameBits(output.data, expected, `${op}, ${name}, rows ${start}..${end}`);
    }
  }
}

async function linearRows(device: Device): Promise<void> {
  const [M, N, K] = [1500, 1040, 96]; // enough for the large tiles of a GPU
  await rowsAreAlone(device, "linear", {
    rows: { x: normal([M, K]) },
    shared: { weight: normal([N, K]), bias: normal([N]) },
    params: { activation: "gelu" },
    parts: [[0, 1], [63, 66], [700, 765], [1499, 1500]],
  });
}

async function otherRows(device: Device): Promise<void> {
  const M = 301, D = 67, parts = [[0, 1], [63, 66], [130, 300], [300, 301]] as const;
  const x = normal([M, D]), other = normal([M, D]), row = normal([D]);
  const row_key = rowKeys(M), empty = {};
  const check = <K extends RunName>(op: K, given: Omit<RowOp<K>, "parts">) =>
    rowsAreAlone(device, op, { ...given, parts });
  const norm = { weight: row, bias: normal([D]) };
  await check("layer_norm", {
    rows: { x, residual: other },
    shared: norm,
    params: { eps: 1e-5 },
  });
  await check("softmax", { rows: { x }, params: empty });
  await check("l2_normalize", { rows: { x }, params: { eps: 1e-12 } });
  await check("row_dot", { rows: { a: x, b: other }, params: empty });
  await check("unary", { rows: { x }, params: { fn: "gelu" } });
  await check("binary", { rows: { a: x }, shared: { b: row }, params: { fn: "mul" } });
  await check("binary", { rows: { a: x, b: normal([M, 1]) }, params: { fn: "sub" } });
  await check("scale_add", { rows: { x, z: other }, params: { alpha: 0.3, beta: 2 } });
  await check("concat", { rows: { a: x, b: other }, params: empty });
  await check("slice_columns", { rows: { x }, params: { start: 3, end: 9 } });
  await check("top_k", { rows: { x }, params: { k: 5 } });
  const gathered = { rows: { index: indices(M, 9), base: x }, shared: { table: normal([9, D]) } };
  await check("gather_rows", { ...gathered, params: { paddingIdx: -1 } });
  const draw = { p: 0.3, seed: 9, stream: STREAM.dropout };
  await check("dropout", { rows: { x, row_key }, params: draw });
}

async function tilesAreAlike(device: Device): Promise<void> {
  const a = normal([1, 40, 70]), b = normal([1, 70, 50]);
  const params = { transposeA: false, transposeB: false };
  const one = (await compute(device, "matmul", { inputs: { a, b }, params })).y.data;
  const groups = 40; // the same product many times
  const repeat = (host: HostTensor): HostTensor => ({
    ...host,
    shape: [groups, ...host.shape.slice(1)],
    data: Float32Array.from(
      { length: groups * host.data.length },
      (_, i) => host.data[i % host.data.length]!,
    ),
  });
  const many = await compute(device, "matmul", { inputs: { a: repeat(a), b: repeat(b) }, params });
  assertSameBits(many.y.data.slice(-one.length), one, "last product");
}

/** An op on cells: inputs by token and by cell, and which axis of each output is which. */
interface CellOp<K extends RunName> {
  readonly tokens?: Partial<OpInputs<K, HostTensor>>;
  readonly cells?: Partial<OpInputs<K, HostTensor>>;
  readonly params: (tokens: number) => OpParams<K>;
  readonly gives: "tokens" | "cells";
}

const LENGTHS = [37, 0, 100, 1, 65];

async function cellsOf<K extends RunName>(
  device: Device,
  op: K,
  { tokens, cells, params, gives }: CellOp<K>,
): Promise<void> {
  const offsets = offsetsOf(LENGTHS);
  const cutAll = (hosts: object | undefined, start: number, end: number) =>
    Object.fromEntries(
      Object.entries<HostTensor>((hosts ?? {}) as Record<string, HostTensor>)
        .map(([name, host]) => [name, cut(host, start, end)]),
    );
  const results = (inputs: object, T: number) =>
    compute(device, op, { inputs: inputs as OpInputs<K, HostTensor>, params: params(T) });
  const all = await results({ ...tokens, ...cells, offsets }, tokensOf(LENGTHS));
  for (const [b, length] of LENGTHS.entries()) {
    const start = offsets.data[b]!, end = start + length;
    const inputs = {
      ...cutAll(tokens, start, end),
      ...cutAll(cells, b, b + 1),
      offsets: offsetsOf([length]),
    };
    for (const [name, output] of Object.entries<HostTensor>(await results(inputs, length))) {
      const whole = (all as Record<string, HostTensor>)[name]!;
      const expected = gives === "tokens" ? cut(whole, start, end) : cut(whole, b, b + 1);
      assertSameBits(output.data, expected.data, `${op}, ${name} of cell ${b}`);
    }
  }
}

async function cellsAreAlone(device: Device): Promise<void> {
  const T = tokensOf(LENGTHS), B = LENGTHS.length, D = 32, heads = 2;
  const qkv = normal([T, 3 * D]), x = normal([T, D]), row_key = rowKeys(T);
  const known = words([B], [20, 0, 41, 0, 65]);
  const dropout = { p: 0.2, seed: 3, stream: STREAM.dropout };
  const plain = { params: () => ({ heads }), gives: "tokens" } as const;
  const dropped = { params: () => ({ heads, dropout }), gives: "tokens" } as const;
  await cellsOf(device, "attention", { tokens: { qkv }, ...plain });
  await cellsOf(device, "attention", { tokens: { qkv }, cells: { known }, ...plain });
  await cellsOf(device, "attention", { tokens: { qkv, row_key }, ...dropped });
  await cellsOf(device, "attention", { tokens: { qkv, row_key }, cells: { known }, ...dropped });
  const given = {
    qkv,
    row_key,
    context: normal([T, D]),
    lse: normal([T, heads]),
    context_gradient: normal([T, D]),
  };
  await cellsOf(device, "attention_grad", { tokens: given, cells: { known }, ...dropped });
  const mean = { params: () => ({ mode: "mean" as const }), gives: "cells" } as const;
  await cellsOf(device, "segment_pool", { tokens: { x }, ...mean });
  await cellsOf(device, "segment_spread", {
    cells: { x: normal([B, D]) },
    params: (tokens) => ({ mode: "mean", tokens }),
    gives: "tokens",
  });
  await poolsAreAlone(device, x);
}

/** `attention_pool` has its cells on the second axis of the query; with one query that axis is the first of [B,D]. */
async function poolsAreAlone(device: Device, x: HostTensor): Promise<void> {
  const offsets = offsetsOf(LENGTHS), D = x.shape[1]!, query = normal([1, LENGTHS.length, D]);
  const params = { scale: 0.3 };
  const all =
    (await compute(device, "attention_pool", { inputs: { query, x, offsets }, params })).y;
  for (const [b, length] of LENGTHS.entries()) {
    const start = offsets.data[b]!, part = [b * D, (b + 1) * D] as const;
    const inputs = {
      query: { ...query, shape: [1, 1, D], data: query.data.slice(...part) },
      x: cut(x, start, start + length),
      offsets: offsetsOf([length]),
    };
    const alone = (await compute(device, "attention_pool", { inputs, params })).y;
    assertSameBits(alone.data, all.data.slice(...part), `attention_pool of cell ${b}`);
  }
}
