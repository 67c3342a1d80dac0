import { openSoma } from "../../../data/soma/mod.ts";
import {
  assertEmbedding,
  assertPlain,
  assertStore,
  columnsOf,
  expected,
  type ExpectedTable,
  type Manifest,
  shared,
  sharedTest,
} from "./stores.ts";
import { readEdge } from "./plain.ts";

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
    const open = (name: string, options: { timestamp?: number }) =>
      openSoma(shared(`edge_v22/${name}`), options);
    const { table, index } = await readEdge(open, edge, columnsOf(answer));
    assertPlain(table, answer, index.filter((name) => name in answer));
  });
}
