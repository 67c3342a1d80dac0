/** `scgpt init`: a model folder with fresh weights. */
import {
  GeneVocab,
  initialWeights,
  parameterCount,
  parameterShapes,
  parseConfig,
  type Preset,
} from "../../mod.ts";
import { saveModelFolder } from "../../lib/io/save_model_deno.ts";
import { command } from "./command.ts";
import { checkInputFile } from "./inputs.ts";
import { refuseExisting } from "./outputs.ts";

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

/** Writes a model folder with fresh weights; with `force` its files replace those of a folder that is there, and others stay. */
export async function makeModelFolder(
  output: string,
  vocab: GeneVocab,
  { preset, seed, ...options }: {
    readonly preset: Preset;
    readonly seed: number;
    readonly force: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const config = parseConfig(preset);
  const drawn = initialWeights(config, { nTokens: vocab.size, seed });
  const weights = Array.from(
    drawn,
    ({ name, shape, values }) => [name, { shape, data: () => Promise.resolve(values) }] as const,
  );
  const metadata = { origin: `fresh weights, preset ${preset}, seed ${seed}` };
  await saveModelFolder(output, { config, vocab, weights }, { metadata, ...options });
}
