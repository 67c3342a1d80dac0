/**
 * The model against the numbers of the published code, on any device, in Deno and in a page. A case is a folder of
 * `fixtures/scgpt`: configuration, weights, inputs and float64 outputs of the reference.
 */
import type { Device } from "../../gpu/mod.ts";
import { run, scope } from "../../gpu/mod.ts";
import { loadModel, type OutputName, type TokenBatch } from "../../mod.ts";
import { packTokens } from "../../scripts/commands/padded.ts";
import {
  folder,
  generativeBatch,
  loadCase,
  type ParityRow,
  type ReadFixture,
  relativeError,
  relativeErrorAt,
  tensors,
} from "./case.ts";

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
