// What decoders of data/codecs do in WebAssembly (AssemblyScript): functions over places in their memory.
import { prepareLz4 } from "./lz4";

export { unpackLz4 } from "./lz4";
export { unshuffle } from "./shuffle";

prepareLz4();
