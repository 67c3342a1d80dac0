/** Writing MuData into any container. */
import type { AnnData } from "./anndata.ts";
import { type MuData, ownFrames } from "./mudata.ts";
import type { StorageWriter } from "./storage.ts";
import { writeAnnData, writeParts } from "./write_anndata.ts";
import { checkName, encoding, type Target, writeArray, writeFrame } from "./write_elements.ts";

/** The same target from a group on. */
function below(target: Target, group: string): Target {
  const at = (key: string) => key === "" ? group : `${group}/${key}`;
  const { out } = target;
  const moved: StorageWriter = {
    group: (key, attributes) => out.group(at(key), attributes),
    attributes: (key, attributes) => out.attributes(at(key), attributes),
    array: (key, data, options) => out.array(at(key), data, options),
    stream: (key, name, rest) => out.stream(at(key), name, rest),
    refusal: (dtype) => out.refusal(dtype),
  };
  return { ...target, out: moved, copy: (key, node) => target.copy(at(key), node) };
}

/** Writes all parts of multimodal data; columns that modalities have are written there alone, as mudata does. */
export async function writeMuData(target: Target, mdata: MuData): Promise<void> {
  const { out } = target;
  const own = ownFrames(mdata);
  await out.attributes("", { ...encoding("MuData", "0.1.0"), axis: mdata.axis });
  await writeFrame(target, "obs", own.obs);
  await writeFrame(target, "var", own.var);
  await writeParts(target, mdata);
  for (const name of ["obsmap", "varmap"] as const) {
    await out.group(name, encoding("dict", "0.1.0"));
    for (const [modality, map] of Object.entries(mdata[name])) {
      await writeArray(target, `${name}/${modality}`, { data: Uint32Array.from(map) });
    }
  }
  await out.group("mod", { "mod-order": Object.keys(mdata.mod) });
  for (const [modality, adata] of Object.entries(mdata.mod)) {
    checkName("mod", modality);
    await out.group(`mod/${modality}`, {});
    await writeAnnData(below(target, `mod/${modality}`), adata);
  }
}

/** Writes annotated or multimodal data. */
export async function writeData(target: Target, data: AnnData | MuData): Promise<void> {
  await ("mod" in data ? writeMuData(target, data) : writeAnnData(target, data));
}
