/** `scgpt census summary`: which release, and how many cells, genes and datasets. */
import { CENSUS_FLAGS, openFromFlags } from "./census_flags.ts";
import { command } from "./command.ts";

/** The command. */
export const censusSummary = command({
  name: "summary",
  help: "show the release, its organisms and its numbers",
  flags: CENSUS_FLAGS,
  run: async (flags, context) => {
    const census = await openFromFlags(flags, context);
    const { say, signal } = context;
    const facts = Object.fromEntries(await census.summary());
    signal.throwIfAborted();
    const datasets = (await census.datasets()).length;
    const organisms: Record<string, { readonly cells: number; readonly genes: number }> = {};
    for (const name of await census.organisms()) {
      signal.throwIfAborted();
      const experiment = await census.experiment(name);
      const [obs, genes] = [await experiment.obs(), await (await experiment.ms("RNA")).var()];
      organisms[name] = { cells: obs.count, genes: genes.count };
    }
    const release = census.release?.releaseBuild ?? null;
    if (release !== null) say(`release: ${release}`);
    for (const [label, value] of Object.entries(facts)) say(`${label}: ${value}`);
    say(`datasets: ${datasets}`);
    for (const [name, { cells, genes }] of Object.entries(organisms)) {
      say(`${name}: ${cells} cells x ${genes} genes`);
    }
    return { release, summary: facts, datasets, organisms };
  },
});
