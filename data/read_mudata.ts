/** A MuData over the root group of any container. */
import type { AnnData } from "./anndata.ts";
import { readAs } from "./encodings.ts";
import { FormatError } from "./errors.ts";
import { toFloats } from "./numbers.ts";
import type { Shared } from "./mudata_index.ts";
import { MuData, type MuDataAxis } from "./mudata.ts";
import { childGroup, lazily, readAnnData, readAxisArrays } from "./read_anndata.ts";
import { childArray, readNumbers } from "./stored_arrays.ts";
import type { StorageGroup } from "./storage.ts";

/** Whether a root holds modalities. */
export function isMuData(root: StorageGroup): boolean {
  return root.attribute("encoding-type") === "MuData" || root.keys().includes("mod");
}

/** Names of the modalities in their order. */
export async function modalitiesOf(root: StorageGroup): Promise<readonly string[]> {
  const mod = await root.get("mod");
  if (mod?.node !== "group") {
    throw new FormatError("missing-key", "Cannot open a MuData as there is no group mod", {
      file: root.file,
      key: "mod",
    });
  }
  const order = mod.attribute("mod-order");
  const keys = mod.keys();
  const names = Array.isArray(order) ? order.map(String) : [];
  const whole = names.length > 0 && names.every((name) => keys.includes(name));
  return whole ? names : keys;
}

/** A modality of a file; throws `RangeError` listing those there are where it is missing. */
export async function modalityOf(root: StorageGroup, name: string): Promise<StorageGroup> {
  const names = await modalitiesOf(root);
  const mod = await root.get("mod") as StorageGroup;
  const group = names.includes(name) ? await mod.get(name) : undefined;
  if (group?.node === "group") return group;
  throw new RangeError(
    `Cannot open the modality ${JSON.stringify(name)} of ${root.file} as there are these: ${
      names.join(", ")
    }`,
  );
}

/** The modalities as AnnData. */
async function readModalities(
  root: StorageGroup,
  close: () => void,
): Promise<Record<string, AnnData>> {
  const mod: Record<string, AnnData> = {};
  for (const name of await modalitiesOf(root)) {
    const group = await modalityOf(root, name);
    if (isMuData(group)) {
      const reason = "Cannot open a modality as it must be an AnnData: it has modalities itself";
      throw new FormatError("encoding", reason, group);
    }
    mod[name] = await readAnnData(group, close);
  }
  return mod;
}

/** Places of the joint rows in each modality; undefined where the file has none, so that names decide. */
async function readMaps(
  root: StorageGroup,
  shared: Shared,
  rows: { joint: number; mod: Readonly<Record<string, AnnData>> },
): Promise<Record<string, Uint32Array> | undefined> {
  const group = await childGroup(root, `${shared}map`);
  const maps: Record<string, Uint32Array> = {};
  for (const [name, adata] of Object.entries(rows.mod)) {
    if (!group?.keys().includes(name)) return undefined;
    const node = await childArray(group, name);
    const places = toFloats(await readNumbers(node), node);
    const most = adata[shared].length;
    const bad = places.findIndex((place) => !(place >= 0 && place <= most));
    if (bad !== -1 || places.length !== rows.joint) {
      throw new FormatError(
        "value",
        `Cannot open a MuData as the map must be ${rows.joint} places in 0 .. ${most}: got ${
          bad === -1 ? `${places.length} places` : `${places[bad]} in row ${bad}`
        }`,
        node,
      );
    }
    maps[name] = Uint32Array.from(places);
  }
  return maps;
}

/** What the modalities share, as the file says. */
function readAxis(root: StorageGroup): MuDataAxis {
  const axis = Number(root.attribute("axis") ?? 0);
  if (axis === 0 || axis === 1 || axis === -1) return axis;
  throw new FormatError(
    "value",
    `Cannot open a MuData as axis must be 0, 1 or -1: got ${axis}`,
    root,
  );
}

/**
 * Opens multimodal data; reads structure and names.
 *
 * @param root The root group of the container.
 * @param close Closes the container.
 */
export async function readMuData(root: StorageGroup, close: () => void): Promise<MuData> {
  const mod = await readModalities(root, close);
  const frame = async (name: Shared) => {
    const node = await root.get(name);
    if (node !== undefined) return await readAs("frame", node);
    throw new FormatError("missing-key", `Cannot open a MuData as there is no ${name}`, root);
  };
  const [obs, vars] = [await frame("obs"), await frame("var")];
  const obsmap = await readMaps(root, "obs", { joint: obs.length, mod });
  const varmap = await readMaps(root, "var", { joint: vars.length, mod });
  return MuData.fromParts({
    mod,
    axis: readAxis(root),
    obs,
    var: vars,
    obsm: await readAxisArrays(root, "obsm"),
    varm: await readAxisArrays(root, "varm"),
    obsp: await lazily(await childGroup(root, "obsp"), "matrix", { name: "obsp" }),
    varp: await lazily(await childGroup(root, "varp"), "matrix", { name: "varp" }),
    ...obsmap && { obsmap },
    ...varmap && { varmap },
    uns: await lazily(await childGroup(root, "uns"), "value", { name: "uns" }),
  }, { close });
}

/**
 * Opens annotated data, or a modality of multimodal data.
 *
 * @param root The root group of the container.
 * @param modality Which modality; needed where there are several.
 * @param close Closes the container.
 */
export async function readCells(
  root: StorageGroup,
  modality: string | undefined,
  close: () => void,
): Promise<AnnData> {
  if (!isMuData(root)) {
    if (modality === undefined) return await readAnnData(root, close);
    throw new RangeError(
      `Cannot open the modality ${JSON.stringify(modality)} as ${root.file} has no modalities`,
    );
  }
  const names = await modalitiesOf(root);
  if (modality === undefined && names.length !== 1) {
    throw new RangeError(
      `Cannot open ${root.file} as one AnnData as it has several modalities: give one of them as modality: ${
        names.join(", ")
      }`,
    );
  }
  return await readAnnData(await modalityOf(root, modality ?? names[0]!), close);
}
