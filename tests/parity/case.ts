/** Recorded cases of the published code: weights, inputs, outputs, gradients, and how our numbers are compared with them. */
import type { Device } from "../../gpu/mod.ts";
import { loadModel, openSource, readSafetensors, type ScGPT, type TokenBatch } from "../../mod.ts";
import { packTokens } from "../../scripts/commands/padded.ts";

/** Reads a file below `fixtures/scgpt`; undefined where it is not there. */
export type ReadFixture = (path: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** One compared output. */
export interface ParityRow {
  /** Folder of the case. */
  readonly case: string;
  /** Output. */
  readonly output: string;
  /** Source file of the function that is compared. */
  readonly file: string;
  /** Largest difference over the truth's largest magnitude. */
  readonly error: number;
  /** Largest error that passes. */
  readonly bar: number;
  /** The same error of the reference's own float32 pass. */
  readonly reference: number | undefined;
}

/** Known tokens first, then those to be generated, cell by cell; and where each of them was in the padded arrays. */
export function generativeBatch(io: Recorded) {
  const pcpt = packTokens({
    src: io.need("in.pcpt_gene"),
    values: io.need("in.pcpt_expr"),
    mask: io.need("in.pcpt_key_padding_mask"),
  });
  const genes = io.need("in.gen_gene");
  const gen = packTokens({
    src: genes,
    values: { shape: genes.shape, values: genes.values.map(() => 0) },
    mask: io.need("in.gen_key_padding_mask"),
  });
  const cells = pcpt.shape[0], pcptLength = pcpt.shape[1], genLength = gen.shape[1];
  const ids: number[] = [],
    values: number[] = [],
    offsets = [0],
    known: number[] = [],
    both: number[] = [],
    isKnown: boolean[] = [];
  for (let cell = 0; cell < cells; cell++) {
    for (
      const [part, first, length] of [[pcpt, 0, pcptLength], [gen, pcptLength, genLength]] as const
    ) {
      const start = part.batch.offsets[cell]!, end = part.batch.offsets[cell + 1]!;
      if (part === pcpt) known.push(end - start);
      for (let t = start; t < end; t++) {
        ids.push(part.batch.ids[t]!);
        values.push(part.batch.values![t]!);
        isKnown.push(part === pcpt);
        both.push(cell * (pcptLength + genLength) + first + part.positions[t]! % length);
      }
    }
    offsets.push(ids.length);
  }
  const batch: TokenBatch = {
    ids: Uint32Array.from(ids),
    values: Float32Array.from(values),
    offsets: Uint32Array.from(offsets),
    known: Uint32Array.from(known),
  };
  const generated = io.need("in.gen_expr_target").values;
  let next = 0;
  const targets = Float32Array.from(
    isKnown,
    (known) => known ? 0 : generated[gen.positions[next++]!]!,
  );
  const asked = Float32Array.from(isKnown, (known) => known ? 0 : 1);
  const knownOf = (all: Float32Array) => all.filter((_, t) => isKnown[t]);
  const unknownOf = (all: Float32Array) => all.filter((_, t) => !isKnown[t]);
  return {
    batch,
    targets,
    asked,
    known: { positions: pcpt.positions, knownOf, unknownOf },
    unknown: gen.positions,
    both: Uint32Array.from(both),
  };
}

/** Loads the weights of a case through the product's own loader. */
export async function loadCase(
  device: Device,
  read: ReadFixture,
  name: string,
): Promise<ScGPT | undefined> {
  const weights = await read(`${name}/weights.safetensors`);
  const config = await read(`${name}/config.json`);
  if (weights === undefined) return undefined;
  const args = config === undefined ? SMALL : JSON.parse(new TextDecoder().decode(config)).config;
  const files = {
    "args.json": encode({ ...args, pre_norm: false }),
    "vocab.json": encode(SMALL_VOCAB),
    "model.safetensors": weights,
  };
  return await loadModel({ files }, device);
}

const SMALL = { d_model: 64, nhead: 4, d_hid: 96, nlayers: 2 };
const SMALL_VOCAB = Object.fromEntries(
  [
    ...Array.from({ length: 197 }, (_, i) => `G${String(i).padStart(4, "0")}`),
    "<pad>",
    "<cls>",
    "<eoc>",
  ]
    .map((word, id) => [word, id]),
);

export interface RecordedTensor {
  readonly shape: readonly number[];
  readonly values: number[];
}

export interface Recorded {
  readonly names: readonly string[];
  get(name: string): RecordedTensor | undefined;
  need(name: string): RecordedTensor;
}

export async function tensors(
  bytes: Uint8Array<ArrayBuffer> | undefined,
): Promise<Recorded | undefined> {
  if (bytes === undefined) return undefined;
  using source = await openSource(bytes);
  const { tensors } = await readSafetensors(source);
  const all = new Map<string, RecordedTensor>();
  for (const [name, tensor] of tensors) {
    const { buffer } = (await tensor.read()).slice();
    const values = tensor.dtype === "F64"
      ? [...new Float64Array(buffer)]
      : tensor.dtype === "F32"
      ? [...new Float32Array(buffer)]
      : tensor.dtype === "I64"
      ? Array.from(new BigInt64Array(buffer), Number)
      : [...new Uint8Array(buffer)];
    all.set(name, { shape: tensor.shape, values });
  }
  const need = (name: string) => {
    const tensor = all.get(name);
    if (tensor === undefined) throw new RangeError(`the fixture has no ${name}`);
    return tensor;
  };
  return { names: [...all.keys()], get: (name) => all.get(name), need };
}

export async function folder(
  read: ReadFixture,
  name: string,
  files: readonly string[],
): Promise<Record<string, Uint8Array<ArrayBuffer>> | undefined> {
  const contents = await Promise.all(
    files.map(async (file) => [file, await read(`${name}/${file}`)] as const),
  );
  const found = contents.flatMap(([file, bytes]) =>
    bytes === undefined ? [] : [[file, bytes] as const]
  );
  return found.length === files.length ? Object.fromEntries(found) : undefined;
}

function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Largest difference over the largest magnitude of the truth, at positions of the truth. NaN counts as infinite. */
export function relativeError(
  got: ArrayLike<number>,
  truth: readonly number[],
  positions?: Uint32Array,
): number {
  const wanted = positions === undefined ? truth : Array.from(positions, (at) => truth[at]!);
  if (got.length !== wanted.length) {
    throw new RangeError(`${got.length} numbers for ${wanted.length}`);
  }
  let largest = 0, worst = 0;
  wanted.forEach((value, i) => {
    const difference = Math.abs(got[i]! - value);
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(value));
  });
  return worst / largest;
}

/** The same for two arrays of the truth's shape. */
export function relativeErrorAt(
  got: readonly number[],
  truth: readonly number[],
  positions: Uint32Array | undefined,
): number {
  return relativeError(
    positions === undefined ? got : Array.from(positions, (at) => got[at]!),
    truth,
    positions,
  );
}
