/** Multimodal data in a file of either kind. */
import { checkOptions } from "../checks.ts";
import { FormatError } from "../errors.ts";
import type { MuData } from "../mudata.ts";
import { isHttp } from "../source.ts";
import type { ZarrSource } from "../zarr/mod.ts";
import { fileKind } from "./kind.ts";

/** Which container a source is; undefined where it is none. */
async function containerOf(source: ZarrSource): Promise<"hdf5" | "zarr" | undefined> {
  if (typeof source === "string" || source instanceof URL) {
    if (isHttp(source)) return addressKind(new URL(source).pathname);
    const { pathKind } = await import("./folder_deno.ts");
    const path = source instanceof URL ? decodeURIComponent(source.pathname) : source;
    const kind = await pathKind(path);
    if (kind !== "file") return kind === "zarr" ? "zarr" : undefined;
  } else if (!(source instanceof Blob || source instanceof Uint8Array)) return "zarr";
  const kind = await fileKind(source);
  return kind === "zip" ? "zarr" : kind === "hdf5" ? "hdf5" : undefined;
}

/** Which container an address names. */
function addressKind(pathname: string): "hdf5" | "zarr" {
  return /\.zarr(\.zip)?\/?$/i.test(pathname) ? "zarr" : "hdf5";
}

/**
 * Opens multimodal data: an h5mu file or a zarr store, which the bytes tell.
 *
 * @param source Whatever `openH5mu` and `openMuZarr` take.
 * @param options `signal`: stops the opening.
 * @returns The multimodal data; close them when done.
 * @throws {FormatError} Where the source is neither, is cut off, or holds no MuData (`kind` "missing-key", `key` "mod").
 *
 * @example The modalities of a file
 * ```ts
 * import assert from "node:assert/strict";
 * import { openMuData } from "@scgpt/sdk/data/cells";
 *
 * using mdata = await openMuData("tests/fixtures/mudata/cite.h5mu");
 * assert.deepEqual(Object.keys(mdata.mod), ["rna", "prot"]);
 * ```
 */
export async function openMuData(
  source: ZarrSource,
  options: { signal?: AbortSignal } = {},
): Promise<MuData> {
  checkOptions("open a MuData", options, ["signal"]);
  options.signal?.throwIfAborted();
  const container = await containerOf(source);
  if (container === undefined) {
    const file = typeof source === "string" || source instanceof URL
      ? String(source)
      : "the source";
    const reason = "Cannot open a MuData as it must be an h5mu file or a zarr store";
    throw new FormatError("missing-key", reason, { file, key: "mod" });
  }
  if (container === "hdf5") {
    const { openH5mu } = await import("../h5ad/mod.ts");
    return await openH5mu(source as string | URL | Blob | Uint8Array, options);
  }
  const { openMuZarr } = await import("../zarr/mod.ts");
  return await openMuZarr(source, options);
}
