/** Small text files for tests. */

/** UTF-8 bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A text as gzip. */
export async function gzipped(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The values of the small matrix, cells x genes. */
export const CELLS_BY_GENES = [0, 2.5, 0, 0, 0, 0, 1, 0, 3, 4, 0, 0];

/** Four cells of three genes: a cell without values, entries by cell. */
export const MTX = `%%MatrixMarket matrix coordinate real general
% a remark
3 4 5
2 1 2.5
1 3 1
3 3 3
1 4 3.5
1 4 0.5
`;

/** The features of the small matrix; two have one symbol. */
export const FEATURES = "E1\tCD3D\tGene Expression\nE2\tLYZ\tGene Expression\n" +
  "E3\tLYZ\tGene Expression\n";

/** The cells of the small matrix. */
export const BARCODES = "AAA-1\nAAC-1\nAAG-1\nAAT-1\n";

/** The small matrix as a triple of files, with some of them replaced. */
export function triple(
  changed: { matrix?: string; features?: string; barcodes?: string } = {},
): { matrix: Uint8Array; features: Uint8Array; barcodes: Uint8Array } {
  const { matrix = MTX, features = FEATURES, barcodes = BARCODES } = changed;
  return { matrix: bytesOf(matrix), features: bytesOf(features), barcodes: bytesOf(barcodes) };
}
