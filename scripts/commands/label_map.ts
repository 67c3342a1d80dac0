/** Common names of labels, from a file. */
import { UsageError } from "./command.ts";
import { readJsonObject } from "./inputs.ts";

/** Common name of each label; null leaves its cells out. */
export type LabelMap = Readonly<Record<string, string | null>>;

/** What the flag of all commands with labels is. */
export const LABEL_MAP_FLAG = {
  kind: "string",
  help:
    'JSON file: {"reference": {"own name": "common name" or null}, "query": {…}}; null leaves a label\'s cells out',
} as const;

/** Reads the names of both sides. */
export async function readLabelMaps(
  path: string | undefined,
): Promise<{ reference: LabelMap; query: LabelMap }> {
  if (path === undefined) return { reference: {}, query: {} };
  const json = await readJsonObject(path);
  const part = (name: string): LabelMap => {
    const map = json[name] ?? {};
    const good = typeof map === "object" && !Array.isArray(map) &&
      Object.values(map).every((label) => label === null || typeof label === "string");
    if (good) return map as LabelMap;
    throw new UsageError(`Cannot use ${path} as "${name}" must map names to names or null`);
  };
  for (const name of Object.keys(json)) {
    if (name !== "reference" && name !== "query") {
      throw new UsageError(
        `Cannot use ${path} as its keys are "reference" and "query": got "${name}"`,
      );
    }
  }
  return { reference: part("reference"), query: part("query") };
}
