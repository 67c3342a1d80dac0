/** `deno task bundle:hardware`: tests/hardware.ts as one file, with the script of its peer beside it. */
import { deno } from "./project.ts";

const FOLDER = "out/hardware";

await Deno.mkdir(FOLDER, { recursive: true });
const { ok, text } = await deno([
  "bundle",
  "--platform=deno",
  "--output",
  `${FOLDER}/hardware.js`,
  "tests/hardware.ts",
]);
console.error(text);
if (!ok) Deno.exit(1);
await Deno.copyFile("tests/bench/torch_peer.py", `${FOLDER}/torch_peer.py`);
