/** Writing AnnData into any container. */
import type { AnnData, AxisArray } from "./anndata.ts";
import { AwkwardArray } from "./awkward.ts";
import { entryOrigin, type LazyMap } from "./lazy_map.ts";
import { isMatrix, type Matrix, originOf } from "./matrix.ts";
import type { UnsValue } from "./uns.ts";
import {
  checkName,
  encoding,
  loadPart,
  type NotCarried,
  type Target,
  writeAwkward,
  writeFrame,
  writeMatrix,
  writeValue,
} from "./write_elements.ts";

/** What the writing left out. */
export interface WriteReport {
  /** Parts of the data that could not be written, with the reasons; empty where the copy is complete. */
  readonly notCarried: readonly NotCarried[];
}

/** Writes X or raw.X, which must not be left out. */
async function writeX(target: Target, key: string, X: Matrix): Promise<void> {
  const node = originOf(X);
  if (node === undefined) return await writeMatrix(target, key, X);
  if (await target.copy(key, node)) return;
  throw new Error(`Cannot write ${key}: ${target.notCarried.at(-1)!.reason}`);
}

/** Writes named values; those that are as they were read are copied. */
async function writeMap<T>(
  target: Target,
  map: LazyMap<T>,
  options: { key: string; write: (target: Target, key: string, value: T) => Promise<void> },
): Promise<void> {
  const { key, write } = options;
  await target.out.group(key, encoding("dict", "0.1.0"));
  for (const [name, entry] of map.entries()) {
    checkName(key, name);
    const node = entryOrigin(entry);
    if (node !== undefined) {
      await target.copy(`${key}/${name}`, node);
      continue;
    }
    const value = await loadPart(target, `${key}/${name}`, entry);
    if (value !== undefined) await write(target, `${key}/${name}`, value);
  }
}

/** Writes what obsm and varm hold. */
async function writeAxisArray(target: Target, key: string, value: AxisArray): Promise<void> {
  if (isMatrix(value)) await writeMatrix(target, key, value);
  else if (value instanceof AwkwardArray) await writeAwkward(target, key, value);
  else await writeFrame(target, key, value);
}

/** The parts that annotated and multimodal data have in common. */
type CommonParts = Pick<AnnData, "obsm" | "varm" | "obsp" | "varp" | "uns">;

/** Writes arrays along the axes, matrices of pairs, and what is unstructured. */
export async function writeParts(target: Target, data: CommonParts): Promise<void> {
  await writeMap<AxisArray>(target, data.obsm, { key: "obsm", write: writeAxisArray });
  await writeMap<AxisArray>(target, data.varm, { key: "varm", write: writeAxisArray });
  await writeMap<Matrix>(target, data.obsp, { key: "obsp", write: writeMatrix });
  await writeMap<Matrix>(target, data.varp, { key: "varp", write: writeMatrix });
  await writeMap<UnsValue>(target, data.uns, { key: "uns", write: writeValue });
}

/** Writes all parts of annotated data. */
export async function writeAnnData(target: Target, adata: AnnData): Promise<void> {
  const { out } = target;
  await out.attributes("", encoding("anndata", "0.1.0"));
  await writeFrame(target, "obs", adata.obs);
  await writeFrame(target, "var", adata.var);
  if (adata.X !== undefined) await writeX(target, "X", adata.X);
  await writeMap<Matrix>(target, adata.layers, { key: "layers", write: writeMatrix });
  await writeParts(target, adata);
  const { raw } = adata;
  if (raw === undefined) return;
  await out.group("raw", encoding("raw", "0.1.0"));
  await writeX(target, "raw/X", raw.X);
  await writeFrame(target, "raw/var", raw.var);
  await writeMap<AxisArray>(target, raw.varm, { key: "raw/varm", write: writeAxisArray });
}
