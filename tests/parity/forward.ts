/**
 * The model against the numbers of the published code, on any device, in Deno and in a page. A case is a folder of
 * `fixtures/scgpt`: configuration, weights, inputs and float64 outputs of the reference.
 */
import type { Device } from "../../gpu/mod.ts";
import { run, scope } from "../../gpu/mod.ts";
import {
  loadModel,
  openSource,
  type OutputName,
  readSafetensors,
  type ScGPT,
  type TokenBatch,
} from "../../mod.ts";
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

/** Largest relative error of float32 against float64. */
const BAR = 1e-5;

/** Cases of `TransformerModel` and its relatives. */
export const CASES = [
  "small_annotation",
  "small_all_objectives",
  "small_integration_dsbn",
  "small_integration_nobn",
  "small_multiomic",
  "small_perturb",
  "small_var_wpool",
  "small_var_mvc_detach",
  "small_var_scaling",
] as const;

interface Output {
  readonly name: OutputName;
  readonly recorded: string;
  readonly file: string;
  readonly perToken: boolean;
}

const OUTPUTS: readonly Output[] = [
  { name: "cell", recorded: "cell_emb", file: "lib/model/transformer.ts", perToken: false },
  { name: "mlm", recorded: "mlm_output", file: "lib/model/decoders.ts", perToken: true },
  {
    name: "mlm_zero_probs",
    recorded: "mlm_zero_probs",
    file: "lib/model/decoders.ts",
    perToken: true,
  },
  { name: "mvc", recorded: "mvc_output", file: "lib/model/decoders.ts", perToken: true },
  {
    name: "mvc_zero_probs",
    recorded: "mvc_zero_probs",
    file: "lib/model/decoders.ts",
    perToken: true,
  },
  { name: "cls", recorded: "cls_output", file: "lib/model/decoders.ts", perToken: false },
  { name: "dab", recorded: "dab_output", file: "lib/model/decoders.ts", perToken: false },
];

/** Compares everything that `read` finds; cases whose files are not there are left out. */
export async function* forwardParity(device: Device, read: ReadFixture): AsyncGenerator<ParityRow> {
  for (const name of CASES) yield* caseParity(device, read, name);
  yield* generateParity(device, read);
  yield* generativeParity(device, read);
  yield* embedParity(device, read);
}

async function* caseParity(
  device: Device,
  read: ReadFixture,
  name: string,
): AsyncGenerator<ParityRow> {
  const io = await tensors(await read(`${name}/io.safetensors`));
  using model = io && await loadCase(device, read, name);
  if (io === undefined || model === undefined) return;
  const { batch, positions } = packTokens({
    src: io.need("in.src"),
    values: io.need("in.values"),
    mask: io.need("in.src_key_padding_mask"),
    batchLabels: io.get("in.batch_labels"),
    modTypes: io.get("in.mod_types"),
    pertFlags: io.get("in.input_pert_flags"),
  });
  // Weighted pooling over pads is the plain path's; the fast path leaves zeros there, as if there were none.
  const truth = name === "small_var_wpool" ? "out_fastpath" : "out_f64";
  const outputs = OUTPUTS.filter(({ name, recorded }) =>
    model.outputs.has(name) && io.get(`${truth}.${recorded}`)
  );
  const results = model.forward(batch, outputs.map(({ name }) => name));
  for (const { name: output, recorded, file, perToken } of outputs) {
    using tensor = results[output];
    const got = await tensor.data();
    const at = perToken ? positions : undefined;
    const error = relativeError(got, io.need(`${truth}.${recorded}`).values, at);
    const reference = relativeErrorAt(
      io.need(`out.${recorded}`).values,
      io.need(`${truth}.${recorded}`).values,
      at,
    );
    yield { case: name, output, file, error, reference, bar: BAR };
  }
  if (model.config.cellEmbStyle !== "cls" || model.config.perturbation) return;
  using cells = model.embedCells(batch);
  const error = relativeError(await cells.data(), io.need(`${truth}.cell_emb`).values);
  yield {
    case: name,
    output: "cell, last layer for <cls> alone",
    file: "lib/model/transformer.ts",
    error,
    reference: undefined,
    bar: BAR,
  };
}

/** `TransformerModel.generate`: a cell embedding in place of the first token. */
async function* generateParity(device: Device, read: ReadFixture): AsyncGenerator<ParityRow> {
  const name = "small_generate_main";
  const io = await tensors(await read(`${name}/io.safetensors`));
  using model = io && await loadCase(device, read, name);
  if (io === undefined || model === undefined) return;
  const { batch, positions } = packTokens({
    src: io.need("in.src"),
    values: io.need("in.values"),
    cellPrompt: io.need("in.cell_emb"),
  });
  const { values: _, ...withoutValues } = batch;
  for (const [output, input] of [["with_values", batch], ["no_values", withoutValues]] as const) {
    using tensor = model.forward(input, ["mlm"]).mlm;
    const error = relativeError(await tensor.data(), io.need(`out.${output}`).values, positions);
    yield {
      case: name,
      output,
      file: "lib/model/encoders.ts",
      error,
      reference: undefined,
      bar: BAR,
    };
  }
}

