/** Embeddings beside PyTorch's: same weights, same tokens. */
import type { ScGPT, TokenBatch } from "../../mod.ts";
import type { TorchPeer } from "./torch_peer.ts";

/** Embeds a batch here. */
export async function embeddingsOf(model: ScGPT, batch: TokenBatch): Promise<Float32Array> {
  using tensor = model.embedCells(batch);
  return await tensor.data();
}

/** Largest difference and least cosine of a batch that lies padded in a file for the peer. */
export async function compareNumbers(
  torch: TorchPeer,
  model: ScGPT,
  { batch, path }: { readonly batch: TokenBatch; readonly path: string },
): Promise<string> {
  const ours = await embeddingsOf(model, batch);
  const { cells: theirs } = await torch.ask<{ cells: number[] }>({
    do: "embed",
    batch: path,
    mask: true,
    numbers: true,
  });
  let worst = 0, dot = 0, a2 = 0, b2 = 0, least = 1;
  const width = model.config.embsize;
  ours.forEach((a, i) => {
    const b = theirs[i]!;
    worst = Math.max(worst, Math.abs(a - b));
    [dot, a2, b2] = [dot + a * b, a2 + a * a, b2 + b * b];
    if (i % width === width - 1) {
      least = Math.min(least, dot / Math.sqrt(a2 * b2));
      [dot, a2, b2] = [0, 0, 0];
    }
  });
  return `\nSame weights, same tokens: largest difference from PyTorch ${
    worst.toExponential(1)
  }, least cosine ${least.toFixed(7)}.\n`;
}
