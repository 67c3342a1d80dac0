import assert from "node:assert/strict";
import { openSoma } from "../../../data/soma/mod.ts";
import {
  assertEmbedding,
  assertStore,
  assertTable,
  expected,
  type ExpectedTable,
  type Manifest,
  shared,
  sharedTest,
} from "./stores.ts";

for (const name of ["v19_small_dictfilter", "v22_small", "v22_mid_cons"]) {
  sharedTest(`openSoma() reads ${name} as Python does`, async () => {
    await assertStore(name, shared(name));
  });

  sharedTest(`openSoma() reads the embedding of ${name} as Python does`, async () => {
    const { emb } = await expected<Manifest>(`${name}/manifest.json`);
    await assertEmbedding(
      await openSoma(shared(`${name}_emb`), { type: "SOMASparseNDArray" }),
      emb,
    );
  });
}

/** Recorded reads of the small arrays: name, time, and what was asked for. */
const EDGES = Object.keys(
  await expected<Record<string, ExpectedTable>>("edge_v22.json").catch(() => ({})),
);

for (const edge of EDGES) {
  sharedTest(`openSoma() reads ${edge} as Python does`, async () => {
    const answer = (await expected<Record<string, ExpectedTable>>("edge_v22.json"))[edge]!;
    const [, name, time] = /^(\w+)(?:@(\d+))?/.exec(edge)!;
    const array = await openSoma(shared(`edge_v22/${name}`), {
      ...time !== undefined && { timestamp: Number(time) },
    });
    assert.ok(array.type === "SOMADataFrame" || array.type === "SOMASparseNDArray");
    const index = array.schema.filter(({ index }) => index).map(({ name }) => name);
    const coords = {
      "strdim[B..Q]": { gene: { min: "B", max: "Q" } },
      "twodim[c1..c2,10..50]": {
        louvain: { min: "c1", max: "c2" },
        soma_joinid: { min: 10, max: 50 },
      },
    }[edge];
    const table = await array.readAll({
      columns: Object.keys(answer),
      ...coords && { coords },
    });
    assertTable(table, answer, index.filter((name) => name in answer));
  });
}