/** Generative pretraining: known and unknown tokens under the generative mask, from a gene prompt and from a cell prompt. */
async function* generativeParity(device: Device, read: ReadFixture): AsyncGenerator<ParityRow> {
  const name = "small_generation_pretrain";
  const io = await tensors(await read(`${name}/io.safetensors`));
  using model = io && await loadCase(device, read, name);
  if (io === undefined || model === undefined) return;
  const { batch, known, unknown, both } = generativeBatch(io);
  const prompts: [string, TokenBatch, OutputName[]][] = [
    ["out_gene_prompt", batch, ["mlm", "cell", "mvc"]],
    ["out_cell_prompt", {
      ...batch,
      cellPrompt: Float32Array.from(io.need("out_gene_prompt_f64.cell_emb").values),
    }, ["mlm", "cell"]],
  ];
  for (const [prompt, input, outputs] of prompts) {
    const results = model.forward(input, outputs);
    const truth = (output: string) => io.need(`${prompt}_f64.${output}`).values;
    const row = (output: string, error: number): ParityRow => ({
      case: name,
      output: `${prompt.slice(4)} ${output}`,
      file: "lib/model/transformer.ts",
      error,
      reference: undefined,
      bar: BAR,
    });
    const mlm = await results.mlm.data();
    yield row("gen_preds", relativeError(known.unknownOf(mlm), truth("gen_preds"), unknown));
    yield row(
      "pcpt_preds",
      relativeError(known.knownOf(mlm), truth("pcpt_preds"), known.positions),
    );
    yield row("cell_emb", relativeError(await results.cell.data(), truth("cell_emb")));
    if (outputs.includes("mvc")) {
      yield row("mvc_output", relativeError(await results.mvc.data(), truth("mvc_output"), both));
    }
    for (const output of outputs) results[output][Symbol.dispose]();
  }
}

/** Known tokens first, then those to be generated, cell by cell; and where each of them was in the padded arrays. */
function generativeBatch(io: Recorded) {
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
  const knownOf = (all: Float32Array) => all.filter((_, t) => isKnown[t]);
  const unknownOf = (all: Float32Array) => all.filter((_, t) => !isKnown[t]);
  return {
    batch,
    known: { positions: pcpt.positions, knownOf, unknownOf },
    unknown: gen.positions,
    both: Uint32Array.from(both),
  };
}

/** `embed_data` on the exact tokens it fed to the released layout. */
async function* embedParity(device: Device, read: ReadFixture): AsyncGenerator<ParityRow> {
  const recorded = await tensors(await read("small_embed/embed.safetensors"));
  const files = await folder(read, "small_checkpoint", [
    "args.json",
    "vocab.json",
    "best_model.pt",
  ]);
  if (recorded === undefined || files === undefined) return;
  using model = await loadModel({ files }, device);
  const padId = model.vocab.require(model.config.padToken);
  const embeddings: number[] = [];
  for (let i = 0; recorded.get(`batch${i}.gene`) !== undefined; i++) {
    const src = recorded.need(`batch${i}.gene`);
    const mask = { shape: src.shape, values: src.values.map((id) => Number(id === padId)) };
    const { batch } = packTokens({ src, values: recorded.need(`batch${i}.expr`), mask });
    using unit = scope(
      device,
      () => run("l2_normalize", { x: model.embedCells(batch) }, { eps: 1e-12 }).y,
    );
    embeddings.push(...await unit.data());
  }
  const error = relativeError(embeddings, recorded.need("X_scGPT").values);
  yield {
    case: "small_embed",
    output: "X_scGPT",
    file: "tasks/embed.ts",
    error,
    reference: undefined,
    bar: BAR,
  };
}

/** Loads the weights of a case through the product's own loader. */
async function loadCase(
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

interface RecordedTensor {
  readonly shape: readonly number[];
  readonly values: number[];
}

interface Recorded {
  get(name: string): RecordedTensor | undefined;
  need(name: string): RecordedTensor;
}

async function tensors(bytes: Uint8Array<ArrayBuffer> | undefined): Promise<Recorded | undefined> {
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
  return { get: (name) => all.get(name), need };
}

async function folder(
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
function relativeError(
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
function relativeErrorAt(
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
