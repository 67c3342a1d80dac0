/** Batches as the published code takes them: padded to the longest cell, with a mask. */
import { saveSafetensors, storedFloat32, type StoredTensor } from "../../mod.ts";
import type { randomBatch } from "./cells.ts";

/** Writes a batch of cells of the given lengths as `src`, `values` and `src_key_padding_mask` [B, L]. */
export async function savePadded(
  path: string,
  batch: ReturnType<typeof randomBatch>,
  lengths: readonly number[],
  padId: number,
): Promise<void> {
  await saveSafetensors(path, paddedTensors(batch, lengths, padId), { force: true });
}

function* paddedTensors(
  { ids, values, offsets }: ReturnType<typeof randomBatch>,
  lengths: readonly number[],
  padId: number,
): Generator<StoredTensor> {
  const B = lengths.length, L = Math.max(...lengths);
  const src = new BigInt64Array(B * L).fill(BigInt(padId));
  const padded = new Float32Array(B * L).fill(-2);
  const mask = new Uint8Array(B * L).fill(1);
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < lengths[b]!; t++) {
      src[b * L + t] = BigInt(ids[offsets[b]! + t]!);
      padded[b * L + t] = values[offsets[b]! + t]!;
      mask[b * L + t] = 0;
    }
  }
  const stored = (
    name: string,
    dtype: "I64" | "U8",
    data: BigInt64Array | Uint8Array,
  ): StoredTensor => ({
    name,
    dtype,
    shape: [B, L],
    read: () => Promise.resolve(new Uint8Array(data.buffer as ArrayBuffer)),
  });
  yield stored("src", "I64", src);
  yield storedFloat32("values", [B, L], padded);
  yield stored("src_key_padding_mask", "U8", mask);
}
