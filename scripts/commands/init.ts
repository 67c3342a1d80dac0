/** `scgpt init`: a model folder with fresh weights. */
import {
  GeneVocab,
  initialWeights,
  parameterCount,
  parameterShapes,
  parseConfig,
  type Preset,
  saveSafetensors,
  storedFloat32,
  toArgs,
} from "../../mod.ts";
import { command } from "./command.ts";
import { checkInputFile } from "./inputs.ts";
import { refuseExisting, writeWhole } from "./outputs.ts";

/** The command. */
export const init = command({
  name: "init",
  help: "make a model folder with fresh (random) weights",
  flags: {
    output: { kind: "string", help: "folder to make", required: true },
    vocab: { kind: "string", help: "vocab.json: gene names to ids", required: true },
    preset: { kind: "string", help: "size", choices: ["whole-human", "mini"], byDefault: "mini" },
    seed: { kind: "integer", help: "seed of the weights", byDefault: "0" },
    force: { kind: "boolean", help: "replace the folder's files if it exists" },
  },
  run: async (
    { output, vocab: vocabPath, preset = "mini", seed = 0, force = false },
    { say, signal },
  ) => {
    await refuseExisting(output, force);
    await checkInputFile(vocabPath);
    const vocab = GeneVocab.fromJson(await Deno.readTextFile(vocabPath));
    await makeModelFolder(output, vocab, { preset: preset as Preset, seed, force, signal });
    const config = parseConfig(preset as Preset);
    const weights = parameterCount(parameterShapes(config, vocab.size));
    say(
      `wrote ${output}: ${weights} random weights (${preset}, seed ${seed}), ${vocab.size} words`,
    );
    return { output, preset, seed, weights, words: vocab.size };
  },
});

/**
 * Writes args.json, vocab.json and model.safetensors into a folder, which appears when it is whole; with `force` they replace those of a
 * folder that is there, and its other files stay.
 */
export async function makeModelFolder(
  output: string,
  vocab: GeneVocab,
  { preset, seed, force, signal }: {
    readonly preset: Preset;
    readonly seed: number;
    readonly force: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const config = parseConfig(preset);
  const temporary = `${output}.${crypto.randomUUID()}.tmp`;
  await Deno.mkdir(temporary, { recursive: true });
  try {
    await writeWhole(`${temporary}/args.json`, `${JSON.stringify(toArgs(config), null, 2)}\n`);
    await writeWhole(`${temporary}/vocab.json`, `${vocab.toJson()}\n`);
    const weights = initialWeights(config, { nTokens: vocab.size, seed });
    const stored = weights.map(({ name, shape, values }) => storedFloat32(name, shape, values));
    await saveSafetensors(`${temporary}/model.safetensors`, stored, {
      metadata: { origin: `fresh weights, preset ${preset}, seed ${seed}` },
      ...signal && { signal },
    });
    if (!force) await Deno.rename(temporary, output);
    else await moveFiles(temporary, output);
  } catch (cause) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {}); // the first error is the one to tell
    throw cause;
  }
}

async function moveFiles(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await Deno.rename(`${from}/${name}`, `${to}/${name}`);
  }
  await Deno.remove(from);
}
