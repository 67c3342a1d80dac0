/**
 * The law of the engine on one screen: every operation a device must know, with its inputs, outputs and parameters.
 *
 * Dimensions: T tokens of a packed batch, B cells, D model width, H heads, M/N/K rows, columns and depth of a product,
 * V rows of a table, G groups. Everything is `f32`, row-major, but `index`, `offsets`, `known` and `row_key`, which are `u32`.
 * A packed batch has no pads: cell b owns the rows `offsets[b] .. offsets[b + 1]`.
 *
 * An op's shape rule and gradient live in `gpu/ops/<op>.ts`; each device has one kernel an op, and a missing rule or
 * kernel does not compile.
 */
export interface Ops {
  /** y[t] = base[t] + table[index[t]]. table [V,D], index [T], base [T,D] -> y [T,D] */
  gather_rows: Op<"table" | "index", "base", "y", Record<never, never>>;
  /** y = act(x · weightᵀ + bias), PyTorch's layout. x [M,K], weight [N,K], bias [N] -> y [M,N] */
  linear: Op<"x" | "weight", "bias", "y", { activation: Activation }>;
  /** y[g] = a[g] · b[g], either one transposed. a [G,M,K], b [G,K,N] -> y [G,M,N] */
  matmul: Op<"a" | "b", never, "y", { transposeA: boolean; transposeB: boolean }>;
  /** y = norm(x + residual) * weight + bias over the last axis. x [M,D], residual [M,D], weight [D], bias [D] -> y [M,D] */
  layer_norm: Op<"x" | "weight" | "bias", "residual", "y", { eps: number }>;
  /**
   * Blockwise softmax(q·kᵀ/√(D/H))·v inside each cell; nothing of size N x N exists. qkv [T,3D] with rows [q|k|v], heads
   * side by side; offsets [B+1]; known [B]: the first known[b] tokens are seen by every token of the cell, a later token
   * sees those and itself (generative mask); without `known` all see all.
   * -> context [T,D], lse [T,H] (log of the sum of exponentials, kept for the gradient)
   */
  attention: Op<"qkv" | "offsets", "known", "context" | "lse", { heads: number }>;
  /**
   * One softmax-weighted mean of a cell's rows for each query: y[h,b] = Σ_t softmax_t(scale · query[h,b]·x[t]) x[t].
   * query [H,B,D], x [T,D], offsets [B+1] -> y [H,B,D]
   */
  attention_pool: Op<"query" | "x" | "offsets", never, "y", { scale: number }>;
  /** y = a ∘ b. b has a's shape, or is one row [D] for all rows, or one column [M,1]. a [M,D] -> y [M,D] */
  binary: Op<"a" | "b", never, "y", { fn: "add" | "sub" | "mul" }>;
  /** y = fn(x), element by element. */
  unary: Op<"x", never, "y", { fn: Activation | "log1p" }>;
  /** y = [a | b] along the last axis. a [M,D1], b [M,D2] -> y [M,D1+D2] */
  concat: Op<"a" | "b", never, "y", Record<never, never>>;
  /** y[b,a] = x[a,b]. x [A,B,D] -> y [B,A,D] */
  swap_axes: Op<"x", never, "y", Record<never, never>>;
  /** y[m] = a[m]·b[m]. a [M,D], b [M,D] -> y [M] */
  row_dot: Op<"a" | "b", never, "y", Record<never, never>>;
  /** Mean, or sum, of a cell's rows, each times its weight. x [T,D], offsets [B+1], weight [T] -> y [B,D] */
  segment_pool: Op<"x" | "offsets", "weight", "y", { mode: "mean" | "sum" }>;
  /** y = x / max(|x|₂, eps) row by row. x [M,D] -> y [M,D] */
  l2_normalize: Op<"x", never, "y", { eps: number }>;
  /** y = softmax of each row. x [M,D] -> y [M,D] */
  softmax: Op<"x", never, "y", Record<never, never>>;
  /** The k largest of each row, largest first, the lower column first among equals. x [M,N] -> value [M,k], index [M,k] */
  top_k: Op<"x", never, "value" | "index", { k: number }>;
  /**
   * y = x * keep/(1-p). Element (m, d) is kept when word d%4 of philox([d>>2, key[m,0], key[m,1], stream], seed) >= p·2³².
   * x [M,D], row_key u32 [M,2] (default: the row number and 0), so that a token's draws follow it into any batch -> y [M,D]
   */
  dropout: Op<"x", "row_key", "y", { p: number; seed: number; stream: number }>;
}

/** Shape of one entry of {@linkcode Ops}: names of inputs, of optional inputs, of outputs, and the parameters. */
export interface Op<Input extends string, Optional extends string, Output extends string, Params> {
  /** Inputs that must be given. */
  inputs: Input;
  /** Inputs that may be left out. */
  optional: Optional;
  /** Results. */
  outputs: Output;
  /** Numbers and words that are no tensors. */
  params: Params;
}

/** Elementwise functions; `leaky_relu` has PyTorch's slope 0.01 and `gelu` is the exact one (erf). */
export type Activation = "none" | "relu" | "leaky_relu" | "sigmoid" | "tanh" | "gelu";

/** Name of an operation. */
export type OpName = keyof Ops;
/** Parameters of operation K. */
export type OpParams<K extends OpName> = Ops[K]["params"];
/** Values by input name of operation K. */
export type OpInputs<K extends OpName, Value> =
  & { [Name in Ops[K]["inputs"]]: Value }
  & { [Name in Ops[K]["optional"]]?: Value };
/** Values by output name of operation K. */
export type OpOutputs<K extends OpName, Value> = { [Name in Ops[K]["outputs"]]: Value };
