import assert from "node:assert/strict";
import { GeneVocab } from "../../../lib/input/vocab.ts";
import { fixturePath } from "../fixtures.ts";

Deno.test("GeneVocab.fromJson() reads a released vocabulary with its specials", () => {
  const text = Deno.readTextFileSync(fixturePath("scgpt/small_checkpoint/vocab.json"));
  const vocab = GeneVocab.fromJson(text);
  assert.equal(vocab.size, 200);
  assert.deepEqual(["<pad>", "<cls>", "<eoc>"].map((token) => vocab.id(token)), [197, 198, 199]);
  assert.equal(vocab.name(0), "G0000");
  assert.deepEqual(GeneVocab.fromJson(vocab.toJson()).names(), vocab.names());
});

Deno.test("GeneVocab.fromJson() appends specials that are absent, whatever the order of the file", () => {
  const vocab = GeneVocab.fromJson({ B: 1, "<cls>": 2, A: 0 });
  assert.deepEqual(vocab.names(), ["A", "B", "<cls>", "<pad>", "<eoc>"]);
});

Deno.test("GeneVocab.fromJson() names holes, duplicates and other values", () => {
  assert.throws(() => GeneVocab.fromJson({ A: 0, B: 2 }), {
    name: "RangeError",
    message: /contiguous: 1 is missing and B has 2/,
  });
  assert.throws(() => GeneVocab.fromJson({ A: 0, B: 0 }), {
    name: "RangeError",
    message: /got 0 for A and B/,
  });
  assert.throws(() => GeneVocab.fromJson('{"A": "0"}'), { name: "TypeError", message: /for A/ });
  assert.throws(() => GeneVocab.fromJson({ A: -1 }), { name: "TypeError" });
  assert.throws(() => GeneVocab.fromJson("["), { name: "SyntaxError" });
  assert.throws(() => GeneVocab.fromJson("[]"), { name: "TypeError" });
});

Deno.test("GeneVocab.fromNames() refuses a name that occurs twice", () => {
  assert.equal(GeneVocab.fromNames(["A", "B"]).id("<eoc>"), 4);
  assert.throws(() => GeneVocab.fromNames(["A", "B", "A"]), /got A twice/);
});

Deno.test("GeneVocab.require() and name() refuse what is not there", () => {
  const vocab = GeneVocab.fromNames(["A"]);
  assert.equal(vocab.require("A"), 0);
  assert.throws(() => vocab.require("a"), { name: "RangeError", message: /"a"/ });
  assert.throws(() => vocab.name(4), { name: "RangeError", message: /0 to 3/ });
});
