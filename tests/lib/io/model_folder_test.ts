import assert from "node:assert/strict";
import { CheckpointError } from "../../../lib/io/errors.ts";
import { openModelFolder } from "../../../lib/io/model_folder.ts";
import { fixturePath } from "../fixtures.ts";

const FOLDER = fixturePath("scgpt/small_checkpoint/");

function contents(...names: readonly string[]): Record<string, Uint8Array<ArrayBuffer>> {
  return Object.fromEntries(names.map((name) => [name, Deno.readFileSync(new URL(name, FOLDER))]));
}

Deno.test("openModelFolder() opens a path, an address and files alike", async () => {
  const files = contents("args.json", "vocab.json", "best_model.safetensors");
  for (const folder of [FOLDER, FOLDER.pathname, FOLDER.pathname.slice(0, -1), { files }]) {
    using model = await openModelFolder(folder);
    assert.equal(model.config.embsize, 64);
    assert.equal(model.config.dHid, 96);
    assert.equal(model.config.nTokens, 200);
    assert.equal(model.vocab.id("<cls>"), 198);
    assert.equal(model.weightFile, "best_model.safetensors"); // preferred over best_model.pt
    assert.deepEqual(model.checkpoint.tensors.get("encoder.embedding.weight")!.shape, [200, 64]);
  }
});

Deno.test("openModelFolder() reads best_model.pt where there is no safetensors file", async () => {
  using model = await openModelFolder({
    files: contents("args.json", "vocab.json", "best_model.pt"),
  });
  assert.equal(model.weightFile, "best_model.pt");
  assert.equal(model.checkpoint.format, "torch");
});

Deno.test("openModelFolder() opens a folder on a server", async () => {
  await using server = Deno.serve({ port: 0, onListen: () => {} }, serveRange);
  using model = await openModelFolder(`http://localhost:${server.addr.port}/model`);
  assert.equal(model.weightFile, "best_model.pt");
  const bytes = await model.checkpoint.tensors.get("encoder.enc_norm.bias")!.read();
  assert.equal(bytes.length, 256);
});

/** Serves the .pt checkpoint by range and has no safetensors. */
function serveRange(request: Request): Response {
  const name = new URL(request.url).pathname.replace("/model/", "");
  if (name.endsWith(".safetensors")) return new Response("", { status: 404 });
  const bytes = Deno.readFileSync(new URL(name, FOLDER));
  const [, begin, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.get("range") ?? "")!;
  return new Response(bytes.slice(Number(begin), Number(end) + 1), {
    status: 206,
    headers: { "content-range": `bytes ${begin}-${end}/${bytes.length}` },
  });
}

Deno.test("openModelFolder() says which file is missing", async () => {
  const missing = async (folder: Parameters<typeof openModelFolder>[0], message: RegExp) =>
    await assert.rejects(openModelFolder(folder), (error: unknown) => {
      assert.ok(error instanceof CheckpointError, String(error));
      assert.equal(error.kind, "missing-file");
      assert.match(error.message, message);
      return true;
    });
  await missing("no/such/folder", /no\/such\/folder must hold args\.json/);
  await missing({ files: contents("args.json") }, /the files args\.json must hold vocab\.json/);
  await missing(
    { files: contents("args.json", "vocab.json") },
    /model\.safetensors or best_model\.safetensors or best_model\.pt/,
  );
});
