import assert from "node:assert/strict";
import {
  type Annotation,
  type AnnotationEvaluation,
  type AnnotationEvaluationEvent,
  evaluateAnnotation,
  type EvaluateAnnotationOptions,
  meanAnnotation,
  reportHtml,
  reportJson,
  reportLabels,
} from "../../../mod.ts";
import { openDevice, RECIPE, twoParts } from "./recipe.ts";

async function evaluated(
  options: EvaluateAnnotationOptions,
): Promise<{ kinds: string[]; annotations: Annotation[]; result: AnnotationEvaluation }> {
  using parts = await twoParts();
  await using device = await openDevice();
  const kinds: string[] = [], annotations: Annotation[] = [];
  const events: AsyncIterable<AnnotationEvaluationEvent> = evaluateAnnotation(
    parts.train,
    parts.query,
    device,
    options,
  );
  for await (const event of events) {
    if (event.kind !== "training" && kinds.at(-1) !== event.kind) kinds.push(event.kind);
    if (event.kind === "annotated") annotations.push(event.annotation);
    if (event.kind !== "result") continue;
    assert.equal(device.memory.liveBuffers, 0, "annotators are freed");
    return { kinds, annotations, result: event.result };
  }
  throw new Error("no result came");
}

Deno.test("evaluateAnnotation() gives each seed a result, each baseline one, and repeats itself", async () => {
  const { kinds, annotations, result } = await evaluated({ train: RECIPE, seeds: [1, 2] });
  assert.deepEqual(kinds, ["annotated", "method", "annotated", "method", "result"]);
  const { methods, losses, truth, predicted, rows, embedding } = result;
  assert.deepEqual(methods.map(({ results }) => results.length), [2, 1, 1, 1, 1, 1]);
  assert.deepEqual(losses.map(({ train, validation }) => [train.length, validation?.length]), [
    [2, 2],
    [2, 2],
  ]);
  assert.deepEqual([truth.length, predicted.length, rows.length], [40, 40, 40]);
  assert.equal(embedding.embeddings.length, 40 * 16);
  const right = truth.filter((label, i) => label === predicted[i]).length;
  assert.equal(methods[0]!.results[0]!.accuracy, right / 40);
  assert.equal(methods[1]!.method, "scGPT, mean of all seeds");
  const mean = meanAnnotation(annotations).labels;
  assert.equal(
    methods[1]!.results[0]!.accuracy,
    truth.filter((label, i) => label === mean[rows[i]!]).length / 40,
  );
  const again = await evaluated({ train: RECIPE, seeds: [2] });
  const [, second] = methods[0]!.results;
  assert.deepEqual(again.result.methods[0]!.results[0], second);
});

Deno.test("evaluateAnnotation() scores labelled query cells alone and tells of unseen labels", async () => {
  const { result } = await evaluated({
    train: { ...RECIPE, labelMap: { "CD34+": null } },
    queryLabelMap: { "CD19+ B": null },
    seeds: [1],
  });
  const { truth, notes, classes } = result;
  assert.ok(truth.length < 40 && !truth.includes("CD19+ B") && classes["CD19+ B"]! > 0);
  assert.ok(notes.includes(`${40 - truth.length} query cells have no label and are not scored`));
  assert.ok(notes.some((note) => /^\d+ training cells have no label/.test(note)));
  const unseen = notes.find((note) => note.startsWith("labels of the query"));
  assert.equal(unseen !== undefined, truth.includes("CD34+"));
});

Deno.test("evaluateAnnotation() refuses seeds, options and labels that do not fit", async () => {
  const fails = (options: EvaluateAnnotationOptions, message: RegExp) =>
    assert.rejects(evaluated(options), { message });
  await fails({ train: RECIPE, seeds: [] }, /there must be seeds, each once: got none/);
  await fails({ train: RECIPE, seeds: [1, 1] }, /got 1 twice/);
  await fails({ train: RECIPE, queryLabelKey: "types" }, /the column "types"/);
  const misspelt = { train: RECIPE, seed: [1] } as unknown as EvaluateAnnotationOptions;
  await fails(misspelt, /option "seed" is not known: did you mean "seeds"\?/);
});

Deno.test("reportLabels() writes every number of an evaluation", async () => {
  const { result } = await evaluated({ train: RECIPE, seeds: [1, 2] });
  await using device = await openDevice();
  const report = await reportLabels(device, result, { title: "Blood", manifest: { data: "x" } });
  const { tables, manifest, figures } = JSON.parse(reportJson(report));
  assert.deepEqual([manifest.data, manifest.seeds], ["x", [1, 2]]);
  assert.deepEqual(Object.keys(figures), [
    "scores",
    "umap_true",
    "umap_predicted",
    "confusion",
    "losses",
  ]);
  const [ours] = tables.scores.rows;
  const [method] = result.methods;
  assert.deepEqual(ours.results.macro_f1.values, method!.results.map(({ macroF1 }) => macroF1));
  const support = method!.results[0]!.perClass.map((one) => one.support);
  assert.deepEqual(
    tables.classes.rows.map((row: { results: { scored: { mean: number } } }) =>
      row.results.scored.mean
    ),
    support,
  );
  const accuracy = (ours.results.accuracy.mean as number).toFixed(3);
  assert.ok(reportHtml(report).includes(`scGPT, trained: accuracy ${accuracy}`));
});
