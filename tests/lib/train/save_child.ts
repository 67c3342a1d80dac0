/** Saves states into a folder, slowly and again and again, until it is killed: `save_child.ts FOLDER FIRST_STEP COUNT`. */
import { storedFloat32 } from "../../../lib/io/stored_tensor.ts";
import { FolderStore } from "../../../lib/train/folder_store_deno.ts";

const [folder, first, count] = Deno.args;
const store = new FolderStore(folder!);
for (let step = Number(first); step < Number(first) + Number(count); step++) {
  console.log(`saving ${step}`);
  const tensors = Array.from({ length: 10 }, (_, i) => {
    const whole = storedFloat32(`w${i}`, [4096], new Float32Array(4096).fill(step));
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return await whole.read();
    };
    return { ...whole, read: slow };
  });
  const state = { epoch: 0, batch: step, sums: {}, best: undefined, stale: 0, recipe: "{}" };
  await store.save("last", { state: { ...state, step }, tensors });
  console.log(`saved ${step}`);
}
