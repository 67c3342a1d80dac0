import assert from "node:assert/strict";
import { openSource } from "../../../data/mod.ts";
import { matchStateDict, openCheckpoint } from "../../../lib/io/checkpoint.ts";
import { CheckpointError } from "../../../lib/io/errors.ts";
import { readFloat32, storedFloat32, type StoredTensor } from "../../../lib/io/stored_tensor.ts";
import { fixturePath } from "../fixtures.ts";
import { bytesOf, dict, tensor, torchFile } from "./torch_file.ts";

Deno.test("openCheckpoint() reads the reference's .pt and .safetensors alike", async () => {
  using pt = await openSource(fixturePath("scgpt/small_checkpoint/best_model.pt"));
  using safe = await openSource(fixturePath("scgpt/small_checkpoint/best_model.safetensors"));
  const fromTorch = await openCheckpoint(pt), fromSafe = await openCheckpoint(safe);
  assert.equal(fromTorch.format, "torch");
  assert.equal(fromSafe.format, "safetensors");
  assert.equal(fromTorch.tensors.size, 43);
  assert.deepEqual([...fromTorch.tensors.keys()].sort(), [...fromSafe.tensors.keys()].sort());
  for (const [name, tensor] of fromTorch.tensors) {
    const other = fromSafe.tensors.get(name)!;
    assert.equal(tensor.name, name);
    assert.deepEqual(tensor.shape, other.shape, name);
    assert.deepEqual(await tensor.read(), await other.read(), name);
  }
  const layer = "transformer_encoder.layers.1.self_attn";
  assert.deepEqual(fromTorch.tensors.get(`${layer}.in_proj_weight`)!.shape, [192, 64]);
  assert.equal(fromTorch.renamed.length, 4);
  assert.deepEqual(fromTorch.renamed[3], {
    from: `${layer}.Wqkv.bias`,
    to: `${layer}.in_proj_bias`,
  });
  const norm = await readFloat32(fromTorch.tensors.get("encoder.enc_norm.weight")!);
  assert.equal(norm.length, 64);
});

Deno.test("openCheckpoint() refuses a weight under two names", async () => {
  const one = tensor({ shape: [4] });
  const both = { "a.self_attn.Wqkv.weight": one, "a.self_attn.in_proj_weight": one };
  using source = await openSource(torchFile(bytesOf(dict(both))));
  await assert.rejects(
    openCheckpoint(source),
    /each weight must be there once: got two for a\.self_attn/,
  );
});

function found(...list: readonly StoredTensor[]) {
  return { tensors: new Map(list.map((one) => [one.name, one])), renamed: [] };
}

const kept = storedFloat32("encoder.kept", [2], new Float32Array(2));
const flag = storedFloat32("flag_encoder.weight", [2], new Float32Array(2));
const turned = storedFloat32("decoder.turned", [2, 1], new Float32Array(2));
const EXPECTED = new Map([["encoder.kept", [2]], ["decoder.turned", [1, 2]], ["cls.weight", [3]]]);

Deno.test("matchStateDict() lists every difference in its error", () => {
  assert.throws(() => matchStateDict(EXPECTED, found(kept, flag, turned)), (error: unknown) => {
    assert.ok(error instanceof CheckpointError);
    assert.equal(error.kind, "mismatch");
    assert.deepEqual(error.report, {
      matched: ["encoder.kept"],
      renamed: [],
      missing: ["cls.weight"],
      extra: ["flag_encoder.weight"],
      misshapen: [{ name: "decoder.turned", expected: [1, 2], found: [2, 1] }],
    });
    assert.match(error.message, /got 3 differences/);
    assert.match(error.message, /missing cls\.weight \[3\]/);
    assert.match(error.message, /extra flag_encoder\.weight \[2\]/);
    assert.match(
      error.message,
      /misshapen decoder\.turned: \[1,2\] in the model, \[2,1\] in the file/,
    );
    return true;
  });
});

Deno.test("matchStateDict() lets through what is allowed and still lists it", () => {
  const report = matchStateDict(EXPECTED, found(kept, flag, turned), {
    allowMissing: ["cls."],
    allowExtra: [/^flag_encoder\.weight$/],
    allowMisshapen: ["decoder."],
  });
  assert.deepEqual(report.missing, ["cls.weight"]);
  assert.deepEqual(report.extra, ["flag_encoder.weight"]);
  assert.equal(report.misshapen.length, 1);
  // A prefix allows no other name.
  assert.throws(
    () => matchStateDict(EXPECTED, found(kept, flag, turned), { allowMissing: ["cls."] }),
    /got 2 differences/,
  );
});

Deno.test("matchStateDict() refuses unknown options", () => {
  const options = { allowMising: ["cls."] } as object;
  assert.throws(
    () => matchStateDict(EXPECTED, found(), options),
    /"allowMising" is not known: did you mean "allowMissing"\?/,
  );
});
