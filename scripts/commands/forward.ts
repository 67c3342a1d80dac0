/** `scgpt forward`: exact token batches through the model, for comparison with other implementations. */
import {
  loadModel,
  openSource,
  OUTPUT_NAMES,
  type OutputName,
  readSafetensors,
  saveSafetensors,
  type ScGPT,
  storedFloat32,
  type StoredTensor,
  type TokenBatch,
} from "../../mod.ts";
import { command, UsageError } from "./command.ts";
import { DEVICE_FLAGS, openFromFlags } from "./device_flags.ts";
import { checkInputFile } from "./inputs.ts";
import { checkOutputFile } from "./outputs.ts";
import { FORCE_FLAG } from "./read_flags.ts";
import { packTokens, spreadTokens } from "./padded.ts";

/** The command. */
export const forward = command({
  name: "forward",
  help: "run padded token batches (safetensors) through the model, all outputs as float32",
  flags: {
    model: { kind: "string", help: "model folder", required: true },
    batch: {
      kind: "string",
      help:
        "safetensors with src [B,L], values [B,L] and, where the model wants them, src_key_padding_mask, known, " +
        "batch_labels, mod_types, input_pert_flags, cell_emb; a prefix in. is allowed",
      required: true,
    },
    output: { kind: "string", help: "safetensors to write", required: true },
    outputs: {
      kind: "strings",
      help: `what to compute: ${OUTPUT_NAMES.join(", ")}`,
      byDefault: "cell",
    },
    force: FORCE_FLAG,
    ...DEVICE_FLAGS,
  },
  run: async (flags, context) => {
    const { model: folder, batch: path, output, outputs = ["cell"], force = false } = flags;
    await checkOutputFile(output, force);
    for (const name of outputs) {
      if (!(OUTPUT_NAMES as readonly string[]).includes(name)) {
        throw new UsageError(`Cannot compute "${name}": outputs are ${OUTPUT_NAMES.join(", ")}`);
      }
    }
    await checkInputFile(path);
    const padded = await readBatch(path);
    await using device = await openFromFlags(flags, context);
    using model = await loadModel(folder, device, { signal: context.signal });
    const tensors = await compute(model, padded, outputs as readonly OutputName[]);
    await saveSafetensors(output, tensors, { force, signal: context.signal });
    context.say(
      `wrote ${output}: ${tensors.map(({ name, shape }) => `${name} [${shape}]`).join(", ")}`,
    );
    return { output, outputs: Object.fromEntries(tensors.map(({ name, shape }) => [name, shape])) };
  },
});

async function readBatch(path: string): Promise<ReturnType<typeof packTokens>> {
  using source = await openSource(path);
  const { tensors } = await readSafetensors(source);
  const read = async (name: string) => {
    const tensor = tensors.get(`in.${name}`) ?? tensors.get(name);
    return tensor && { shape: tensor.shape, values: await numbers(tensor) };
  };
  const [src, values, mask] = [
    await read("src"),
    await read("values"),
    await read("src_key_padding_mask"),
  ];
  if (src === undefined || values === undefined) {
    throw new RangeError(
      `Cannot run ${path} as it must hold src and values: it holds ${
        [...tensors.keys()].join(", ")
      }`,
    );
  }
  return packTokens({
    src,
    values,
    mask,
    known: await read("known"),
    batchLabels: await read("batch_labels"),
    modTypes: await read("mod_types"),
    pertFlags: await read("input_pert_flags"),
    cellPrompt: await read("cell_emb"),
  });
}

/** Elements of a tensor of any integer or float type as JavaScript numbers. */
async function numbers(tensor: StoredTensor): Promise<number[]> {
  const { buffer, byteOffset, byteLength } = (await tensor.read()).slice();
  const read = {
    F64: () => [...new Float64Array(buffer, byteOffset, byteLength / 8)],
    F32: () => [...new Float32Array(buffer, byteOffset, byteLength / 4)],
    F16: () => [...new Float16Array(buffer, byteOffset, byteLength / 2)],
    I64: () => Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number),
    I32: () => [...new Int32Array(buffer, byteOffset, byteLength / 4)],
    I16: () => [...new Int16Array(buffer, byteOffset, byteLength / 2)],
    I8: () => [...new Int8Array(buffer)],
    U8: () => [...new Uint8Array(buffer)],
    BOOL: () => [...new Uint8Array(buffer)],
    BF16: () => {
      throw new TypeError(`Cannot read ${tensor.name} as a batch as it is bfloat16`);
    },
  };
  return read[tensor.dtype]();
}

async function compute(
  model: ScGPT,
  { batch, positions, shape }: {
    batch: TokenBatch;
    positions: Uint32Array;
    shape: readonly [number, number];
  },
  outputs: readonly OutputName[],
): Promise<StoredTensor[]> {
  const results = model.forward(batch, outputs);
  const tensors: StoredTensor[] = [];
  for (const name of outputs) {
    using tensor = results[name];
    const values = await tensor.data();
    const perToken = tensor.shape[0] === positions.length && name !== "cell" && name !== "cls" &&
      name !== "dab";
    if (!perToken) tensors.push(storedFloat32(`out.${name}`, tensor.shape, values));
    else {
      const width = values.length / positions.length;
      const padded = spreadTokens(values, { positions, shape, width });
      tensors.push(storedFloat32(`out.${name}`, width === 1 ? shape : [...shape, width], padded));
    }
  }
  return tensors;
}
