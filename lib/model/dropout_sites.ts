/** Places of the model that drop out, as streams of the generator: no two share their draws. */
export const SITE = {
  /** Behind the value encoder. */
  value: 0,
  /** Attention weights of layer i. */
  attention: (layer: number) => 1 + 4 * layer,
  /** Behind the output projection of layer i. */
  attended: (layer: number) => 2 + 4 * layer,
  /** Inside the feed-forward of layer i. */
  inner: (layer: number) => 3 + 4 * layer,
  /** Behind the feed-forward of layer i. */
  outer: (layer: number) => 4 + 4 * layer,
} as const;
