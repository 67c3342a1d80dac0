/** Trains the full small run with states in a folder, telling its steps: `train_child.ts FOLDER`. */
import { openWasmDevice } from "../../../gpu/mod.ts";
import { fit } from "../../../lib/train/fit.ts";
import { FolderStore } from "../../../lib/train/folder_store_deno.ts";
import { RunLog } from "../../../lib/train/run_log_deno.ts";
import { RECIPES, RUN, smallCells, smallModel } from "./small_run.ts";

const [folder] = Deno.args;
await using device = await openWasmDevice({ threads: 1 });
using model = await smallModel(device, "full");
const log = new RunLog(folder!);
const store = new FolderStore(folder!);
const options = { ...RUN, ...RECIPES.full, store, resume: true, saveEvery: 2 };
for await (const event of fit(model, smallCells(), options)) {
  await log.add(event);
  console.log(event.kind, "step" in event ? event.step : event.doneSteps);
}
