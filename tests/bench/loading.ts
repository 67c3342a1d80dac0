/** Loading a checkpoint of whole-human size onto the CPU engine, from safetensors and from a .pt file of torch.save. */
import { loadModel, openWasmDevice } from "../../mod.ts";
import { interleave, seconds } from "./measure.ts";

/** Rows of the report; the .pt file is written by torch, where it is there. */
export async function loadingRows(model: string): Promise<string[]> {
  const pt = await torchFolder(model);
  const load = (folder: string) => () =>
    seconds(async () => {
      await using device = await openWasmDevice();
      using _model = await loadModel(folder, device);
    });
  const timings = await interleave({ "safetensors": load(model), ...pt && { ".pt": load(pt) } }, 7);
  return [
    "## Loading a checkpoint of 205 MB (device opened, weights in its memory)",
    "",
    "| format | best s | median s |",
    "| --- | --- | --- |",
    ...Object.entries(timings).map(([format, { min, median }]) =>
      `| ${format} | ${min.toFixed(2)} | ${median.toFixed(2)} |`
    ),
    "",
  ];
}

/** The same model as a folder with best_model.pt; undefined without torch. */
async function torchFolder(model: string): Promise<string | undefined> {
  const folder = `${model}_pt`;
  await Deno.mkdir(folder, { recursive: true });
  for (const file of ["args.json", "vocab.json"]) {
    await Deno.copyFile(`${model}/${file}`, `${folder}/${file}`);
  }
  const script = new URL("torch_peer.py", import.meta.url).pathname;
  const code =
    `import sys, torch; sys.path.insert(0, ${
      JSON.stringify(script.replace(/\/[^/]*$/, ""))
    }); import torch_peer; ` +
    `torch.save(torch_peer.read_safetensors(${JSON.stringify(`${model}/model.safetensors`)}), ${
      JSON.stringify(`${folder}/best_model.pt`)
    })`;
  const { success } = await new Deno.Command(Deno.env.get("PYTHON") ?? "python3", {
    args: ["-c", code],
    stderr: "null",
  }).output()
    .catch(() => ({ success: false }));
  return success ? folder : undefined;
}
