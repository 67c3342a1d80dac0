/** Figures of an annotation: UMAPs of the annotator's embeddings, and the confusion matrix where the truth is known. */
import {
  type AnnData,
  type AnnotateOptions,
  confusionMatrix,
  confusionPlot,
  embeddingPlot,
  embedTrained,
  svgToPng,
  type TrainedModel,
  umap,
} from "../../mod.ts";
import { writeWhole } from "./outputs.ts";

/** Draws the figures, each as SVG and PNG; returns the paths of the SVGs. */
export async function annotationFigures(
  cells: AnnData,
  annotator: TrainedModel,
  { folder, labels, truth, options }: {
    readonly folder: string;
    readonly labels: readonly string[];
    readonly truth: readonly (string | null)[] | undefined;
    readonly options: AnnotateOptions;
  },
): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const { minConfidence: _, ...reading } = options;
  const { embeddings, nDims } = await embedTrained(cells, annotator, reading);
  const { signal } = options;
  const { x, y } = await umap(annotator.model.device, embeddings, {
    nDims,
    ...signal && { signal },
  });
  const subtitle = "UMAP of the trained scGPT's embeddings";
  const figures: Record<string, string> = {
    umap_predicted: embeddingPlot({ x, y, labels, title: "Predicted cell types" }, { subtitle }),
  };
  if (truth !== undefined) {
    const known = truth.map((label) => label ?? "unknown");
    figures["umap_true"] = embeddingPlot(
      { x, y, labels: known, title: "True cell types" },
      { subtitle },
    );
    const rows = truth.flatMap((label, row) => label === null ? [] : [row]);
    const pick = (from: readonly (string | null)[]) => rows.map((row) => from[row]!);
    figures["confusion"] = confusionPlot(confusionMatrix(pick(truth), pick(labels)));
  }
  return await writeFigures(folder, figures);
}

/** Writes figures by name, each as SVG and PNG; returns the paths of the SVGs. */
export async function writeFigures(
  folder: string,
  figures: Readonly<Record<string, string>>,
): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, svg] of Object.entries(figures)) {
    await writeWhole(`${folder}/${name}.svg`, svg);
    await writeWhole(`${folder}/${name}.png`, await svgToPng(svg));
    paths.push(`${folder}/${name}.svg`);
  }
  return paths;
}
