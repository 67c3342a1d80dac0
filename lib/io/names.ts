/** One name for a weight: PyTorch's plain naming, and how the names of other checkpoints become it. */

/**
 * Rewrites a key of a checkpoint into the plain state-dict name. The reference's flash-attention classes call the joined
 * projection `Wqkv` (since 0.2.5 `_impl.Wqkv`); its rows are [q; k; v] like PyTorch's `in_proj`, so a rename is enough.
 * Reference: `load_pretrained` in scgpt/utils/util.py.
 *
 * @example
 * ```ts
 * import { canonicalName } from "@scgpt/sdk/lib";
 * import assert from "node:assert/strict";
 *
 * const flash = "module.transformer_encoder.layers.0.self_attn._impl.Wqkv.weight";
 * assert.equal(canonicalName(flash), "transformer_encoder.layers.0.self_attn.in_proj_weight");
 * ```
 *
 * @param name Key in the file
 * @returns Key of PyTorch's `TransformerEncoderLayer` without flash attention and without `DataParallel`
 */
export function canonicalName(name: string): string {
  return name
    .replace(/^(module\.)+/, "")
    .replace(/\.self_attn\.(_impl\.)?Wqkv\.(weight|bias)$/, ".self_attn.in_proj_$2")
    .replace(/\.self_attn\._impl\.out_proj\.(weight|bias)$/, ".self_attn.out_proj.$1");
}
