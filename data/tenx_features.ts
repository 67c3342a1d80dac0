/** Kinds of features of 10x matrices: genes, antibodies, guides, peaks. */
import type { AnnData } from "./anndata.ts";
import type { StringColumn } from "./column.ts";
import { FormatError, type FormatErrorOptions } from "./errors.ts";

/** Which features are read. */
export interface FeatureChoice {
  /** Types to keep: ["Gene Expression"] unless told, as scanpy's `gex_only`; "all" keeps every feature. */
  readonly featureTypes?: readonly string[] | "all";
}

/** The features of the chosen types, as a view; throws `FormatError` "value" listing the types where there is none of them. */
export async function selectFeatures(
  adata: AnnData,
  choice: FeatureChoice & { readonly place: FormatErrorOptions },
): Promise<AnnData> {
  const { featureTypes = ["Gene Expression"], place } = choice;
  if (featureTypes === "all" || !adata.var.has("feature_types")) return adata;
  const { data } = await adata.var.column("feature_types", "string") as StringColumn;
  const missing = featureTypes.filter((type) => !data.includes(type));
  if (missing.length > 0 && data.length > 0) {
    throw new FormatError(
      "value",
      `Cannot read features of type ${missing.join(", ")} as there are none; the types are: ${
        [...new Set(data)].sort().join(", ")
      }`,
      place,
    );
  }
  const kept = [...data.keys()].filter((k) => featureTypes.includes(data[k]!));
  return kept.length === data.length ? adata : adata.select({ var: kept });
}
