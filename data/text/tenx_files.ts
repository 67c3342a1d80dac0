/** Finding the three files of a 10x matrix by their names. */
import { isHttp } from "../source.ts";
import type { TextSource } from "./text_source.ts";

/** A file with its name, as a page gets it. */
export type NamedFile = File;

/** The three files of a matrix. */
export interface TenxFiles {
  /** `matrix.mtx`: features x barcodes. */
  readonly matrix: TextSource;
  /** `features.tsv`, or before version 3 of Cell Ranger `genes.tsv`. */
  readonly features: TextSource;
  /** `barcodes.tsv`. */
  readonly barcodes: TextSource;
}

const MATRIX = /^(.*)matrix\.mtx(\.gz)?$/;

/** What stands before `matrix.mtx` in the name of a file; undefined where it has another name. */
export function prefixOf(name: string): string | undefined {
  return MATRIX.exec(name)?.[1];
}

/** The prefix of the triple to read. */
function choosePrefix(names: readonly string[], place: string, wanted: string | undefined): string {
  const prefixes = names.map(prefixOf).filter((prefix) => prefix !== undefined);
  const shown = prefixes.map((prefix) => JSON.stringify(prefix)).join(", ") || "none";
  if (wanted !== undefined && prefixes.includes(wanted)) return wanted;
  if (wanted === undefined && prefixes.includes("")) return "";
  if (wanted === undefined && prefixes.length === 1) return prefixes[0]!;
  throw new RangeError(
    wanted === undefined && prefixes.length > 1
      ? `Cannot open ${place} as it holds several matrices: give one of these as prefix: ${shown}`
      : `Cannot open ${place} as it must hold ${wanted ?? ""}matrix.mtx or ${
        wanted ?? ""
      }matrix.mtx.gz; prefixes there are: ${shown}`,
  );
}

/** The names of the three files among those of a folder. */
function chooseNames(
  names: readonly string[],
  place: string,
  wanted: string | undefined,
): { [K in keyof TenxFiles]: string } {
  const prefix = choosePrefix(names, place, wanted);
  const find = (...bases: string[]): string => {
    const known = bases.flatMap((base) => [`${prefix}${base}`, `${prefix}${base}.gz`]);
    const found = known.find((name) => names.includes(name));
    if (found !== undefined) return found;
    throw new RangeError(`Cannot open ${place} as one of these must be there: ${known.join(", ")}`);
  };
  return {
    matrix: find("matrix.mtx"),
    features: find("features.tsv", "genes.tsv"),
    barcodes: find("barcodes.tsv"),
  };
}

/** The three files of a folder of the server. */
async function filesOfFolder(path: string, prefix: string | undefined): Promise<TenxFiles> {
  if (!("Deno" in globalThis)) {
    throw new TypeError(
      `Cannot open ${path} as a page has no file system: give the files of the folder`,
    );
  }
  const { namesIn } = await import("./folder_deno.ts");
  const folder = path.replace(/\/+$/, "");
  const names = chooseNames(await namesIn(folder), path, prefix);
  return {
    matrix: `${folder}/${names.matrix}`,
    features: `${folder}/${names.features}`,
    barcodes: `${folder}/${names.barcodes}`,
  };
}

/** The three files that a source names; throws `RangeError` where one is not there or several triples are. */
export async function tenxFiles(
  source: string | URL | readonly NamedFile[] | TenxFiles,
  prefix: string | undefined,
): Promise<TenxFiles> {
  if (isHttp(source)) {
    throw new TypeError(
      `Cannot open ${source} as an address cannot be listed: give the addresses of the three files`,
    );
  }
  if (source instanceof URL) {
    return await filesOfFolder(decodeURIComponent(source.pathname), prefix);
  }
  if (typeof source === "string") return await filesOfFolder(source, prefix);
  if (!Array.isArray(source)) return source as TenxFiles;
  const files = new Map((source as NamedFile[]).map((file) => [file.name, file]));
  const names = chooseNames([...files.keys()], "the files", prefix);
  return {
    matrix: files.get(names.matrix)!,
    features: files.get(names.features)!,
    barcodes: files.get(names.barcodes)!,
  };
}
