import assert from "node:assert/strict";
import { canonicalName } from "../../../lib/io/names.ts";

const LAYER = "transformer_encoder.layers.0.self_attn.";

Deno.test("canonicalName() gives every spelling of the attention the plain name", () => {
  for (const prefix of ["", "module.", "module.module."]) {
    for (const kind of ["weight", "bias"]) {
      assert.equal(canonicalName(`${prefix}${LAYER}Wqkv.${kind}`), `${LAYER}in_proj_${kind}`);
      assert.equal(canonicalName(`${prefix}${LAYER}_impl.Wqkv.${kind}`), `${LAYER}in_proj_${kind}`);
      assert.equal(canonicalName(`${prefix}${LAYER}in_proj_${kind}`), `${LAYER}in_proj_${kind}`);
      assert.equal(
        canonicalName(`${prefix}${LAYER}_impl.out_proj.${kind}`),
        `${LAYER}out_proj.${kind}`,
      );
    }
  }
});

Deno.test("canonicalName() leaves other names as they are", () => {
  for (
    const name of ["encoder.embedding.weight", "decoder.fc.0.bias", "Wqkv.weight", "submodule.w"]
  ) {
    assert.equal(canonicalName(name), name);
  }
});
